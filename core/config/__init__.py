"""Turns a command line or call into a checked plan: schemas, presets, composition, errors."""
