"""Opening a container: its streams, their packets, and decoding with what is damaged left out."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
from av.container import InputContainer
from av.video.frame import PictureType

from ..errors import InputError
from ..notes import Notes
from ..types import GRID_FPS, VideoInfo
from .clock import Clock
from .formats import FORMATS, begins_as_picture

_SEEK_BACK_S = (0, 2, 8, 32)
"""How far before the time wanted a seek aims, in turn, until it lands early enough."""

_PYAV = tuple(int(part) for part in av.__version__.split(".")[:2])
_ANY_TAGS: dict[str, Any] = {"metadata_errors": "replace"}
_ONE_FILE = {
    "format_whitelist": ",".join(FORMATS),
    "protocol_whitelist": "file",
    "pattern_type": "none",
}
"""Settings of FFmpeg that keep it to containers that hold what they play, to local files, and to
pictures whose name, though it holds %d, is a name."""
_PATIENT = {"probesize": "50000000", "analyzeduration": "600000000"}
"""Settings of FFmpeg that look for streams in so many bytes and microseconds."""
_LEANING = (PictureType.P, PictureType.B)
"""Pictures made from others, where decoding cannot begin, though a stream may call them key."""


MAX_PIXELS = 8192 * 4320
"""Pixels of a picture that are decoded unless told otherwise: those of an 8K cinema picture."""
ROTATIONS = ("auto", "0", "90", "180", "270")
EARLY_S = Fraction(1, 2 * GRID_FPS)
"""Half a step of the grid: of the points of the grid none is nearer to a picture's time."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a file is to be read, where that is not left to what it says itself.

    Attributes:
        video_track: Number of the picture's track among the file's video tracks, from 0; None
            chooses.
        sound_track: Number of the sound's track among the sound tracks of its file, from 0; None
            chooses.
        program: Number of a programme, as the file gives it, to take both from; None chooses.
        rotate: "auto" turns the picture as the file says; else the degrees, clockwise, by which
            the stored picture is turned.
        max_pixels: Larger pictures are refused.
    """

    video_track: int | None = None
    sound_track: int | None = None
    program: int | None = None
    rotate: str = "auto"
    max_pixels: int = MAX_PIXELS

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Reading:
        """As the settings of a run say; what they do not name is left to the file.

        Raises:
            ValueError: A value is out of range.
        """
        names = [entry.name for entry in fields(cls)]
        return cls(**{name: settings[name] for name in names if name in settings})

    def __post_init__(self) -> None:
        for name in ("video_track", "sound_track", "program"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ValueError(f"{name} must be 0 or more, got {value}")
        if self.rotate not in ROTATIONS:
            raise ValueError(f"rotate must be {', '.join(ROTATIONS)}, got {self.rotate}")
        if self.max_pixels < 1:
            raise ValueError(f"max_pixels must be at least 1, got {self.max_pixels}")


@dataclass(frozen=True)
class Source:
    """One stream of a file: chosen once, read as often as it is needed.

    Attributes:
        path: The file.
        index: Of the stream in the file.
        kind: What it is.
        max_pixels: Larger pictures are refused.
        patient: Its file has to be opened `patient`.
        status: Of the file when it was chosen.
    """

    path: Path
    index: int
    kind: Literal["video", "audio"]
    max_pixels: int
    patient: bool
    status: os.stat_result

    @classmethod
    def of(cls, path: Path, stream: Any, max_pixels: int, *, patient: bool) -> Source:
        """A stream of a file that is open."""
        return cls(path, stream.index, stream.type, max_pixels, patient, path.stat())

    @contextmanager
    def opened(self) -> Iterator[tuple[InputContainer, Any]]:
        """The file and the stream, at its beginning.

        Raises:
            InputError: The file is not what it was any more.
        """
        try:
            now = self.path.stat()
            # Over a network, a file's number may change; its size and time do not.
            is_other = now.st_ino != self.status.st_ino and (
                (now.st_size, now.st_mtime_ns) != (self.status.st_size, self.status.st_mtime_ns)
            )
            if is_other or now.st_size < self.status.st_size:
                raise self._changed()
            container = opened(self.path, self.max_pixels, patient=self.patient)
        except (OSError, av.FFmpegError) as error:
            raise self._changed() from error
        with container:
            streams = container.streams
            stream = streams[self.index] if self.index < len(streams) else None
            if stream is None or stream.type != self.kind or stream.codec_context is None:
                raise self._changed()
            yield container, stream

    def _changed(self) -> InputError:
        return InputError(
            f"{self.path} was deleted, cut or replaced while it was read",
            "Run again once the file is in its place and whole",
        )


@dataclass(frozen=True)
class Media:
    """A video whose picture and sound have been found and can be read.

    Attributes:
        info: What is known of the video.
        picture: The stream of the picture.
        sound: The stream of the sound, perhaps of another file; None where there is none.
        zero: Timestamp in seconds, in the video, of the first picture: time zero.
        sound_zero: Timestamp in seconds, in the sound's file, of time zero.
        reading: How it is to be read.
        notes: What was chosen or left out, so far.
        clock: How the timestamps of the picture are to be read.
        sound_clock: How those of the sound are.
        early_s: Seconds before its time at which a picture may be taken for the one seen.
        transfer: Transfer characteristics of the picture, a code of ITU-T H.273; 2 is not said.
    """

    info: VideoInfo
    picture: Source
    sound: Source | None
    zero: Fraction
    sound_zero: Fraction
    reading: Reading = field(default_factory=Reading)
    notes: Notes = field(default_factory=Notes)
    clock: Clock = field(default_factory=Clock)
    sound_clock: Clock = field(default_factory=Clock)
    early_s: Fraction = EARLY_S
    transfer: int = 2

    @property
    def sound_end(self) -> Fraction:
        """Seconds from time zero at which the sound ends; not after it where there is none."""
        return self.sound_clock.end - self.sound_zero

    @property
    def sound_path(self) -> Path | None:
        """The file the sound comes from; None where there is none."""
        return self.sound.path if self.sound else None


def opened(path: Path, max_pixels: int = MAX_PIXELS, *, patient: bool = False) -> InputContainer:
    """The file, opened by FFmpeg, and no other file with it.

    Args:
        path: The file.
        max_pixels: Larger pictures are not decoded.
        patient: Look far into the file for streams that begin late.

    Raises:
        av.FFmpegError: It cannot be opened, or is no container of `FORMATS`.
    """
    # Where a library sets a level, as torchvision before 0.28 does when imported, FFmpeg's threads
    # log through Python, and one that waits for its lock waits for ever if its decoder is closed.
    av.logging.set_level(None)
    # The prefix keeps a name that holds a colon from being read as an address.
    name = f"file:{path}"
    # Before 17.1, PyAV writes past its memory if streams show only as the file is read.
    options = _most(max_pixels) if _PYAV >= (17, 1) or begins_as_picture(path) else {}
    limits = {**_ONE_FILE, **(_PATIENT if patient else {})}
    try:
        return av.open(name, options=options, container_options=limits)
    except UnicodeDecodeError:  # PyAV wants tags in UTF-8 unless told
        container: InputContainer = av.open(
            name, options=options, container_options=limits, **_ANY_TAGS
        )
        return container


def _most(max_pixels: int) -> dict[str, str]:
    """The setting of FFmpeg's decoders for pictures of so many pixels.

    It counts those that a codec adds to fill its blocks; what is shown is counted afterwards.
    """
    return {"max_pixels": str(max_pixels + max_pixels // 4 + 65_536)}


def packets_of(container: InputContainer, *streams: Any) -> Iterator[Any]:
    """The packets of streams as far as the file can be read; an empty one of each ends them."""
    try:
        for packet in container.demux(streams):
            if packet.size or packet.pts is not None or packet.dts is not None:
                yield packet
    # PyAV stumbles at the end over a stream that the file did not announce.
    except (av.FFmpegError, IndexError):
        pass
    for stream in streams:
        end: Any = av.Packet()
        end.stream = stream
        end.time_base = stream.time_base
        yield end


def repeats(packet: Any) -> bool:
    """Whether a packet holds nothing but a time: the frame before it is shown again."""
    return not packet.size and (packet.pts is not None or packet.dts is not None)


class Decoder:
    """One stream of a file, decoded; what is damaged is skipped and counted.

    Args:
        source: The stream.
        threads: Threads of the decoder; None leaves it to FFmpeg.
        notes: Is told what was left out.
        clock: How its timestamps are to be read.

    Attributes:
        skipped: Packets and frames left out so far.
        damaged: Times of packets and frames that FFmpeg flags as damaged, and decoded all the same.
        repeated: Empty packets so far: each repeats the frame before.
        repeat: Timestamp and length in seconds of the last of them; None before the first.
    """

    def __init__(
        self,
        source: Source,
        threads: int | None = None,
        notes: Notes | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._source = source
        self._threads = threads
        self._notes = notes or Notes()
        self._clock = clock or Clock()
        self.skipped = 0
        self.damaged: set[Fraction] = set()
        self.repeated = 0
        self.repeat: tuple[Fraction, Fraction] | None = None
        self._start: Fraction | None = None

    def frames(self, start: Fraction | None = None) -> Iterator[Any]:
        """The decoded frames, in order of presentation.

        Args:
            start: Timestamp in seconds. The first frame is at or before it, not necessarily
                just before it; None decodes from the beginning, as does a file that cannot
                be searched.

        Yields:
            `av.VideoFrame` or `av.AudioFrame`.

        Raises:
            InputError: The file is not what it was any more, or its pictures become too large.
        """
        self._start = start
        for frame in self._from(start):
            self._note_damage(frame)
            yield frame

    def _from(self, start: Fraction | None) -> Iterator[Any]:
        if start is not None:
            # The first frames in decoding order may not be those shown first.
            for back_s in _SEEK_BACK_S[self._clock.in_decoding_order :]:
                frames = self._clock.shown(self._run(start - back_s))
                head = next(frames, None)
                if head is not None and _begins(head) <= start:
                    self.skipped = 0  # what a seek lands on is no damage
                    yield head
                    yield from frames
                    return
        self.skipped = self.repeated = 0
        self.repeat = None
        yield from self._clock.shown(self._run(None))

    def _note_damage(self, part: Any) -> None:
        if part.is_corrupt and part.pts is not None:
            time = Fraction(part.pts * part.time_base)
            if self._start is None or time >= self._start:  # what is before is not shown
                self.damaged.add(time)

    def warn_if_skipped(self) -> None:
        """Say it, once, if anything was left out or is damaged."""
        what = "picture" if self._source.kind == "video" else "sound"
        if self.skipped:
            self._notes.add(
                f"{self._source.path}: skipped {_parts(self.skipped, 'damaged or misplaced')} "
                f"of the {what}"
            )
        if self.damaged:
            self._notes.add(
                f"{self._source.path}: used {_parts(len(self.damaged), 'damaged')} of the {what}, "
                "as far as could be decoded"
            )

    def _run(self, seek_to: Fraction | None) -> Iterator[Any]:
        with self._source.opened() as (container, stream):
            context = stream.codec_context
            context.options = _most(self._source.max_pixels)
            stream.thread_type = "AUTO"
            context.thread_count = self._threads or 0
            if seek_to is not None:
                try:
                    time = self._clock.in_file(seek_to)
                    container.seek(math.floor(time / stream.time_base), stream=stream)
                except av.FFmpegError:
                    return
            for packet in self._clock.placed(packets_of(container, stream)):
                self._note_damage(packet)
                is_repeat = repeats(packet)
                try:
                    # To FFmpeg, a packet without data is the end.
                    frames = [] if is_repeat else stream.decode(packet)
                except av.FFmpegError:
                    self.skipped += 1
                    if stream.type == "video":
                        self._refuse_if_large(context)
                    continue
                if is_repeat:
                    self._note_repeat(packet)
                for frame in frames:
                    if stream.type == "video":
                        self._refuse_if_large(frame)
                    yield frame

    def _note_repeat(self, packet: Any) -> None:
        stamp = packet.dts if packet.pts is None else packet.pts
        length = (packet.duration or 0) * packet.time_base
        self.repeat = stamp * packet.time_base, length
        self.repeated += 1

    def _refuse_if_large(self, picture: Any) -> None:
        most = self._source.max_pixels
        if picture.width * picture.height > most:
            raise too_large(self._source.path, picture.width, picture.height, most)


def too_large(path: Path, width: int, height: int, max_pixels: int) -> InputError:
    """What is said of a picture of more pixels than are decoded."""
    return InputError(
        f"{path} holds pictures of {width}x{height} pixels, more than max_pixels={max_pixels}",
        f"If that is right and the memory suffices, raise it: max_pixels={width * height}",
    )


def _begins(frame: Any) -> Fraction | float:
    """When decoding can begin with a frame, by its timestamp in seconds; never if it cannot."""
    if frame.pts is None or getattr(frame, "pict_type", None) in _LEANING:
        return math.inf
    return Fraction(frame.pts * frame.time_base)


def _parts(count: int, how: str) -> str:
    """So many parts of a file, in words."""
    return f"{count} {how} part" if count == 1 else f"{count} {how} parts"
