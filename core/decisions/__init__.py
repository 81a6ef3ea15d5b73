"""From scores to who speaks when, and who is who: thresholds, segments, calibration, identities."""
