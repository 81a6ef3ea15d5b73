"""The version of asdkit, read by the build and by `asdkit.__version__`."""

__version__ = "0.1.0"
