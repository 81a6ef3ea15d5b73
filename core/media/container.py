"""Opening a container: its streams, their packets, and decoding with what is damaged left out."""

from __future__ import annotations

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


def too_large(path: Path, width: int, height: int, max_pixels: int) -> InputError:
    """What is said of a picture of more pixels than are decoded."""
    return InputError(
        f"{path} holds pictures of {width}x{height} pixels, more than max_pixels={max_pixels}",
        f"If that is right and the memory suffices, raise it: max_pixels={width * height}",
    )
