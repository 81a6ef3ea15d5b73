"""A clip to send, and taking what an input brings, with a generous limit of time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from av.video.frame import VideoFrame
from synth import clicks, number_of, write_video

from asdkit.core.live.arrivals import Arrived, Broken, Input
from asdkit.core.live.options import LiveOptions
from asdkit.core.live.settings import LiveConfig

_PATIENCE_S = 60.0


def write_talk(folder: Path) -> Path:
    """A transport stream of 2.4 s: 60 numbered pictures and clicks, H.264 and AAC."""
    return write_video(folder / "talk.ts", frames=60, sounds=[(0.0, clicks([0.5, 1.5], 2.4))])


def options(source: Any, *, live: dict[str, Any] | None = None, **others: Any) -> LiveOptions:
    """Options of a session that is patient, and opens nothing again unless `live` says so."""
    config = LiveConfig(**{"stall_s": 5, "reconnect_s": 0, **(live or {})})
    return LiveOptions(source=str(source), live=config, **others)


def taken(
    source: Input, enough: Callable[[list[Arrived | Broken]], bool] = lambda _: False
) -> list[Arrived | Broken]:
    """All that an input brings until it ends, or there is enough of it; then it is closed."""
    limit_s, got = time.monotonic() + _PATIENCE_S, []
    for item in source:
        assert time.monotonic() < limit_s, f"still going on after {reasons(got)}"
        if item is not None:
            got.append(item)
            if enough(got):
                break
    source.close()
    return got


def pictures(items: list[Arrived | Broken]) -> list[Arrived]:
    """The pictures among what came."""
    return [i for i in items if isinstance(i, Arrived) and isinstance(i.frame, VideoFrame)]


def sounds(items: list[Arrived | Broken]) -> list[Arrived]:
    """The blocks of sound among what came."""
    return [i for i in items if isinstance(i, Arrived) and not isinstance(i.frame, VideoFrame)]


def numbers(items: list[Arrived | Broken]) -> list[int]:
    """The numbers that the pictures carry; see `synth`."""
    return [number_of(i.frame.to_ndarray(format="rgb24")) for i in pictures(items)]


def reasons(items: list[Arrived | Broken]) -> list[str]:
    """The breaks, in words."""
    return [item.reason for item in items if isinstance(item, Broken)]
