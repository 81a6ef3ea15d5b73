"""Writes MP4 files that common players can play: H.264 video with a sound track."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from ..errors import OutputError
from ..types import UInt8
from .colours import BT601, BT709, BT2020, converted
from .planes import FORMAT
from .soundtrack import SoundTrack

_TICKS_PER_S = 90_000
_LEAST_TICKS_PER_S = 10_000
_BT709 = 1
_BT2020_MATRICES = (9, 10)
_BT601_MATRICES = (0, 2, 5, 6)
"""Matrix coefficients of BT.601, and those unspecified, which are taken for BT.601."""
_FAST = {
    "preset": "superfast",
    "mbtree": "1",
    "rc-lookahead": "20",
    "x264-params": "subme=0",
}
"""The encoder's settings: little searching, but more bits for what later pictures are made of.

At the same crf this looks like the preset veryfast and takes half its time (docs/formats.md)."""


@dataclass(frozen=True)
class Look:
    """The colour space and pixel shape of a video stream.

    A file written with the look of its source is shown alike, even where the source leaves a code
    unspecified. Codes are those of ITU-T H.273.

    Attributes:
        matrix: Matrix coefficients.
        primaries: Colour primaries.
        transfer: Transfer characteristics.
        pixel_aspect: Width of a pixel over its height.
    """

    matrix: int = _BT709
    primaries: int = _BT709
    transfer: int = _BT709
    pixel_aspect: Fraction = Fraction(1)

    @classmethod
    def of(cls, stream: Any) -> Look:
        """The look of a video stream."""
        context = stream.codec_context
        aspect = context.sample_aspect_ratio or Fraction(1)
        return cls(context.colorspace, context.color_primaries, context.color_trc, aspect)

    def on_its_side(self) -> Look:
        """The look of the picture after a rotation by 90 degrees."""
        return replace(self, pixel_aspect=1 / self.pixel_aspect)

    def rgb(
        self, frame: VideoFrame, width: int, height: int, reformatter: VideoReformatter
    ) -> UInt8:
        """A frame of the source as (height, width, 3) uint8, RGB."""
        return converted(frame, width, height, reformatter, self.conversion)

    def coded(self, image: UInt8, reformatter: VideoReformatter) -> VideoFrame:
        """A picture (height, width, 3) uint8, RGB, in the planes of the encoder.

        In a picture of odd size the last row or column is repeated.
        """
        height, width = image.shape[:2]
        if height % 2 or width % 2:
            image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        return reformatter.reformat(
            VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24"),
            format=FORMAT,
            dst_colorspace=cast("Any", self.conversion),
        )

    @property
    def conversion(self) -> int:
        """The conversion between the source's colours and RGB, of `core.media.colours`."""
        if self.matrix in _BT2020_MATRICES:
            return BT2020
        return BT601 if self.matrix in _BT601_MATRICES else BT709


class Mp4Writer:
    """Writes pictures and a sound track to an MP4 file; a context manager.

    The file is H.264 in yuv420p, with its index first, so that it plays while it loads. Only a few
    pictures are held in memory.

    Args:
        path: The file.
        fps: Mean frame rate, for the encoder's rate control.
        ticks_per_s: Timestamp resolution; if below 10000, a multiple of it is used.
        crf: Constant rate factor, from 0 (lossless) to 51.
        look: Colour space and pixel shape of the pictures.
        sound: Adds the sound, which is cut at the end of the picture.
        threads: Threads of the encoder; None leaves it to FFmpeg.

    Example:
        >>> with Mp4Writer(path, 25, sound=sound_of_samples(samples)) as video:
        ...     for k, image in enumerate(images):
        ...         video.add(image, Fraction(k, 25), Fraction(k + 1, 25))
    """

    def __init__(
        self,
        path: Path,
        fps: Fraction | int,
        *,
        ticks_per_s: int = _TICKS_PER_S,
        crf: int = 20,
        look: Look | None = None,
        sound: SoundTrack | None = None,
        threads: int | None = None,
    ) -> None:
        self._path = path
        self._fps = Fraction(fps).limit_denominator(10_000)
        self._ticks_per_s = ticks_per_s * math.ceil(_LEAST_TICKS_PER_S / ticks_per_s)
        self._crf = crf
        self._look = look or Look()
        self._sound = sound
        self._threads = threads
        self._picture: Any = None
        self._packets: Generator[Any, None, None] | None = None
        self._waiting: Any = None
        """The next packet of sound, whose time has not come yet."""
        self._durations: dict[int, int] = {}
        """Durations of the pictures in the encoder, by timestamp, in ticks."""
        self._pts = -1
        self._end = Fraction(0)
        self._reformatter = VideoReformatter()

    def __enter__(self) -> Mp4Writer:
        with self._writing():
            self._container = av.open(
                f"file:{self._path}",
                "w",
                format="mp4",
                container_options={"movflags": "faststart"},
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            if self._packets is not None:
                self._packets.close()
            with self._writing():
                self._container.close()

    def add(self, image: UInt8, start_s: Fraction, end_s: Fraction) -> None:
        """Write a picture.

        Args:
            image: (height, width, 3) uint8, RGB, of the same size as the first one.
            start_s: Seconds from which it is shown, 0 or more and later than the last picture's.
            end_s: Seconds until which it is shown.

        Raises:
            OutputError: The file cannot be written.
        """
        self.add_coded(self._look.coded(image, self._reformatter), start_s, end_s)

    def add_coded(self, frame: VideoFrame, start_s: Fraction, end_s: Fraction) -> None:
        """Write a picture that is in the planes of the encoder already.

        Args:
            frame: In yuv420p, limited range, of even size, the same as the first one's; its time
                is set.
            start_s: Seconds from which it is shown, 0 or more and later than the last picture's.
            end_s: Seconds until which it is shown.

        Raises:
            OutputError: The file cannot be written.
        """
        if self._picture is None:
            self._begin(frame)
        self._mux_sound(start_s)
        # Two times may round to the same tick, but the encoder needs rising timestamps.
        self._pts = max(round(start_s * self._ticks_per_s), self._pts + 1)
        self._end = end_s
        self._durations[self._pts] = max(1, round(end_s * self._ticks_per_s) - self._pts)
        frame.pts = self._pts
        frame.time_base = Fraction(1, self._ticks_per_s)
        self._mux_picture(frame)

    def _begin(self, frame: VideoFrame) -> None:
        """Add the streams, now that the size is known."""
        stream: Any = self._container.add_stream(
            "libx264", self._fps, options={"crf": str(self._crf), **_FAST}
        )
        stream.height, stream.width = frame.height, frame.width
        stream.pix_fmt = FORMAT
        context = stream.codec_context
        context.time_base = Fraction(1, self._ticks_per_s)
        context.thread_count = self._threads or 0
        context.sample_aspect_ratio = self._look.pixel_aspect
        context.colorspace = self._look.matrix
        context.color_primaries = self._look.primaries
        context.color_trc = self._look.transfer
        self._picture = stream
        if self._sound is not None:
            self._packets = self._sound(self._container)

    def _finish(self) -> None:
        if self._picture is None:
            raise ValueError("a video needs at least one picture")
        self._mux_picture(None)
        self._mux_sound(self._end)

    def _mux_picture(self, frame: VideoFrame | None) -> None:
        with self._writing():
            for packet in self._picture.encode(frame):
                packet.duration = self._durations.pop(packet.pts)
                self._container.mux(packet)

    def _mux_sound(self, until_s: Fraction) -> None:
        """Write the sound packets that begin before `until_s`, so that the file is interleaved."""
        while self._packets is not None:
            packet = self._waiting or next(self._packets, None)
            if packet is None:
                return
            if packet.pts * packet.time_base >= until_s:
                self._waiting = packet
                return
            self._waiting = None
            with self._writing():
                self._container.mux(packet)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except av.FFmpegError as error:
            raise OutputError(
                f"Cannot write {self._path}: {error.strerror or error}",
                "Choose another folder with output=FOLDER",
            ) from error
