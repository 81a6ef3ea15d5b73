"""The contexts that come with asdkit."""

from ...core.component import Component
from ...core.hookspecs import hookimpl
from . import none, others


@hookimpl
def asdkit_components() -> list[Component]:
    """Name the contexts."""
    return [
        Component(
            "context", "none", none.NoneConfig, none.build, about="each face is judged by itself"
        ),
        Component(
            "context",
            "others",
            others.OthersConfig,
            others.build,
            about="a face's score in the light of the other faces in the picture",
            variant="weight",
        ),
    ]
