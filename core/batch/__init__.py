"""`asd batch`: finds videos, distributes them to worker processes, and records each outcome."""
