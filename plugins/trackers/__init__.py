"""The trackers that come with asdkit."""

from ...core.component import Component
from ...core.hookspecs import hookimpl
from .iou import IouConfig, build
from .library import (
    ByteTrackConfig,
    CBiouConfig,
    OcSortConfig,
    build_bytetrack,
    build_cbiou,
    build_ocsort,
)


@hookimpl
def asdkit_components() -> list[Component]:
    """Name the trackers."""
    return [
        Component("tracker", "iou", IouConfig, build),
        Component("tracker", "bytetrack", ByteTrackConfig, build_bytetrack),
        Component("tracker", "ocsort", OcSortConfig, build_ocsort),
        Component("tracker", "cbiou", CBiouConfig, build_cbiou),
    ]
