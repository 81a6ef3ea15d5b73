"""Small videos, what is seen and heard of them, and what harms them."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from synth import click_times, number_of, numbered

from asdkit.core.media.container import Media, Reading
from asdkit.core.media.picture import frames
from asdkit.core.media.probe import probe
from asdkit.core.media.sound import Sound

CLICKS_S = (0.1, 0.5, 1.0, 1.7)
B_FRAMES = {"bf": "3", "preset": "fast", "crf": "16"}


def numbers(media: Media, **part: float) -> list[tuple[int, int]]:
    """(grid frame, number in the picture) of a video or of a part of it."""
    return [(frame.index, number_of(frame.image)) for frame in frames(media, **part)]


def noisy(number: int, width: int, height: int) -> np.ndarray:
    """A numbered picture that no codec can copy from the one before."""
    noise = np.random.default_rng(number).integers(-15, 15, (height, width, 3))
    return (numbered(number, width, height) + noise).clip(0, 255).astype(np.uint8)


def noise(samples: int) -> np.ndarray:
    """(n,) int16, quieter than a click."""
    return np.random.default_rng(samples).integers(-3_000, 3_000, samples).astype(np.int16)


def heard(media: Media, seconds: float = 4.0) -> list[float]:
    with Sound(media) as sound:
        return click_times(sound.read(0, round(seconds * 16_000)))


def silent(path: Path) -> Media:
    return probe(path, allow_silent=True)


def read(path: Path, sound: Path | None = None, **options: object) -> Media:
    return probe(path, sound, Reading(**options), allow_silent=True)


def first(media: Media) -> int:
    return number_of(next(frames(media)).image)


def wreck(path: Path, kind: str, chosen: slice) -> Path:
    """Overwrite some packets of a stream with zeros."""
    data = path.read_bytes()
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(**{kind: 0}) if packet.size]
    for packet in packets[chosen]:
        assert data.count(packet) == 1
        data = data.replace(packet, bytes(len(packet)))
    path.write_bytes(data)
    return path
