"""Makes a small picture of each track's face, from few pictures of the video."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from contextlib import closing
from fractions import Fraction
from itertools import islice
from typing import Any, cast

import cv2
import numpy as np

from ....core.errors import InputError
from ....core.media.colours import converter
from ....core.media.container import Media
from ....core.media.decoder import Decoder
from ....core.media.upright import Upright
from ....core.pictures import Picture
from ....core.progress import report
from ....core.types import GRID_FPS, Float64, Track, UInt8

_AROUND = 1.3
"""Side of the picture over the larger side of the box."""
_QUALITY = 80
_LEAST_AHEAD = 250
_PART_AHEAD = 50
"""Besides key frames, at most one in so many grid frames is decoded, or `_LEAST_AHEAD` in all."""


def thumbnails(media: Media, tracks: Sequence[Track], side_px: int) -> dict[int, str]:
    """A picture of each face.

    Key frames are preferred, as they are decoded on their own: one serves all tracks that are
    visible in it. Where a track has none, decoding goes on from the one before, but not without
    limit: tracks for which it does not suffice, and those that cannot be decoded, are left out. In
    a run it reports how many of the tracks have one.

    Args:
        media: The video.
        tracks: The tracks.
        side_px: Side of the pictures in pixels.

    Returns:
        By id of the track: a JPEG file as a data URI.
    """
    found: dict[int, str] = {}
    upright = Upright(
        (media.info.width, media.info.height), media.reading.rotate, converter(media.transfer)
    )
    ahead = max(_LEAST_AHEAD, round(media.info.duration_s * GRID_FPS) // _PART_AHEAD)
    for track in sorted(tracks, key=_middle):
        report(len(found), len(tracks))
        if track.id in found:
            continue
        for frame, picture in _looks(media, upright, track, ahead):
            if frame is None:
                ahead -= 1
                report(len(found), len(tracks))
                continue
            for other in tracks:
                if other.id not in found and frame in other.frames:
                    box = other.boxes[frame - other.first_frame]
                    image = _cut(picture, box, media.info.pixel_aspect, side_px)
                    found[other.id] = _data_uri(image)
    return found


def _middle(track: Track) -> int:
    return track.first_frame + len(track) // 2


def _looks(
    media: Media, upright: Upright, track: Track, ahead: int
) -> Iterator[tuple[int | None, Any]]:
    """Look for a picture of a track.

    Yields:
        A picture in which it is visible, with its grid frame, last; before it, (None, None) for
        each picture that was decoded in vain.
    """
    for wanted in (_middle(track), track.frames.stop - 1):
        with closing(_decoded(media, wanted)) as frames:
            for number, frame in islice(frames, 1):
                if number in track.frames:
                    yield number, upright.picture(frame)
                    return
    wanted = track.first_frame + min(len(track) // 2, GRID_FPS // 2)
    with closing(_decoded(media, wanted)) as frames:
        for number, frame in islice(frames, max(ahead, 0)):
            if number >= wanted:
                if number in track.frames:
                    yield number, upright.picture(frame)
                return
            yield None, None


def _decoded(media: Media, wanted: int) -> Any:
    """The frames of the video, each with its grid frame, from the last key frame before one."""
    # With one thread the first frame comes first.
    decoder = Decoder(media.picture, 1, clock=media.clock)
    try:
        for frame in decoder.frames(media.zero + Fraction(wanted, GRID_FPS)):
            if frame.pts is not None:
                time = frame.pts * frame.time_base - media.zero
                yield round(time * GRID_FPS), frame
    except InputError:  # the file was replaced or cut meanwhile
        return


def _cut(picture: Picture, box: Float64, pixel_aspect: float, side_px: int) -> UInt8:
    """The square around a box, within the picture: (side_px, side_px, 3) uint8, RGB."""
    width, height = picture.width * pixel_aspect, float(picture.height)
    x1, x2 = box[0] * pixel_aspect, box[2] * pixel_aspect
    side = min(_AROUND * max(x2 - x1, box[3] - box[1], 1.0), width, height)
    left = min(max((x1 + x2 - side) / 2, 0.0), width - side) / pixel_aspect
    top = min(max((box[1] + box[3] - side) / 2, 0.0), height - side)
    first, start = min(int(top), picture.height - 1), min(int(left), picture.width - 1)
    end = min(max(round(top + side), first + 1), picture.height)
    stop = min(max(round(left + side / pixel_aspect), start + 1), picture.width)
    part = picture.region(first, end, start, stop)
    small = cv2.resize(part, (side_px, side_px), interpolation=cv2.INTER_AREA)
    return cast("UInt8", np.asarray(small, np.uint8))


def _data_uri(image: UInt8) -> str:
    settings = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), settings)
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode('ascii')}"
