"""The trackers that come with asdkit."""

from ...core.components import Component
from ...core.hookspecs import hookimpl
from .iou import IouConfig, build


@hookimpl
def asdkit_components() -> list[Component]:
    """Name the trackers."""
    return [Component("tracker", "iou", IouConfig, build)]
