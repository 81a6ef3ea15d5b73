"""The embedders that come with asdkit."""

from ...core.component import Component
from ...core.hookspecs import hookimpl
from . import facenet, mobilefacenet, none


@hookimpl
def asdkit_components() -> list[Component]:
    """Name the embedders."""
    return [
        Component(
            "embedder",
            "facenet",
            facenet.FacenetConfig,
            facenet.build,
            weights=tuple(facenet.PUBLISHED.values()),
            about="who is who by FaceNet (facenet-pytorch)",
            needs=("torch", "facenet_pytorch"),
        ),
        Component(
            "embedder",
            "mobilefacenet",
            mobilefacenet.MobilefacenetConfig,
            mobilefacenet.build,
            weights=(mobilefacenet.WEIGHTS,),
            about="who is who, on aligned faces, quick on CPUs (ONNX Runtime)",
            needs=("onnxruntime",),
        ),
        Component(
            "embedder",
            "none",
            none.NoneConfig,
            none.build,
            about="faces are not told apart across shots",
        ),
    ]
