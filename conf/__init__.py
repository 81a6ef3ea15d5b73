"""Hydra's configuration: run.yaml, and presets under experiment/."""
