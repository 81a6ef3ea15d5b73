"""A session that tells things, for tests of the server and its page."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from asdkit.core.live.events import LiveEvent, LiveFace
from asdkit.core.live.serving import LiveServer
from asdkit.core.pictures import ArrayPicture

TOKEN = "a-token-of-tests"
SIZE = 320, 180
ANN, BEN = (40.0, 50.0, 100.0, 110.0), (210.0, 70.0, 270.0, 130.0)
BEGUN = LiveEvent("begun", 0.0, about={"name": "hall", "size": list(SIZE)})
_LIMIT_S = 60


@contextmanager
def serving(port: int = 0, **more: Any) -> Iterator[tuple[LiveServer, str]]:
    """A server that has been started, and its address without the token."""
    server = LiveServer(port, TOKEN, about={"name": "hall"}, **more)
    address = urlsplit(server.start())
    try:
        yield server, f"http://{address.netloc}"
    finally:
        server.close()


def until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    end_s = time.monotonic() + _LIMIT_S
    while not condition():
        assert time.monotonic() < end_s, "in vain waited"
        time.sleep(0.01)


def appeared(track: int, time_s: float = 0.0, name: str | None = None) -> LiveEvent:
    return LiveEvent("appeared", time_s, track=track, name=name or f"track_{track}")


def speech(time_s: float, track: int | None, speaks: bool, *, certain: bool = True) -> LiveEvent:
    return LiveEvent("speaking" if speaks else "silent", time_s, certain, track, _name(track))


def faces(time_s: float, *speaking: bool, certain: bool = False) -> LiveEvent:
    """Ann and Ben at a time, and whether each of them speaks."""
    found = [
        LiveFace(track, _name(track), box, 0.9 if speaks else 0.1, speaks, certain)
        for track, (box, speaks) in enumerate(zip((ANN, BEN), speaking, strict=False))
    ]
    return LiveEvent("faces", time_s, certain, faces=tuple(found))


def status(delay_s: float, **counts: int) -> LiveEvent:
    counted = {"left_out": 0, "skipped": 0, "lost": 0, "breaks": 0, **counts}
    delay = {"frames": None, "events": {"mean": delay_s, "worst": 2 * delay_s}}
    return LiveEvent("status", 4.0, about={"delay_s": delay, "counts": counted})


def _name(track: int | None) -> str:
    return "off_screen" if track is None else ("ann", "ben")[track]


def picture(brightness: int = 90, size: Sequence[int] = SIZE) -> ArrayPicture:
    """A grey picture, in which the faces are a red and a blue square."""
    width, height = size
    image = np.full((height, width, 3), brightness, np.uint8)
    for box, colour in ((ANN, (220, 40, 40)), (BEN, (40, 60, 220))):
        left, top, right, bottom = (round(side) for side in box)
        image[top:bottom, left:right] = colour
    return ArrayPicture(image)


def needs_aiohttp() -> Any:
    return pytest.importorskip("aiohttp", reason="needs the package aiohttp: asdkit[live]")
