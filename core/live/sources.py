"""The input that a live session is given by name: a camera, an address, a pipe or a file."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import av

from ..errors import CancelledError, InputError
from ..media import container
from ..media.probe import Media, probe
from ..media.rates import stated_rate
from ..notes import Notes
from ..spelling import guess
from ..types import GRID_FPS
from .addresses import CAMERA, NONE, Address, address_of
from .arrivals import Arrived, Broken, Input
from .opening import WAITED_STALLS, Opened, check_options, opened, tracks_of
from .options import CaptureConfig, LiveOptions
from .reading import ENDED, Decoding, paced
from .settings import FAST
from .waiting import Waiting

_FIRST_S = 30.0
"""A source that sends something must show a first picture after so many seconds at most."""
_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 5.0
"""How long to wait before opening a source again: at first, and at most."""

_Wanted = Literal["picture", "sound", "both"]
_Opens = Callable[[float], Opened]
"""Opens a source, which may send nothing for so many seconds."""


def open_input(
    options: LiveOptions, notes: Notes, unwanted: Callable[[], bool] = lambda: False
) -> Input:
    """Open what the options name.

    A camera, an address or a pipe is read in a thread of its own, and a file, too, that is played
    at its own pace. What a slow user leaves waiting is limited, see `Waiting`; a user should
    iterate soon. A camera or an address that breaks off is opened again, after 0.5 s, 1 s and so
    on up to 5 s; one that sends nothing for five times `live.stall_s` counts as broken off. The
    clock may then be another one. Of an address, FFmpeg may use nothing but the protocols of its
    kind, and RTSP is read over the connection itself, not by UDP; but FFmpeg follows an RTSP server
    that refers it to another one, which cannot be forbidden.

    Args:
        options: The options of the session.
        notes: Collects which tracks were chosen, and what is damaged.
        unwanted: Says whether it is not wanted any more; asked while nothing has come.

    Returns:
        The input; the first picture has been decoded, so that its size is known.

    Raises:
        CancelledError: It was not wanted any more.
        InputError: There is no such source, or nothing can be read from it now; names no secrets.
        ConfigError: Options do not fit the source.
    """
    source, sound, wanted = _addresses(options)
    if source.kind == "file":
        media = _probed(source, options, notes, wanted)
        if options.pace == FAST:
            return FileInput(source, media, options, wanted)
        return LiveInput(source, sound, wanted, options, notes, media=media)
    return LiveInput(source, sound, wanted, options, notes, unwanted=unwanted)


def check_input(options: LiveOptions) -> None:
    """Refuse what `open_input` would refuse, as far as that is known before anything is sent.

    So nobody waits for models to be loaded to be told of a misspelt name.

    Raises:
        AsdError: As for `open_input`.
    """
    source, _, wanted = _addresses(options)
    if source.kind == "file":
        _probed(source, options, Notes(), wanted)


def _addresses(options: LiveOptions) -> tuple[Address, Address | None, _Wanted]:
    """The source, where the sound comes from if from elsewhere, and what to take of the source."""
    source = address_of(options.source)
    sound = None
    if options.sound not in (None, NONE, options.source):
        sound = address_of(options.sound or "", "sound")
    check_options(options, source, sound)
    return source, sound, "both" if options.sound in (None, options.source) else "picture"


def _probed(source: Address, options: LiveOptions, notes: Notes, wanted: _Wanted) -> Media:
    silent = options.allow_silent or wanted == "picture"
    reading = container.Reading.of(vars(options))
    path = Path(source.url)
    cameras = [CAMERA, *([f"v4l2:{path}"] if path.match("/dev/video*") else [])]
    if not path.is_file() and (meant := guess(source.url, cameras)):
        raise InputError(f"{source.shown} is no file", meant)
    return probe(path, None, reading, allow_silent=silent, notes=notes)


def _file(media: Media, wanted: _Wanted) -> Opened:
    """Open a probed file.

    Raises:
        InputError: It is not there any more.
    """
    picture, sound = media.picture, media.sound
    try:
        file = container.opened(picture.path, picture.max_pixels, patient=picture.patient)
    except (OSError, av.FFmpegError) as error:
        raise InputError(
            f"{picture.path} cannot be read any more: {error.strerror or error}",
            "Run again once the file is in its place and whole",
        ) from error
    heard = None if sound is None or wanted == "picture" else file.streams[sound.index]
    return Opened(file, file.streams[picture.index], heard)


class FileInput:
    """A file as fast as it is asked for; see `core.live.arrivals.Input`."""

    live = False
    left_out = 0

    def __init__(
        self, address: Address, media: Media, options: LiveOptions, wanted: _Wanted
    ) -> None:
        self._media, self._wanted = media, wanted
        self._decoding = Decoding(address, options, media.notes)
        self._closed = False
        self.name = address.name
        self.has_sound = media.sound is not None and wanted == "both"
        self.fps = media.info.fps
        self.pixel_aspect = media.info.pixel_aspect
        self.size: tuple[int, int] | None = (media.info.width, media.info.height)

    def __iter__(self) -> Iterator[Arrived | Broken | None]:
        file = _file(self._media, self._wanted)
        with file.container:
            for item in self._decoding.read(file, math.inf):
                if self._closed:
                    return
                yield item

    def close(self) -> None:
        """End it; see `Input`."""
        self._closed = True


class LiveInput:
    """What arrives at its own pace; see `core.live.arrivals.Input`.

    Args:
        source: Where the picture comes from.
        sound: Where the sound comes from, if from elsewhere.
        wanted: What to take from the source.
        options: The options of the session.
        notes: See `open_input`.
        media: The source if it is a file.
        unwanted: See `open_input`.
    """

    live = True

    def __init__(
        self,
        source: Address,
        sound: Address | None,
        wanted: _Wanted,
        options: LiveOptions,
        notes: Notes,
        *,
        media: Media | None = None,
        unwanted: Callable[[], bool] = lambda: False,
    ) -> None:
        stall_s = options.live.stall_s if media is None else math.inf
        self._waiting = Waiting(stall_s)
        self._picture = _Reader(source, wanted, options, self._waiting, notes=notes, media=media)
        self._readers = [self._picture]
        if sound is not None:
            self._readers.append(_Reader(sound, "sound", options, self._waiting, notes=notes))
        try:
            for reader in self._readers:
                reader.begin(unwanted)
        except BaseException:
            self.close()
            raise
        self.name = source.name
        self.has_sound = sound is not None or self._picture.has_sound
        self.fps = self._picture.fps
        self.size = self._picture.decoding.size
        self.pixel_aspect = self._picture.decoding.pixel_aspect

    @property
    def left_out(self) -> int:
        """How many frames waited so long that they were left out; see `Waiting`."""
        return self._waiting.left_out

    def __iter__(self) -> Iterator[Arrived | Broken | None]:
        for item in self._waiting:
            self.size = self._picture.decoding.size
            self.pixel_aspect = self._picture.decoding.pixel_aspect
            yield item
            del item

    def close(self) -> None:
        """End it; see `Input`. Connections are let go of when they next send something."""
        self._waiting.close()
        for reader in self._readers:
            reader.over.set()


class _Reader:
    """Reads a source in a thread of its own, and opens it again when it breaks off."""

    def __init__(
        self,
        address: Address,
        wanted: _Wanted,
        options: LiveOptions,
        waiting: Waiting,
        *,
        notes: Notes,
        media: Media | None = None,
    ) -> None:
        if wanted == "sound":
            options = replace(options, capture=CaptureConfig())
        self._address, self._wanted, self._options = address, wanted, options
        self._waiting, self._media = waiting, media
        self._breaks_off = address.kind in ("network", "device")
        self._wait_s = WAITED_STALLS * options.live.stall_s if self._breaks_off else math.inf
        self._begun = threading.Event()
        self._error: Exception | None = None
        self._away_s: float | None = None
        self._pause_s = _PAUSE_S
        self.over = threading.Event()
        self.decoding = Decoding(address, options, notes, stream=int(wanted == "sound"))
        self.has_sound = False
        self.fps = float(GRID_FPS)

    def begin(self, unwanted: Callable[[], bool]) -> None:
        """Start the thread, and wait for the first frame.

        Raises:
            CancelledError: It was not wanted any more.
            InputError: The source cannot be opened, or nothing can be decoded.
        """
        threading.Thread(target=self._work, name="asdkit-live", daemon=True).start()
        limit_s = time.monotonic() + 2 * self._wait_s + _FIRST_S
        while not self._begun.wait(0.2):
            if unwanted():
                raise CancelledError("It was stopped before anything came")
            if time.monotonic() > limit_s:
                raise self._nothing(f"nothing but other data came for {_FIRST_S:g} s")
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        error = None
        try:
            self._read()
        except Exception as failure:  # whoever iterates is told
            self._error = error = failure
        finally:
            self._begun.set()
            if self._wanted != "sound" or error is not None:
                self._waiting.end(error)

    def _read(self) -> None:
        source: Opened | None = self._opened(self._options, self._wait_s)
        while source is not None:
            with source.container:
                if not self._begun.is_set():
                    self._look_at(source)
                for item in self._items(source):
                    if self.over.is_set():
                        return
                    self._waiting.put(item)
                    if isinstance(item, Arrived):
                        self._note_arrival()
            if self.over.is_set():
                return
            source = self._after(self.decoding.reason)

    def _items(self, source: Opened) -> Iterator[Arrived | Broken]:
        items = self.decoding.read(source, self._wait_s)
        return items if self._media is None else paced(items, time.monotonic, self.over.wait)

    def _note_arrival(self) -> None:
        self._away_s = None
        if self._wanted == "sound" or self.decoding.size is not None:
            self._begun.set()

    def _look_at(self, source: Opened) -> None:
        self.has_sound = source.sound is not None
        if source.picture is not None:
            self.fps = float(stated_rate(source.picture) or GRID_FPS)

    def _opened(self, options: LiveOptions, wait_s: float) -> Opened:
        if self._media is not None:
            return _file(self._media, self._wanted)
        source = opened(self._address, options, wait_s, self.over.is_set)
        try:
            return tracks_of(source, self._address, options, wanted=self._wanted)
        except BaseException:
            source.close()
            raise

    def _after(self, reason: str) -> Opened | None:
        """Tell why a source ended, and open it again; None if that is the end of it."""
        if not self._begun.is_set():
            raise self._nothing(f"it {reason}")
        if not self._breaks_off:
            if reason != ENDED:
                self._waiting.put(Broken(reason, time.monotonic()))
            return None
        if self._away_s is None:  # else it was opened again in vain
            self._away_s, self._pause_s = time.monotonic(), _PAUSE_S
            if self._wanted == "sound":
                self._tell(f"lost its sound, which {reason}")
            else:
                self._waiting.break_off(reason)
        most_s = self._options.live.reconnect_s
        most_s = math.inf if most_s is None else most_s
        options = replace(self._options, allow_silent=True)
        while (left_s := self._away_s + most_s - time.monotonic()) > 0:
            if self.over.wait(min(self._pause_s, left_s)):
                return None
            self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
            try:
                return self._opened(options, max(min(self._wait_s, left_s), _PAUSE_S))
            except InputError:
                continue
        if most_s:
            self._tell(f"did not come back within {most_s:g} s")
        return None

    def _tell(self, reason: str) -> None:
        self._waiting.put(Broken(reason, time.monotonic(), ends_stretch=False))

    def _nothing(self, why: str) -> InputError:
        what = "sound" if self._wanted == "sound" else "picture"
        return InputError(
            f"Nothing of the {what} of {self._address.shown} can be decoded: {why}",
            "Check that it plays in a video player",
        )
