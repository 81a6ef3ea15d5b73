"""The scorers that come with asdkit."""

from ...core.components import Component
from ...core.hookspecs import hookimpl
from .lip_motion import LIP_MOTION
from .talknet import TALKNET


@hookimpl
def asdkit_components() -> list[Component]:
    """Name the scorers."""
    return [LIP_MOTION, TALKNET]
