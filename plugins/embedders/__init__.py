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
        ),
        Component(
            "embedder",
            "mobilefacenet",
            mobilefacenet.MobilefacenetConfig,
            mobilefacenet.build,
            weights=(mobilefacenet.WEIGHTS,),
        ),
        Component("embedder", "none", none.NoneConfig, none.build),
    ]
