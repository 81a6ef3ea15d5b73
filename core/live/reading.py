"""Decodes a source's picture and sound as they come, over damage and changes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import av
from av.video.frame import VideoFrame

from ..media.container import pixel_limit, repeats, too_large
from ..media.picture import upright_pixel_aspect
from ..media.sound_frames import form_of
from ..media.upright import orientation
from ..notes import Notes
from .addresses import Address
from .arrivals import Arrived, Broken
from .opening import Opened, words_of
from .options import LiveOptions

_MOST_FAILURES = 100
"""After so many damaged reads one after the other, a source has broken off."""
_KEY_PACKETS = 600
"""Of so many packets of a picture one must say that decoding can begin with it; else it begins with
the next one."""
ENDED = "broke off: its sender ended it"
"""Why a source ended that was not damaged."""
_WORDS = {"video": "picture", "audio": "sound"}
_HELD_BACK_S = 1.0
"""What FFmpeg held back while it was interrupted it gives within so long."""
_LEAP_S = 10.0
"""A file's timestamps that leap by more, or go back, are played on at once."""


class Decoding:
    """Reads sources of the same picture and sound, one after the other.

    Args:
        address: What is read.
        options: The options of the session.
        notes: Collects a note if parts are damaged.
        stream: As of `Arrived`.

    Attributes:
        size: (width, height) of the latest picture, upright; None before the first.
        pixel_aspect: Width of its pixels over their height.
        reason: Why the source read last has ended, in words that go on after "the stream".
    """

    def __init__(
        self,
        address: Address,
        options: LiveOptions,
        notes: Notes,
        stream: int = 0,
    ) -> None:
        self._shown, self._is_file = address.shown, address.kind == "file"
        self._options, self._notes = options, notes
        self._stream = stream
        self._stored: tuple[int, int] | None = None
        self._form: tuple[int, str, str] | None = None
        self._vain_since_s: dict[int, float] = {}
        self._left_out = False
        """Whether packets were left out since the last one that was given."""
        self.size: tuple[int, int] | None = None
        self.pixel_aspect = 1.0
        self.reason = ""

    def read(self, source: Opened, wait_s: float) -> Iterator[Arrived | Broken]:
        """Decode a source to its end; `reason` says then why it ended.

        Decoding of a live picture begins with one that needs no other. Damaged packets are left
        out. A source counts as ended if none of a track's packets could be decoded for `wait_s`:
        its sender has another encoder now, for which it must be opened anew.

        Args:
            source: It, open.
            wait_s: For how long it was allowed to send nothing; for the words of `reason`.

        Raises:
            InputError: The first picture is larger than `max_pixels`. Later ones are left out.
        """
        for chosen in source.tracks:
            context = chosen.codec_context
            context.options = pixel_limit(self._options.max_pixels)
            # Frame threads would hold back as many pictures as there are threads.
            chosen.thread_type = "AUTO" if self._is_file else "SLICE"
            context.thread_count = self._options.threads or 0
        self._vain_since_s.clear()
        self._left_out = not self._is_file
        for packet in self._decodable(self._packets(source, wait_s), source.picture):
            track: Any = packet.stream
            if repeats(packet):
                continue
            try:
                frames = track.decode(packet)
            except av.FFmpegError:
                self._notes.add(f"{self._shown}: damaged parts are left out")
                frames = []
                if track.type == "video":
                    context = track.codec_context
                    yield from self._too_large(context.width, context.height)
            for frame in frames:
                yield from self._arrived(frame, track)
            if self._vain_s(packet, frames) >= wait_s:
                self.reason = f"broke off: its {_WORDS[track.type]} could not be decoded any more"
                return

    def _decodable(self, packets: Iterator[Any], picture: Any) -> Iterator[Any]:
        """The packets without those of a picture that need some that were left out."""
        leading = -1
        for packet in packets:
            if self._left_out:
                leading, self._left_out = 0, False
            if packet.stream is picture and 0 <= leading < _KEY_PACKETS:
                leading = -1 if packet.is_keyframe or not packet.size else leading + 1
                if leading > 0:
                    continue
            yield packet

    def _vain_s(self, packet: Any, frames: list[Any]) -> float:
        """For how many seconds nothing could be decoded of what came of a packet's track."""
        track = packet.stream
        large = track.type == "video" and track.width * track.height > self._options.max_pixels
        if frames or large or not packet.size:
            self._vain_since_s.pop(track.index, None)
            return 0.0
        now_s = time.monotonic()
        return now_s - self._vain_since_s.setdefault(track.index, now_s)

    def _packets(self, source: Opened, wait_s: float) -> Iterator[Any]:
        """The packets, as far as they can be read, then an empty one for each track."""
        failures = 0
        self.reason = ""
        while not self.reason:
            try:
                for packet in self._in_time(source, wait_s):
                    failures = 0
                    yield packet
                self.reason = ENDED
            except av.error.InvalidDataError as error:
                failures += 1
                if failures == _MOST_FAILURES:
                    self.reason = f"broke off: {words_of(error, wait_s)}"
            except av.error.ExitError as error:
                self.reason = f"broke off: {words_of(error, wait_s)}"
                return  # what the decoders hold is as old
            except (av.FFmpegError, OSError, IndexError) as error:
                self.reason = f"broke off: {words_of(error, wait_s)}"
        for ended in source.tracks:
            end: Any = av.Packet()
            end.stream, end.time_base = ended, ended.time_base
            yield end

    def _in_time(self, source: Opened, wait_s: float) -> Iterator[Any]:
        """The packets, but for those that FFmpeg had held back when it was interrupted.

        They come first, and are too old by then. A device, and a source that has sent other tracks
        meanwhile, is not interrupted: it goes on after a pause.
        """
        asked_s, late_to_s = time.monotonic(), -math.inf
        for packet in source.container.demux(source.tracks):
            now_s = time.monotonic()
            if now_s - asked_s >= wait_s:
                late_to_s = now_s + _HELD_BACK_S
            has_time = packet.pts is not None or packet.dts is not None
            if now_s < late_to_s:
                self._left_out = not self._is_file
            elif packet.size or has_time:
                yield packet
            asked_s = time.monotonic()

    def _arrived(self, frame: Any, track: Any) -> Iterator[Arrived | Broken]:
        if isinstance(frame, VideoFrame):
            large = list(self._too_large(frame.width, frame.height))
            if large or frame.width * frame.height > self._options.max_pixels:
                yield from large
                return
            yield from self._look_at(frame, track)
        elif not frame.samples:
            return
        else:
            yield from self._listen_to(frame)
        time_s = None if frame.pts is None else Fraction(frame.pts * frame.time_base)
        yield Arrived(frame, time_s, time.monotonic(), self._stream)

    def _too_large(self, width: int, height: int) -> Iterator[Broken]:
        most = self._options.max_pixels
        if width * height <= most or self._stored == (width, height):
            return
        if self._stored is None:
            raise too_large(self._shown, width, height, most)
        self._stored = width, height
        yield self._changed(f"its size to {width}x{height}, more than max_pixels={most}")

    def _look_at(self, frame: VideoFrame, track: Any) -> Iterator[Broken]:
        stored, before = (frame.width, frame.height), self._stored
        if stored == before:
            return
        rotate = self._options.rotate
        self.size = orientation(frame, rotate).size(*stored)
        aspect = upright_pixel_aspect(frame, track.sample_aspect_ratio, rotate)
        self.pixel_aspect = float(aspect)
        self._stored = stored
        if before is not None:
            yield self._changed(f"its size to {self.size[0]}x{self.size[1]}")

    def _listen_to(self, frame: Any) -> Iterator[Broken]:
        form, before = form_of(frame), self._form
        self._form = form
        if before not in (None, form):
            yield replace(
                self._changed(f"its sound to {form[0]} Hz, {form[2]}"), ends_stretch=False
            )

    def _changed(self, what: str) -> Broken:
        return Broken(f"changed {what}", time.monotonic())


def paced(
    items: Iterator[Arrived | Broken], clock: Callable[[], float], wait: Callable[[float], object]
) -> Iterator[Arrived | Broken]:
    """Hand a file's frames on when they would be played: pictures at their time.

    Sound comes as soon as it lies before the next picture in the file.

    Args:
        items: What the file holds.
        clock: Tells the time, as `time.monotonic`.
        wait: Waits for so many seconds.
    """
    begun_s = before = None
    for item in items:
        if isinstance(item, Arrived) and isinstance(item.frame, VideoFrame):
            stamp = item.time_s if item.time_s is not None else before
            if stamp is not None:
                if begun_s is None or before is None or not 0 <= stamp - before <= _LEAP_S:
                    begun_s = clock() - float(stamp)
                before = stamp
                if (early_s := begun_s + float(stamp) - clock()) > 0:
                    wait(early_s)
        yield replace(item, at_s=clock())
