"""What a player shows and plays of a file, and a source whose pixels are not square."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from synth import click_times

from asdkit.core.media.encode import Look, Mp4Writer


def seen(path: Path) -> list[tuple[Fraction, np.ndarray]]:
    """The time of each picture in seconds, and the picture, (height, width, 3) uint8."""
    with av.open(str(path)) as container:
        return [
            (frame.pts * frame.time_base, frame.to_ndarray(format="rgb24"))
            for frame in container.decode(video=0)
        ]


def heard(path: Path) -> list[float]:
    """The times of the clicks in the first channel, in seconds; what is before 0 is not played."""
    with av.open(str(path)) as container:
        pieces = [
            (frame.pts * frame.time_base, frame.to_ndarray(), frame.sample_rate)
            for frame in container.decode(audio=0)
        ]
    rate = pieces[0][2]
    sound = np.zeros(round(pieces[-1][0] * rate) + pieces[-1][1].shape[-1])
    for time, samples, _ in pieces:
        at = round(time * rate)
        row = samples.astype(float).reshape(-1, samples.shape[-1])[0]
        sound[max(at, 0) : at + len(row)] = row[max(-at, 0) :]
    return click_times(np.round(sound / np.abs(sound).max() * 24_000).astype(np.int16), rate)


def oblong_disc(path: Path, frames: int) -> Path:
    """A video of 160x180 pixels twice as wide as high: a disc, 40 stored pixels by 80."""
    y, x = np.mgrid[:180, :160]
    disc = ((x - 80) / 20) ** 2 + ((y - 90) / 40) ** 2 < 1
    picture = np.where(disc[..., None], np.uint8(230), np.uint8(20)).repeat(3, axis=2)
    with Mp4Writer(path, 25, look=Look(pixel_aspect=Fraction(2))) as video:
        for k in range(frames):
            video.add(picture, Fraction(k, 25), Fraction(k + 1, 25))
    return path
