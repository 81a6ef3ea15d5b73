"""The embedders of voices that come with asdkit."""

from ...core.component import Component
from ...core.hookspecs import hookimpl
from . import campplus, none


@hookimpl
def asdkit_components() -> list[Component]:
    """Name the embedders of voices."""
    return [
        Component(
            "voice",
            "campplus",
            campplus.CamppConfig,
            campplus.build,
            weights=tuple(campplus.PUBLISHED.values()),
            about="knows people by their voice, off screen too (PyTorch)",
            needs=("torch",),
        ),
        Component("voice", "none", none.NoneConfig, none.build, about="nobody is known by voice"),
    ]
