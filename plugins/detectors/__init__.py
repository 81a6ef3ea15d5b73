"""The detectors that come with asdkit."""

from ...core.components import Component
from ...core.hookspecs import hookimpl
from . import boxes, mtcnn, yunet


@hookimpl
def asdkit_components() -> list[Component]:
    """Name the detectors."""
    return [
        Component("detector", "boxes", boxes.BoxesConfig, boxes.build),
        Component("detector", "mtcnn", mtcnn.MtcnnConfig, mtcnn.build),
        Component("detector", "yunet", yunet.YunetConfig, yunet.build, weights=(yunet.WEIGHTS,)),
    ]
