"""Decisions from scores: calibration, thresholds, speaking segments, identities."""
