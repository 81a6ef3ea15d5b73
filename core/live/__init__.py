"""Live: who is speaking now, from a camera, a stream or frames handed over."""
