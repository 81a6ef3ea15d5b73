"""What arrives at a feed: of a file, or made up; and what the feed makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from synth import numbered

from asdkit.core.live.arrivals import Arrived, Broken
from asdkit.core.live.feed import Feed
from asdkit.core.live.settings import LiveConfig
from asdkit.core.live.ticks import Gap, Notice, Tick

STEP = Fraction(1, 25)


@dataclass
class FakeInput:
    """An input that is known beforehand."""

    items: Iterable[Arrived | Broken | None]
    live: bool = True
    has_sound: bool = True
    fps: float = 25.0
    name: str = "fake"
    pixel_aspect: float = 1.0
    size: tuple[int, int] | None = None
    left_out: int = 0
    closed: bool = field(default=False, init=False)

    def __iter__(self) -> Iterator[Arrived | Broken | None]:
        return iter(self.items)

    def close(self) -> None:
        self.closed = True


def of_file(path: Path) -> list[Arrived]:
    """The frames of a file, in the order of its packets, each arriving at its time."""
    arrived = []
    with av.open(str(path)) as container:
        for packet in container.demux():
            for frame in packet.decode():
                time = None if frame.pts is None else frame.pts * frame.time_base
                arrived.append(Arrived(frame, time, at_s=float(time or 0)))
    return in_order(arrived)


def in_order(items: list[Arrived]) -> list[Arrived]:
    """The same, with times of arrival that never decrease."""
    at_s = 0.0
    made = []
    for item in items:
        at_s = max(at_s, item.at_s)
        made.append(Arrived(item.frame, item.time_s, at_s, item.stream))
    return made


def picture(
    number: int,
    time_s: Fraction | float | None,
    at_s: float | None = None,
    size: tuple[int, int] = (96, 64),
) -> Arrived:
    """A numbered picture; it arrives at its own time if nothing else is said."""
    frame = av.VideoFrame.from_ndarray(numbered(number, *size), format="rgb24")
    time = None if time_s is None else Fraction(time_s).limit_denominator(1000)
    return Arrived(frame, time, float(time or 0) if at_s is None else at_s)


def pictures(first: int, stop: int, shift_s: float = 0, late_s: float = 0) -> list[Arrived]:
    """Numbered pictures of 25 fps: number k is at k / 25 s, timed by a clock that is ahead."""
    return [
        picture(k, k * STEP + Fraction(shift_s), float(k * STEP) + late_s)
        for k in range(first, stop)
    ]


def sound(
    samples: np.ndarray,
    time_s: Fraction | float | None,
    at_s: float,
    stream: int = 0,
    rate: int = 16_000,
) -> Arrived:
    """A frame of mono sound, (n,) int16."""
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = rate
    time = None if time_s is None else Fraction(time_s).limit_denominator(100_000)
    return Arrived(frame, time, at_s, stream)


def ramp(first: int, stop: int) -> np.ndarray:
    """(n,) int16 that tells the place of each sample, from 1 on."""
    return (np.arange(first, stop) % 30_000 + 1).astype(np.int16)


def sounds(first: int, stop: int, shift_s: float = 0, late_s: float = 0) -> list[Arrived]:
    """Pieces of `ramp` as long as a grid frame, each arriving when it has ended."""
    return [
        sound(
            ramp(640 * k, 640 * (k + 1)),
            k * STEP + Fraction(shift_s),
            float((k + 1) * STEP) + late_s,
        )
        for k in range(first, stop)
    ]


def together(*parts: list[Arrived]) -> list[Arrived]:
    """Several streams in order of arrival."""
    return sorted((item for part in parts for item in part), key=lambda item: item.at_s)


@dataclass
class Fed:
    """All that a feed gave."""

    feed: Feed
    given: list[Tick | Gap | Notice | None]

    @property
    def ticks(self) -> list[Tick]:
        return [given for given in self.given if isinstance(given, Tick)]

    @property
    def indices(self) -> list[int]:
        return [tick.frame.index for tick in self.ticks]

    @property
    def words(self) -> list[Gap | Notice]:
        return [given for given in self.given if isinstance(given, Gap | Notice)]

    @property
    def reasons(self) -> list[str]:
        return [word.reason for word in self.words]

    def heard(self) -> np.ndarray:
        """All sound up to the last tick."""
        return self.feed.sound.read(0, 640 * (self.indices[-1] + 1))


def fed(
    items: Iterable[Arrived | Broken | None], *, config: LiveConfig | None = None, **about: object
) -> Fed:
    """Feed what arrives; nothing is ever late."""
    feed = Feed(FakeInput(items, **about), config or LiveConfig(), clock=lambda: 0.0)
    return Fed(feed, list(feed))
