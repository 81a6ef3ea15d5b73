"""Opens containers safely, and gives access to their streams and packets."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
from av.container import InputContainer
from av.video.frame import PictureType

from ..errors import InputError
from ..notes import Notes
from ..result import VideoInfo
from ..types import GRID_FPS
from .clock import Clock
from .formats import FORMATS, begins_as_picture

PYAV = tuple(int(part) for part in av.__version__.split(".")[:2])
_ANY_TAGS: dict[str, Any] = {"metadata_errors": "replace"}
_ONE_FILE = {
    "format_whitelist": ",".join(FORMATS),
    "protocol_whitelist": "file",
    "pattern_type": "none",
}
"""FFmpeg options that allow only self-contained containers and local files, and that take %d in a
file's name literally."""
_PATIENT = {"probesize": "50000000", "analyzeduration": "600000000"}
"""FFmpeg options that search so many bytes and microseconds for streams."""
_LEANING = (PictureType.P, PictureType.B)
"""Predicted pictures: decoding cannot begin with them, even if a stream flags them as key."""


MAX_PIXELS = 8192 * 4320
"""Default for the most pixels of a picture: those of an 8K cinema picture."""
ROTATIONS = ("auto", "0", "90", "180", "270")
EARLY_S = Fraction(1, 2 * GRID_FPS)
"""Half a step of the 25 fps grid: the largest distance from a time to its nearest grid point."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Settings for reading a file that override what the file says.

    Attributes:
        video_track: Number of the video track to use, from 0; None chooses automatically.
        sound_track: Number of the sound track to use, from 0, in the file of the sound; None
            chooses automatically.
        program: Number of the programme, as given in the file, to take both tracks from; None
            chooses automatically.
        rotate: "auto" rotates pictures as the file says; else the degrees, clockwise, by which
            the stored pictures are rotated.
        max_pixels: Pictures with more pixels raise an error.
    """

    video_track: int | None = None
    sound_track: int | None = None
    program: int | None = None
    rotate: str = "auto"
    max_pixels: int = MAX_PIXELS

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Reading:
        """Take the values from the settings of a run; names not in them keep their defaults.

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
    """One stream of a file, which can be opened any number of times.

    Attributes:
        path: The file.
        index: Index of the stream in the file.
        kind: Whether the stream is video or audio.
        max_pixels: Pictures with more pixels raise an error.
        patient: Whether the file must be opened with `patient`.
        status: The file's status when the stream was chosen, to notice changes.
    """

    path: Path
    index: int
    kind: Literal["video", "audio"]
    max_pixels: int
    patient: bool
    status: os.stat_result

    @classmethod
    def of(cls, path: Path, stream: Any, max_pixels: int, *, patient: bool) -> Source:
        """The source for a stream of an open file."""
        return cls(path, stream.index, stream.type, max_pixels, patient, path.stat())

    @contextmanager
    def opened(self) -> Iterator[tuple[InputContainer, Any]]:
        """Open the file; yield the container and the stream, at the beginning.

        Raises:
            InputError: The file was deleted, replaced or cut since the stream was chosen.
        """
        try:
            now = self.path.stat()
            # On network file systems the inode may change; size and time do not.
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
            if stream is None or stream.codec_context is None or stream.type != self.kind:
                raise self._changed()
            yield container, stream

    def _changed(self) -> InputError:
        return InputError(
            f"{self.path} was deleted, cut or replaced while it was read",
            "Run again once the file is in its place and whole",
        )


@dataclass(frozen=True)
class Media:
    """A probed video whose picture and sound can be read.

    Attributes:
        info: The properties of the video.
        picture: The stream of the picture.
        sound: The stream of the sound, perhaps of another file; None if there is none.
        zero: Timestamp in seconds, in the video, of the first picture: time zero.
        sound_zero: Timestamp in seconds, in the sound's file, of time zero.
        reading: The settings for reading it.
        notes: Collects which tracks were chosen and what was left out.
        clock: The clock of the picture.
        sound_clock: The clock of the sound.
        early_s: How many seconds before its own time a picture may be chosen for a grid point.
        transfer: Transfer characteristics of the picture, a code of ITU-T H.273; 2 is unspecified.
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
        """Seconds from time zero at which the sound ends; 0 or less if there is none."""
        return self.sound_clock.end - self.sound_zero

    def with_sound_moved(self, earlier_s: float) -> Media:
        """The same with its sound so many seconds earlier against the picture.

        All that reads the sound, `Sound` and writers alike, then has it there.
        """
        return replace(self, sound_zero=self.sound_zero + Fraction(str(earlier_s)))

    @property
    def sound_path(self) -> Path | None:
        """The file the sound comes from; None without sound."""
        return self.sound.path if self.sound else None


def opened(path: Path, max_pixels: int = MAX_PIXELS, *, patient: bool = False) -> InputContainer:
    """Open a file with FFmpeg, which may open no other files or addresses for it.

    Args:
        path: The file.
        max_pixels: Pictures with more pixels are not decoded.
        patient: Search far into the file for streams that begin late.

    Raises:
        av.FFmpegError: The file cannot be opened, or its container is not in `FORMATS`.
    """
    # If a library has set a log level, as torchvision before 0.28 does on import, FFmpeg's threads
    # log through Python, and a thread waiting for its lock deadlocks when its decoder is closed.
    av.logging.set_level(None)
    # With the prefix, FFmpeg does not take a name that contains a colon for an address.
    name = f"file:{path}"
    # PyAV before 17.1 writes out of bounds if streams appear only while the file is read.
    options = pixel_limit(max_pixels) if PYAV >= (17, 1) or begins_as_picture(path) else {}
    limits = {**_ONE_FILE, **(_PATIENT if patient else {})}
    try:
        return av.open(name, options=options, container_options=limits)
    except UnicodeDecodeError:  # by default, PyAV fails on tags that are not UTF-8
        container: InputContainer = av.open(
            name, options=options, container_options=limits, **_ANY_TAGS
        )
        return container


def pixel_limit(max_pixels: int) -> dict[str, str]:
    """The option of FFmpeg's decoders that limits the pixels of a picture.

    FFmpeg counts the padding to whole blocks, too, hence the margin; the pictures shown are checked
    against `max_pixels` itself after decoding.
    """
    return {"max_pixels": str(max_pixels + max_pixels // 4 + 65_536)}


def packets_of(container: InputContainer, *streams: Any) -> Iterator[Any]:
    """Yield the packets of streams as far as the file can be read, then an empty one for each."""
    try:
        for packet in container.demux(streams):
            if packet.size or packet.pts is not None or packet.dts is not None:
                yield packet
    # PyAV raises IndexError for a stream that the file did not announce.
    except (av.FFmpegError, IndexError):
        pass
    for stream in streams:
        end: Any = av.Packet()
        end.stream = stream
        end.time_base = stream.time_base
        yield end


def repeats(packet: Any) -> bool:
    """Whether a packet has a time but no data, which means that the previous frame is repeated."""
    return not packet.size and (packet.pts is not None or packet.dts is not None)


def too_large(path: Path | str, width: int, height: int, max_pixels: int) -> InputError:
    """The error for a picture with more than `max_pixels` pixels."""
    return InputError(
        f"{path} holds pictures of {width}x{height} pixels, more than max_pixels={max_pixels}",
        f"If that is right and the memory suffices, raise it: max_pixels={width * height}",
    )
