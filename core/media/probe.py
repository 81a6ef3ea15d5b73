"""Examines video and sound files before decoding: finds streams, properties and errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer

from ..errors import InputError
from ..notes import Notes
from ..result import VideoInfo
from . import mp4
from .clock import Clock, Clocks, held_until, read_clocks
from .colours import TRANSFERS
from .container import Media, Reading, Source, opened, too_large
from .decoder import Decoder
from .formats import list_of_files
from .last_picture import last_picture
from .picture import first_frame_at, frames, upright_pixel_aspect
from .rates import early, measured_rate, stated_rate
from .sizes import Sizes
from .sound import Sound
from .streams import Streams, encrypted
from .truncation import is_cut_off
from .upright import orientation

__all__ = ["Media", "Sound", "first_frame_at", "frames", "probe", "sound_of"]

_BEGIN_LATE = frozenset({"flv", "live_flv", "mpeg", "mpegts"})
"""Containers without a list of streams, where a stream may begin anywhere."""

_WITHOUT_SHOWN_TIMES = ("avi",)
"""Containers that never store presentation times."""
_TRIED_FRAMES = 48


def probe(
    path: Path,
    sound: Path | None = None,
    reading: Reading | None = None,
    *,
    allow_silent: bool = False,
    end_s: float | None = None,
    notes: Notes | None = None,
) -> Media:
    """Find a video's picture and sound, and all errors that can be found before decoding.

    Args:
        path: The video.
        sound: Another file to take the sound from; it begins with the picture.
        reading: Settings for reading; by default all is chosen as the file says.
        allow_silent: Accept a video without sound.
        end_s: Seconds up to which it will be read; None for all. A file that is cut off is
            accepted if it holds this part.
        notes: Collects which tracks were chosen and what was left out, each note once.

    Returns:
        The media, ready for `frames` and `Sound`.

    Raises:
        InputError: The file is missing or unreadable, or lacks picture or sound, or the requested
            track or programme.
    """
    reading = reading or Reading()
    notes = Notes() if notes is None else notes
    try:
        return _found(path, sound, reading, notes, allow_silent=allow_silent, end_s=end_s)
    except (OSError, av.FFmpegError) as error:  # the file changed while it was examined
        raise InputError(
            f"{path} cannot be read any more: {error.strerror or error}",
            "Run again once the file is in its place and whole",
        ) from error


def _found(
    path: Path,
    sound: Path | None,
    reading: Reading,
    notes: Notes,
    *,
    allow_silent: bool,
    end_s: float | None,
) -> Media:
    is_own_sound = sound is None or (sound.exists() and sound.samefile(path))
    with _searched(path, reading, "video", "audio") as (container, patient):
        streams = Streams(path, container, reading, notes, patient=patient)
        stream = streams.picture()
        picture = Source.of(path, stream, reading.max_pixels, patient=patient)
        heard, own_sound = None, None
        if is_own_sound:
            own_sound = streams.sound(stream)
            if own_sound is not None:
                heard = Source.of(path, own_sound, reading.max_pixels, patient=patient)
            elif not allow_silent:
                raise _no_sound(path, streams)
            elif why := streams.why_no_sound():
                notes.add(f"{path} has no sound that can be decoded{why}; silence stands for it")
        sizes = Sizes(stream, reading.max_pixels)
        clocks = _clocks(picture, container, stream, own_sound, sizes)
        head = _head(picture, stream, clocks.picture)
        zero = Fraction(0) if head.pts is None else head.pts * head.time_base
        pixel_aspect = upright_pixel_aspect(head, stream.sample_aspect_ratio, reading.rotate)
        early_s = early(stream.base_rate or stream.average_rate)
        transfer = stream.codec_context.color_trc
        begins = _begin_of_file(container)
        fps = stated_rate(stream)
    fps = fps or measured_rate(picture)
    last, said = last_picture(picture, zero, fps, end_s)
    sound_zero, sound_clock = zero, clocks.sound
    if sound is not None and not is_own_sound:
        heard, sound_zero, sound_clock = sound_of(sound, reading, notes)
    end = zero + held_until(last - zero, said - zero, sound_clock.end - sound_zero)
    if clocks.picture.runs:
        end = clocks.picture.end
    elif end < said:
        notes.add(
            f"{path}: by what it says its last picture stands for {float(said - last):.2f} s, "
            f"long after everything else: it is held for {float(end - last):.2f} s"
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
        has_sound=heard is not None,
        start_s=float(max(zero - begins, Fraction(0))),
        pixel_aspect=float(pixel_aspect),
    )
    media = Media(
        info,
        picture,
        heard,
        zero,
        sound_zero,
        reading,
        notes,
        clock=clocks.picture,
        sound_clock=sound_clock,
        early_s=early_s,
        transfer=transfer,
    )
    _say_breaks(media, clocks)
    _say_look(media, len(found))
    return media


def _clocks(
    picture: Source, container: InputContainer, seen: Any, heard: Any, sizes: Sizes
) -> Clocks:
    """Read the clocks; test by decoding whether the picture's times are those of decoding."""
    clocks = read_clocks(container, seen, heard, sizes.take)
    if clocks.picture.in_decoding_order and container.format.name not in _WITHOUT_SHOWN_TIMES:
        plain = replace(clocks.picture, in_decoding_order=False)
        first = islice(Decoder(picture, 1, clock=plain).frames(), _TRIED_FRAMES)
        stamps = [frame.pts for frame in first if frame.pts is not None]
        if stamps == sorted(stamps):
            return replace(clocks, picture=plain)
    return clocks


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


def _begin_of_file(container: InputContainer) -> Fraction:
    """The timestamp that players and audio tools call 0: the start of the earliest stream.

    Sound with negative timestamps is the decoder's pre-roll and is not heard.
    """
    return Fraction(max(container.start_time or 0, 0), av.time_base)


def sound_of(
    path: Path, reading: Reading | None = None, notes: Notes | None = None
) -> tuple[Source, Fraction, Clock]:
    """Find the sound of a file, without its picture.

    Args:
        path: The file.
        reading: Settings for reading; by default all is chosen as the file says.
        notes: Collects which track was chosen.

    Returns:
        The stream, the timestamp in seconds at which the file begins, and the clock of the sound.

    Raises:
        InputError: The file is missing or unreadable, or has no sound.
    """
    reading = reading or Reading()
    with _searched(path, reading, "audio") as (container, patient):
        streams = Streams(path, container, reading, notes or Notes(), patient=patient)
        stream = streams.sound(None)
        if stream is None:
            raise InputError(
                f"{path} has no sound that can be decoded{streams.why_no_sound()}",
                "Give another file as sound=FILE",
            )
        source = Source.of(path, stream, reading.max_pixels, patient=patient)
        start = Fraction(container.start_time or 0, av.time_base)
        return source, start, read_clocks(container, None, stream).sound


def _no_sound(path: Path, streams: Streams) -> InputError:
    return InputError(
        f"{path} has no sound that can be decoded{streams.why_no_sound()}",
        "Name a sound file with sound=FILE (asd run), or go on without with allow_silent=true",
    )


def _head(picture: Source, stream: Any, clock: Clock) -> Any:
    """The first frame of the picture."""
    context = stream.codec_context
    if context.width * context.height > picture.max_pixels:
        raise too_large(picture.path, context.width, context.height, picture.max_pixels)
    # With one thread the first frame comes first.
    head = next(Decoder(picture, 1, clock=clock).frames(), None)
    if head is not None:
        return head
    if not context.width:
        raise InputError(
            f"Nothing of the picture of {picture.path} can be decoded: it is damaged, or larger "
            f"than max_pixels={picture.max_pixels}",
            "Check that it plays in a video player, or raise max_pixels",
        )
    raise InputError(
        f"Nothing of the picture of {picture.path} can be decoded",
        "Check that it plays in a video player, or copy it again from its source",
    )


@contextmanager
def _searched(path: Path, reading: Reading, *kinds: str) -> Iterator[tuple[InputContainer, bool]]:
    """Open a file; also yield whether `patient` was needed to find a stream of each kind."""
    with ExitStack() as stack:
        container = stack.enter_context(_opened(path, reading))
        patient = container.format.name in _BEGIN_LATE and not _has(container, kinds)
        if patient:
            again = stack.enter_context(_opened(path, reading, patient=True))
            patient = len(again.streams) > len(container.streams) or _has(again, kinds)
            container = again if patient else container
        yield container, patient


def _has(container: InputContainer, kinds: Iterable[str]) -> bool:
    found = {stream.type for stream in container.streams if stream.codec_context is not None}
    return found.issuperset(kinds)


@contextmanager
def _opened(path: Path, reading: Reading, *, patient: bool = False) -> Iterator[InputContainer]:
    try:
        if not path.exists():
            raise InputError(f"No such file: {path}", "Check its name and folder")
        if path.is_dir():
            hint = f"Give a video file; for all videos in it: asd batch {path}"
            raise InputError(f"{path} is a folder", hint)
        if not path.is_file():
            raise InputError(f"{path} is not a file that can be searched", "Give a video file")
        if not path.stat().st_size:
            raise InputError(f"{path} is empty", "Copy or record it again")
        try:
            container = opened(path, reading.max_pixels, patient=patient)
        except av.FFmpegError as error:
            path.open("rb").close()  # the system may say why
            raise _not_opened(path) from error
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror or error}", "Check its permissions"
        ) from error
    with container:
        yield container


def _not_opened(path: Path) -> InputError:
    """The error for a file that FFmpeg cannot open."""
    if kind := list_of_files(path):
        return InputError(
            f"{path} is {kind}: what it names, other files or addresses, is not opened",
            "Give the video itself",
        )
    if any(track.encrypted for track in mp4.tracks(path).values()):
        return encrypted(path)
    if is_cut_off(path):
        return InputError(
            f"{path} is cut off or still being written: the index at its end is missing",
            "Wait until it is whole, or copy it again from its source",
        )
    return InputError(
        f"{path} is not a video or sound file, or is damaged beyond reading",
        "Check that it plays in a video player",
    )
