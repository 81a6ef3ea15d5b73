"""asdkit: say which visible face is speaking, frame by frame.

`run` processes a video, `Pipeline` many, `live` what a camera or a stream brings, `load` makes one
component; the command `asd` does all that and more.
`asdkit.plugin` has what a plugin may import, `asdkit.testing` the checks that components must pass.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .core.version import __version__

if TYPE_CHECKING:
    from .core.component import Component, Context
    from .core.errors import AsdError, CancelledError
    from .core.hookspecs import hookimpl
    from .core.known_faces import Boxes
    from .core.live.events import LiveEvent
    from .core.live.handed import LiveFeed
    from .core.live.session import LiveSession, live
    from .core.loading import load
    from .core.many_videos import Pipeline
    from .core.pipeline import run
    from .core.result import Result
    from .core.types import Clip, Detections, Scores, Track, TrackPiece

# Imported on first use: `asd --help` passes through this file and must not wait for OpenCV.
_HOME = {
    "AsdError": "errors",
    "Boxes": "known_faces",
    "CancelledError": "errors",
    "Clip": "types",
    "Component": "component",
    "Context": "component",
    "Detections": "types",
    "LiveEvent": "live.events",
    "LiveFeed": "live.handed",
    "LiveSession": "live.session",
    "Pipeline": "many_videos",
    "Result": "result",
    "Scores": "types",
    "Track": "types",
    "TrackPiece": "types",
    "hookimpl": "hookspecs",
    "live": "live.session",
    "load": "loading",
    "run": "pipeline",
}

__all__ = [
    "AsdError",
    "Boxes",
    "CancelledError",
    "Clip",
    "Component",
    "Context",
    "Detections",
    "LiveEvent",
    "LiveFeed",
    "LiveSession",
    "Pipeline",
    "Result",
    "Scores",
    "Track",
    "TrackPiece",
    "__version__",
    "hookimpl",
    "live",
    "load",
    "run",
]


_MODULES = ("plugin", "testing")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".core.{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return [*__all__, *_MODULES]
