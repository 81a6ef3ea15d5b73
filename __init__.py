"""asdkit: say which visible face is speaking, frame by frame.

`run` processes a video, `load` makes one component; the command `asd` does both and more.
"""

from .core.components import Component, Context
from .core.errors import AsdError
from .core.hookspecs import hookimpl
from .core.types import Clip, Detections, Frame, Result, Scores, Track, TrackPiece
from .core.version import __version__

__all__ = [
    "AsdError",
    "Clip",
    "Component",
    "Context",
    "Detections",
    "Frame",
    "Result",
    "Scores",
    "Track",
    "TrackPiece",
    "__version__",
    "hookimpl",
]
