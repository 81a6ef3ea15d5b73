"""Video and sound files: what is in them, and what is wrong with them, before decoding."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer

from .clock import Clock, Clocks, read_clocks
from .container import EARLY_S, Decoder, Media, Reading, opened, packets_of, repeats, stream_of
from .errors import InputError
from .picture import first_frame_at, frames, upright_pixel_aspect
from .sizes import Sizes
from .sound import Sound
from .truncation import is_cut_off
from .types import GRID_FPS, VideoInfo
from .upright import TRANSFERS, orientation

__all__ = ["Media", "Sound", "first_frame_at", "frames", "probe"]

_WITHOUT_SHOWN_TIMES = ("avi",)
"""Containers that never give times of presentation."""
_TRIED_FRAMES = 48
_MOST_EARLY_S = Fraction(1, 2)


def probe(
    path: Path,
    sound: Path | None = None,
    reading: Reading | None = None,
    *,
    allow_silent: bool = False,
    end_s: float | None = None,
) -> Media:
    """Find the picture and the sound, and everything wrong that shows before decoding.

    Args:
        path: The video.
        sound: A file to take the sound from instead; it begins with the picture.
        reading: How to read it; as the file says if not given.
        allow_silent: Accept a video without sound.
        end_s: Seconds up to which it will be read; None for all. A file that was cut off is
            accepted if this part of it is there.

    Returns:
        The media, ready for `frames` and `Sound`.

    Raises:
        InputError: There is no such file, or it cannot be read, or lacks picture or sound.
    """
    with _opened(path) as container:
        stream = stream_of(container, "video")
        if stream is None:
            raise InputError(
                f"{path} has no picture that can be decoded",
                "Give a video; a file with only sound can be named as sound=FILE",
            )
        own_sound = stream_of(container, "audio")
        reading = reading or Reading()
        sizes = Sizes(stream, reading.max_pixels)
        clocks = _clocks(path, container, stream, own_sound, sizes)
        head = next(Decoder(path, "video", clock=clocks.picture).frames(), None)
        if head is None:
            raise InputError(
                f"Nothing of the picture of {path} can be decoded",
                "Check that it plays in a video player, or copy it again from its source",
            )
        zero = Fraction(0) if head.pts is None else head.pts * head.time_base
        pixel_aspect = upright_pixel_aspect(head, stream.sample_aspect_ratio, reading.rotate)
        fps = Fraction(stream.average_rate or stream.guessed_rate or GRID_FPS)
        early_s = _early(stream)
        transfer = stream.codec_context.color_trc
    end = _end_of_picture(path, zero, fps, end_s)
    if clocks.picture.runs:
        end = clocks.end
    sound_path, sound_zero, sound_clock = (path if own_sound else None), zero, clocks.sound
    if sound is not None and not (sound.exists() and sound.samefile(path)):
        sound_path, (sound_zero, sound_clock) = sound, _start_of_sound(sound)
    if sound_path is None and not allow_silent:
        raise InputError(
            f"{path} has no sound that can be decoded",
            "Name a sound file with sound=FILE (asd run), or go on without with allow_silent=true",
        )
    turn = orientation(head, reading.rotate)
    found = {(head.width, head.height), *sizes.found}
    width, height = turn.size(*max(found, key=lambda size: size[0] * size[1]))
    info = VideoInfo(
        path=path,
        duration_s=float(end - zero),
        width=width,
        height=height,
        fps=float(fps),
        has_sound=sound_path is not None,
        start_s=float(zero),
        pixel_aspect=float(pixel_aspect),
    )
    media = Media(
        info,
        sound_path,
        zero,
        sound_zero,
        reading,
        clock=clocks.picture,
        sound_clock=sound_clock,
        early_s=early_s,
        transfer=transfer,
    )
    _say_breaks(media, clocks)
    _say_look(media, len(found))
    return media


def _clocks(
    path: Path, container: InputContainer, picture: Any, sound: Any, sizes: Sizes
) -> Clocks:
    """What the clocks of the file do; whether pictures come in decoding order is tried."""
    clocks = read_clocks(container, picture, sound, sizes.take)
    if clocks.picture.in_decoding_order and container.format.name not in _WITHOUT_SHOWN_TIMES:
        plain = replace(clocks.picture, in_decoding_order=False)
        first = islice(Decoder(path, "video", clock=plain).frames(), _TRIED_FRAMES)
        stamps = [frame.pts for frame in first if frame.pts is not None]
        if stamps == sorted(stamps):
            return replace(clocks, picture=plain)
    return clocks


def _early(picture: Any) -> Fraction:
    """See `Media.early_s`: half the distance of pictures that come evenly, but more slowly."""
    rate = picture.base_rate or picture.average_rate
    return EARLY_S if not rate else min(max(EARLY_S, 1 / Fraction(2 * rate)), _MOST_EARLY_S)


def _say_breaks(media: Media, clocks: Clocks) -> None:
    leaps = [at for at in clocks.breaks if at.leap > 0]
    anew = [at for at in clocks.breaks if at.leap <= 0]
    for what, breaks in (("leaps ahead", leaps), ("starts anew", anew)):
        if breaks:
            moments = ", ".join(f"{float(at.time - media.zero):.2f}" for at in breaks[:5])
            more = f" and {len(breaks) - 5} more times" if len(breaks) > 5 else ""
            by = f" by {float(breaks[0].leap):.2f} s" if breaks is leaps and len(leaps) == 1 else ""
            media.notes.add(
                f"{media.info.path}: the clock {what}{by} at {moments} s{more}: what follows is "
                "taken to go on there without a break"
            )


def _say_look(media: Media, sizes: int) -> None:
    info, rotate = media.info, media.reading.rotate
    if rotate != "auto":
        media.notes.add(f"{info.path}: the stored picture is turned clockwise by {rotate} degrees")
    if sizes > 1:
        media.notes.add(
            f"{info.path}: pictures of {sizes} sizes: all are brought to that of the largest, "
            f"{info.width}x{info.height}"
        )
    if media.transfer in TRANSFERS:
        media.notes.add(
            f"{info.path}: the picture has high dynamic range: tone mapped from "
            f"{TRANSFERS[media.transfer]}"
        )


def _start_of_sound(path: Path) -> tuple[Fraction, Clock]:
    """Timestamp in seconds at which a file with sound begins, and the clock of the sound."""
    with _opened(path) as container:
        stream = stream_of(container, "audio")
        if stream is None:
            raise InputError(
                f"{path} has no sound that can be decoded", "Give another file as sound=FILE"
            )
        start = Fraction(container.start_time or 0, av.time_base)
        return start, read_clocks(container, None, stream).sound


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    try:
        if not path.exists():
            raise InputError(f"No such file: {path}", "Check its name and folder")
        if not path.is_file():
            what = "a folder" if path.is_dir() else "not a file that can be searched"
            raise InputError(f"{path} is {what}", "Give a video file")
        with path.open("rb") as file:
            if not file.read(1):
                raise InputError(f"{path} is empty", "Copy or record it again")
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror or error}", "Check its permissions"
        ) from error
    try:
        container = opened(path)
    except av.FFmpegError as error:
        if is_cut_off(path):
            raise InputError(
                f"{path} is cut off or still being written: the index at its end is missing",
                "Wait until it is whole, or copy it again from its source",
            ) from error
        raise _not_media(path) from error
    with container:
        if container.format.name == "tty":  # FFmpeg draws any text file as pictures of text
            raise _not_media(path)
        yield container


def _not_media(path: Path) -> InputError:
    return InputError(
        f"{path} is not a video or sound file, or is damaged beyond reading",
        "Check that it plays in a video player",
    )


def _end_of_picture(path: Path, zero: Fraction, fps: Fraction, end_s: float | None) -> Fraction:
    """Timestamp in seconds at which the last picture that can be read ends."""
    cut_off = is_cut_off(path)
    with opened(path) as container:
        stream = stream_of(container, "video")
        announced = _announced(path, container, stream)
        end = zero
        if announced and not cut_off:
            # Pictures are not stored in order, but none is a second away from its place.
            target = max(zero, zero + announced - 1)
            with suppress(av.FFmpegError):
                container.seek(math.floor(target / stream.time_base), stream=stream)
                end = _end_of_packets(container, stream, zero, fps)
    if end == zero:
        with opened(path) as container:
            stream = stream_of(container, "video")
            end = _end_of_packets(container, stream, zero, fps, only_complete=cut_off)
    if cut_off and end - zero < announced - 1 / fps:
        readable_s = math.floor((end - zero) * 100) / 100
        if end_s is None or end_s > readable_s:
            raise InputError(
                f"{path} is cut off: only {readable_s:.2f} s of its {float(announced):.2f} s "
                "of picture can be read",
                f"Copy it again from its source, or process that part with end_s={readable_s:.2f}",
            )
    return end


def _end_of_packets(
    container: InputContainer,
    stream: Any,
    zero: Fraction,
    fps: Fraction,
    *,
    only_complete: bool = False,
) -> Fraction:
    """When the last packet from here on ends; `zero` if there is none.

    Where a file breaks off, only the pictures due before the last decoding time are complete.
    """
    end = zero
    for packet in packets_of(container, stream):
        if (packet.size or repeats(packet)) and not packet.is_corrupt:
            stamp = packet.dts if only_complete else packet.pts
            begin = end if stamp is None else stamp * stream.time_base
            end = max(end, begin + ((packet.duration or 0) * stream.time_base or 1 / fps))
    return end


def _announced(path: Path, container: InputContainer, stream: Any) -> Fraction:
    """Seconds that the picture should last by what the file says; 0 if it does not."""
    if stream.duration:
        announced = Fraction(stream.duration * stream.time_base)
    else:
        announced = Fraction(container.duration or 0, av.time_base)
    if container.format.name == "avi":  # FFmpeg shortens what is cut off, the header does not
        with path.open("rb") as file:
            header = struct.unpack_from("<5I", file.read(52), 32)
        announced = max(announced, Fraction(header[0] * header[4], 1_000_000))
    return announced
