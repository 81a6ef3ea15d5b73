"""Finds the video that a page can show: the source itself, or annotated.mp4."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import av

from ....core.errors import InputError
from ....core.files import beside
from ....core.media.container import Media, Source
from ....core.media.of_result import media_of, place_of
from ....core.result import Result
from ..annotated import FILE as ANNOTATED

_CONTAINERS = {"mov", "matroska"}
"""The containers that browsers play, by the first of FFmpeg's names: MP4 and WebM with kin."""
_PICTURES = {"h264", "vp8", "vp9", "av1", "hevc"}
_8_BIT = {"yuv420p", "yuvj420p"}
"""The pixel formats of H.264 that browsers play; those of VP9 and AV1 they play anyhow."""
_SOUNDS = {"aac", "mp3", "opus", "vorbis", "flac"}
_SUFFIXES = {".mp4", ".m4v", ".mov", ".webm", ".mkv"}
"""Taken for such containers, of a file that is not there to be looked at."""


class Playable(NamedTuple):
    """A video that a page may try to play.

    Attributes:
        url: Its address, relative to the page or a file URL.
        later_s: How much later a moment is on the video's own clock, which begins with its earliest
            stream, than on that of the result, in seconds.
        has_boxes: Whether boxes are painted into its pictures.
    """

    url: str
    later_s: float
    has_boxes: bool


def media_if_there(result: Result) -> Media | None:
    """The video as the run has probed it, or probed anew; None if it cannot be read any more."""
    try:
        return media_of(result)
    except (InputError, ValueError):
        return None


def playable(result: Result, media: Media | None, folder: Path) -> list[Playable]:
    """The videos that a page in a folder may play, the best first.

    Whether a browser does play one is found out there. The source comes first if its sound is
    the one that was listened to and can be heard, else annotated.mp4.

    Args:
        result: The result.
        media: The video; None if it is not there.
        folder: The folder in which the page will be.
    """
    source = place_of(result.video.path, result)
    own = [Playable(url, result.video.start_s, False) for url in _addresses(source, folder)]
    painted = []
    if any(file.name == ANNOTATED for file in result.files) or (folder / ANNOTATED).is_file():
        painted = [Playable(ANNOTATED, -float(result.settings.get("start_s") or 0.0), True)]
    if media is None:
        return (own if source.suffix.lower() in _SUFFIXES else []) + painted
    if not _is_seen(media):
        return painted
    moved = result.sync is not None and result.sync.moved_s != 0
    return painted + own if moved or not _is_heard(media) else own + painted


def _addresses(path: Path, folder: Path) -> Iterator[str]:
    """The address of a file from a folder, by which both can be moved together, and its own."""
    if (near := beside(path, folder)) is not None:
        yield quote(os.fsencode(near))
    yield path.as_uri()


def _is_seen(media: Media) -> bool:
    """Whether browsers show the picture as the result describes it."""
    reading = media.reading
    if reading.rotate != "auto" or reading.video_track or reading.program or media.clock.runs:
        return False
    codec, pixels, container = _stream(media.picture)
    if codec == "h264" and pixels not in _8_BIT:
        return False
    return container in _CONTAINERS and codec in _PICTURES


def _is_heard(media: Media) -> bool:
    """Whether browsers let the sound be heard that was listened to, if there was any."""
    if media.sound is None:
        return True
    if media.sound.path != media.picture.path or media.reading.sound_track:
        return False
    return _stream(media.sound)[0] in _SOUNDS


def _stream(source: Source) -> tuple[str, str | None, str]:
    """Codec and pixel format of a stream, and the first name of its container."""
    try:
        with source.opened() as (container, stream):
            context = stream.codec_context
            pixels = getattr(context, "pix_fmt", None)
            return context.name, pixels, container.format.name.split(",")[0]
    except (InputError, av.FFmpegError):
        return "", None, ""
