"""Decodes a video again for the crops of a face."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from ..analysis.crops import crop, face
from ..analysis.square_pixels import Square
from ..errors import InputError
from ..media.of_result import media_of
from ..media.probe import frames
from ..types import GRID_FPS, Track, UInt8

if TYPE_CHECKING:
    from ..result import Result

_SCALE = 0.4
"""`crop_scale` of a result that does not tell, the default of a run."""


def crops(result: Result, track: Track | int, *, colour: bool = False) -> Iterator[UInt8]:
    """See `Result.crops`."""
    if not isinstance(track, Track):
        track = _of_number(result, track)
    return _crops(result, track, colour)


def _of_number(result: Result, number: int) -> Track:
    for track in result.tracks:
        if track.id == number:
            return track
    known = ", ".join(str(track.id) for track in result.tracks) or "no tracks"
    raise InputError(f"There is no track {number} in the result", f"There are {known}")


def _crops(result: Result, track: Track, colour: bool) -> Iterator[UInt8]:
    media = media_of(result)
    square = Square.of(result.video.pixel_aspect)
    scale = result.settings.get("crop_scale", _SCALE)
    start_s, end_s = (frame / GRID_FPS for frame in (track.frames.start, track.frames.stop))
    threads = result.settings.get("threads")
    places = iter(track.smoothed * (square.x, square.y, 1))
    found = 0
    with closing(frames(media, start_s, end_s, threads)) as pictures:
        for frame, (x, y, half_size) in zip(pictures, places, strict=False):
            found += 1
            picture = square.picture(frame.picture)
            yield (crop if colour else face)(picture, x, y, half_size, scale)
    if found < len(track):
        raise InputError(
            f"{media.info.path} ends at {(track.first_frame + found) / GRID_FPS:.2f} s, before "
            f"track {track.id} does: it is not the video that the result is of, or was cut",
            "Name the right one: Result.load(path, video=FILE)",
        )
