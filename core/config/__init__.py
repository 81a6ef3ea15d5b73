"""From a command line or a call to a checked plan: schemas, presets, composing, refusals."""
