"""Opens live sources with FFmpeg, held to what the user named, and chooses their tracks."""

from __future__ import annotations

import math
import os
import select
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import av
from av.container import InputContainer

from ..errors import ConfigError, InputError
from ..media.container import PYAV, pixel_limit
from ..media.formats import FORMATS
from .addresses import DEVICES, PIPED, Address
from .options import CaptureConfig, LiveOptions

WAITED_STALLS = 5
"""A source that sends nothing for so many times `live.stall_s` counts as broken off, or as not
there."""
_LIVE = {
    # What is read while FFmpeg looks for tracks is not lost, only handed over at once.
    "analyzeduration": "1000000",
    "probesize": "5000000",
    # MPEG-TS: a sender that begins anew may number its tracks differently.
    "merge_pmt_versions": "1",
}
_OF_SCHEME = {
    # FFmpeg reads the socket in a thread of its own; when who reads is late, the oldest is lost.
    "udp": {"overrun_nonfatal": "1", "fifo_size": "50000", "buffer_size": "1048576"},
    "rtsp": {"rtsp_transport": "tcp"},
    "rtsps": {"rtsp_transport": "tcp"},
}
_DEVICES = Path("/dev")
_ALSA = Path("/usr/share/alsa/alsa.conf")
"""Where ALSA's configuration is; the library in PyAV's wheels looks for it elsewhere."""


class Opened(NamedTuple):
    """An open source: the tracks to read; sound is None if there is none to be read."""

    container: InputContainer
    picture: Any | None
    sound: Any | None

    @property
    def tracks(self) -> list[Any]:
        """The tracks that are read."""
        return [track for track in (self.picture, self.sound) if track is not None]


class Piped:
    """Standard input, as PyAV reads it; ends when `over` says so, also while nothing comes.

    Attributes:
        empty: Whether nothing has come so far.
    """

    name = "pipe"

    def __init__(self, over: Callable[[], bool]) -> None:
        try:
            self._end = sys.stdin.fileno()
            alone = os.isatty(self._end)
        except (AttributeError, OSError, ValueError):
            alone = True
        if alone:
            raise InputError("A pipe is to be read, but nothing is piped in", f"Such as: {PIPED}")
        self._over = over
        self.empty = True

    def read(self, size: int) -> bytes:
        """The next bytes, at most `size`; none at the end."""
        while not self._over():
            # Windows cannot wait for a pipe: there a thread stays behind until something comes.
            if sys.platform == "win32" or select.select([self._end], [], [], 0.2)[0]:
                data = os.read(self._end, size)
                self.empty = self.empty and not data
                return data
        return b""


def opened(
    address: Address, options: LiveOptions, wait_s: float, over: Callable[[], bool]
) -> InputContainer:
    """Open a device, an address or standard input.

    Args:
        address: Which.
        options: The options of the session.
        wait_s: For how long it may send nothing; infinity for ever.
        over: Says whether it is not wanted any more; asked while standard input sends nothing.

    Raises:
        InputError: It cannot be opened; the text names no secrets.
    """
    limits = {
        "protocol_whitelist": address.protocols,
        "format_whitelist": ",".join(FORMATS) if address.format is None else address.format,
    }
    if address.format == "alsa" and _ALSA.exists():
        os.environ.setdefault("ALSA_CONFIG_PATH", str(_ALSA))
    if address.kind == "device":
        limits = {"format_whitelist": _device_format(address)}
        limits |= _captured(address, options.capture)
    else:
        limits |= _LIVE | _OF_SCHEME.get(address.shown.partition(":")[0], {})
    av.logging.set_level(None)  # as in core.media.container; and FFmpeg logs whole addresses
    file: Any = Piped(over) if address.kind == "pipe" else address.url
    most = pixel_limit(options.max_pixels) if PYAV >= (17, 1) else {}
    kinds: dict[str, Any] = {"metadata_errors": "replace", "options": most}
    timeout = None if math.isinf(wait_s) else (wait_s, wait_s)
    container: InputContainer
    # Not from the error that it comes of: its text holds the whole address.
    try:
        container = av.open(
            file, format=address.format, container_options=limits, timeout=timeout, **kinds
        )
    except av.error.ProtocolNotFoundError:
        raise InputError(
            f"{address.shown} cannot be opened: the FFmpeg of this PyAV was built without "
            f"{address.shown.partition(':')[0]}",
            f"Let another FFmpeg read it: {PIPED}",
        ) from None
    except (av.FFmpegError, OSError, ValueError) as error:
        said = words_of(error, wait_s)
        if isinstance(file, Piped) and file.empty:
            said = "nothing came through it"
        raise InputError(f"{address.shown} cannot be opened: {said}", _remedy(address)) from None
    return container


def words_of(error: Exception, wait_s: float) -> str:
    """What an error of FFmpeg says, without the address."""
    if isinstance(error, av.error.ExitError):
        return f"nothing came for {wait_s:g} s"
    return getattr(error, "strerror", None) or type(error).__name__


def tracks_of(
    container: InputContainer, address: Address, options: LiveOptions, *, wanted: str
) -> Opened:
    """Choose the tracks of an open live source.

    Args:
        container: The source.
        address: Its address.
        options: The options of the session.
        wanted: What to take: picture, sound or both.

    Raises:
        InputError: What is wanted is not there, or not the requested track.
    """
    picture = sound = None
    if wanted != "sound":
        videos = list(container.streams.video)
        picture = _chosen(container, videos, options.video_track, address)
        if picture is None:
            raise InputError(
                f"{address.shown} has no picture that can be decoded", "Give a source with one"
            )
    if wanted != "picture":
        audios = list(container.streams.audio)
        sound = _chosen(container, audios, options.sound_track, address, picture)
        if sound is None and (wanted == "sound" or not options.allow_silent):
            raise InputError(
                f"{address.shown} has no sound that can be decoded",
                "Name another source for it, such as sound=microphone, or go on without with "
                "allow_silent=true",
            )
    return Opened(container, picture, sound)


def _chosen(
    container: InputContainer,
    streams: Sequence[Any],
    number: int | None,
    address: Address,
    related: Any | None = None,
) -> Any | None:
    """The stream that is asked for by number, or the best of them; None if none can be decoded."""
    if number is not None:
        if number >= len(streams) or streams[number].codec_context is None:
            word = "sound" if related or container.streams.audio == tuple(streams) else "video"
            raise InputError(
                f"{address.shown} has no {word} track {number} ({word}_track={number}) that can be "
                "decoded",
                f"It holds {len(streams)} {word} tracks, counted from 0",
            )
        return streams[number]
    usable = [stream for stream in streams if stream.codec_context is not None]
    if not usable:
        return None
    best = container.streams.best(usable[0].type, related=related)
    return best if best in usable else usable[0]


def check_options(options: LiveOptions, source: Address, sound: Address | None) -> None:
    """Refuse options that do not fit the sources.

    Raises:
        ConfigError: They do not; says which do.
    """
    if options.pace == "fast" and (source.kind != "file" or sound is not None):
        raise ConfigError(
            f"pace=fast takes a file with its own sound, not {(sound or source).shown}",
            "Leave pace=real, or name a file",
        )
    if options.capture != CaptureConfig() and source.kind != "device":
        raise ConfigError(
            f"capture is what to ask a camera for, and {source.shown} is none",
            "Leave it out, or name a camera",
        )
    if options.program is not None and source.kind != "file":
        raise ConfigError(
            "program is for files: of a stream FFmpeg does not tell the programmes",
            "Choose by video_track and sound_track",
        )
    if sound is not None and sound.kind == "file":
        raise ConfigError(
            f"sound={sound.shown} is a file: the sound of another file cannot be taken live",
            "Put both into one: ffmpeg -i VIDEO -i SOUND -map 0:v -map 1:a -c copy BOTH.mkv",
        )


def _device_format(address: Address) -> str:
    """FFmpeg's full name of a device's format."""
    there = {part: name for name in av.formats_available for part in name.split(",")}
    if address.format not in there:
        known = [name for name in DEVICES if name in there]
        raise InputError(
            f"{address.shown} cannot be opened: the FFmpeg of this PyAV was built without "
            f"{address.format}",
            f"It reads: {', '.join(known) or 'no devices'}. Or let another FFmpeg read it, and "
            "pipe it in: asd live -",
        )
    return there[address.format]


def _captured(address: Address, capture: CaptureConfig) -> dict[str, str]:
    form = "input_format" if address.format == "v4l2" else "pixel_format"
    asked = {
        "video_size": capture.size,
        "framerate": None if capture.fps is None else f"{capture.fps:g}",
        form: capture.format,
    }
    return {name: value for name, value in asked.items() if value is not None}


def _remedy(address: Address) -> str:
    if address.format == "v4l2" and not Path(address.url).exists():
        there = sorted(f"v4l2:{path}" for path in _DEVICES.glob("video*"))
        return f"There are {', '.join(there)}" if there else "The system knows of no camera"
    if address.kind == "device":
        return (
            "Check that it is plugged in and that nothing else uses it, and what capture asks it "
            "for"
        )
    if address.kind == "pipe":
        return f"Pipe in what FFmpeg recognises, such as: {PIPED}"
    return "Check the address, and that it is being sent to there"
