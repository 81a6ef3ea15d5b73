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
        Component(
            "tracker",
            "iou",
            IouConfig,
            build,
            about="joins boxes that overlap, as the reference does",
        ),
        Component(
            "tracker",
            "bytetrack",
            ByteTrackConfig,
            build_bytetrack,
            about="ByteTrack (Zhang et al., ECCV 2022): uses unsure detections, too",
            needs=("trackers",),
        ),
        Component(
            "tracker",
            "ocsort",
            OcSortConfig,
            build_ocsort,
            about="OC-SORT (Cao et al., CVPR 2023): goes by motion while faces are hidden",
            needs=("trackers",),
        ),
        Component(
            "tracker",
            "cbiou",
            CBiouConfig,
            build_cbiou,
            about="C-BIoU (Yang et al., WACV 2023): larger boxes, for fast motion",
            needs=("trackers",),
        ),
    ]
