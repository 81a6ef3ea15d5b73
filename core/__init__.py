"""The core of asdkit: types, contracts, media, the pipeline and the command line."""
