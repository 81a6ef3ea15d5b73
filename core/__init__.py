"""What asdkit stands on: types, contracts, media, the pipeline and the command line."""
