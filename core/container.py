"""Opening a container: its streams, their packets, and decoding with what is damaged left out."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
from av.container import InputContainer
from av.video.frame import PictureType

from .clock import Clock
from .notes import Notes
from .types import GRID_FPS, VideoInfo

_log = logging.getLogger(__name__)

_SEEK_BACK_S = (0, 2, 8, 32)
"""How far before the time wanted a seek aims, in turn, until it lands early enough."""

_ANY_TAGS: dict[str, Any] = {"metadata_errors": "replace"}
_LEANING = (PictureType.P, PictureType.B)
"""Pictures made from others, where decoding cannot begin, though a stream may call them key."""


MAX_PIXELS = 1 << 26
"""Pixels of a picture that are decoded unless told otherwise: 8192 x 8192."""
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
class Media:
    """A video whose picture and sound have been found and can be read.

    Attributes:
        info: What is known of the video.
        sound_path: The file the sound comes from; None where there is none.
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
    sound_path: Path | None
    zero: Fraction
    sound_zero: Fraction
    reading: Reading = field(default_factory=Reading)
    notes: Notes = field(default_factory=Notes)
    clock: Clock = field(default_factory=Clock)
    sound_clock: Clock = field(default_factory=Clock)
    early_s: Fraction = EARLY_S
    transfer: int = 2


def opened(path: Path) -> InputContainer:
    """The file, opened by FFmpeg; raises `av.FFmpegError` where it cannot be."""
    # The prefix keeps a name that holds a colon from being read as an address.
    name = f"file:{path}"
    try:
        return av.open(name)
    except UnicodeDecodeError:  # before version 19, PyAV wants tags in UTF-8 unless told
        container: InputContainer = av.open(name, **_ANY_TAGS)
        return container


def stream_of(container: InputContainer, kind: Literal["video", "audio"]) -> Any:
    """The main stream of a kind; None if there is none that can be decoded.

    The cover of a sound file is a video stream to FFmpeg, but not here.
    """
    stream = container.streams.best(kind)
    if stream is None or stream.codec_context is None:
        return None
    is_cover = stream.disposition & av.stream.Disposition.attached_pic
    return None if is_cover else stream


def packets_of(container: InputContainer, stream: Any) -> Iterator[Any]:
    """The packets of a stream as far as the file can be read; an empty one ends the decoding."""
    try:
        yield from container.demux(stream)
    except av.FFmpegError:
        packet: Any = av.Packet()
        packet.stream = stream
        packet.time_base = stream.time_base
        yield packet


def repeats(packet: Any) -> bool:
    """Whether a packet holds nothing but a time: the frame before it is shown again."""
    return not packet.size and (packet.pts is not None or packet.dts is not None)


class Decoder:
    """One stream of a file, decoded; what is damaged is skipped and counted.

    Args:
        path: The file.
        kind: Which of its main streams.
        threads: Threads of the decoder; None leaves it to FFmpeg.
        clock: How its timestamps are to be read.

    Attributes:
        skipped: Packets and frames left out so far.
        repeated: Empty packets so far: each repeats the frame before.
        repeat: Timestamp and length in seconds of the last of them; None before the first.
    """

    def __init__(
        self,
        path: Path,
        kind: Literal["video", "audio"],
        threads: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._path = path
        self._kind = kind
        self._threads = threads
        self._clock = clock or Clock()
        self.skipped = 0
        self.repeated = 0
        self.repeat: tuple[Fraction, Fraction] | None = None

    def frames(self, start: Fraction | None = None) -> Iterator[Any]:
        """The decoded frames, in order of presentation.

        Args:
            start: Timestamp in seconds. The first frame is at or before it, not necessarily
                just before it; None decodes from the beginning, as does a file that cannot
                be searched.

        Yields:
            `av.VideoFrame` or `av.AudioFrame`.
        """
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

    def warn_if_skipped(self) -> None:
        """Log one line if anything was left out."""
        if self.skipped:
            _log.warning(
                "%s: skipped %d damaged or misplaced parts of the %s",
                self._path,
                self.skipped,
                "picture" if self._kind == "video" else "sound",
            )

    def _run(self, seek_to: Fraction | None) -> Iterator[Any]:
        with opened(self._path) as container:
            stream = stream_of(container, self._kind)
            stream.thread_type = "AUTO"
            stream.codec_context.thread_count = self._threads or 0
            if seek_to is not None:
                try:
                    time = self._clock.in_file(seek_to)
                    container.seek(math.floor(time / stream.time_base), stream=stream)
                except av.FFmpegError:
                    return
            for packet in self._clock.placed(packets_of(container, stream)):
                is_repeat = repeats(packet)
                try:
                    # To FFmpeg, a packet without data is the end.
                    frames = [] if is_repeat else stream.decode(packet)
                except av.FFmpegError:
                    self.skipped += 1
                    continue
                if is_repeat:
                    self._note_repeat(packet)
                yield from frames

    def _note_repeat(self, packet: Any) -> None:
        stamp = packet.dts if packet.pts is None else packet.pts
        length = (packet.duration or 0) * packet.time_base
        self.repeat = stamp * packet.time_base, length
        self.repeated += 1


def _begins(frame: Any) -> Fraction | float:
    """When decoding can begin with a frame, by its timestamp in seconds; never if it cannot."""
    if frame.pts is None or getattr(frame, "pict_type", None) in _LEANING:
        return math.inf
    return Fraction(frame.pts * frame.time_base)
