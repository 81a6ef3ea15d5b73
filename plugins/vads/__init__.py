"""The voice activity detectors that come with asdkit."""

from ...core.components import Component
from ...core.hookspecs import hookimpl
from . import none


@hookimpl
def asdkit_components() -> list[Component]:
    """Name the voice activity detectors."""
    return [Component("vad", "none", none.NoneConfig, none.build)]
