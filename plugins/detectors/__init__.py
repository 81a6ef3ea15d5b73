"""The detectors that come with asdkit."""

from ...core.component import Component
from ...core.hookspecs import hookimpl
from . import boxes, mtcnn
from .s3fd import S3FD
from .yunet import YUNET


@hookimpl
def asdkit_components() -> list[Component]:
    """Name the detectors."""
    return [
        Component(
            "detector",
            "boxes",
            boxes.BoxesConfig,
            boxes.build,
            about="takes the faces from a file, JSON or CSV",
        ),
        Component(
            "detector",
            "mtcnn",
            mtcnn.MtcnnConfig,
            mtcnn.build,
            about="three small networks in turn (facenet-pytorch), weights included",
            needs=("torch", "facenet_pytorch"),
        ),
        S3FD,
        YUNET,
    ]
