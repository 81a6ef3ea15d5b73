"""What a live source is called: a camera, an address, a pipe or a file; without its secrets."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from ..errors import InputError
from ..spelling import guess

PIPE, NONE = "-", "none"
"""The source that is read from standard input, and the sound that there is none of."""
CAMERA, MICROPHONE = "camera", "microphone"
PIPED = "ffmpeg -i ADDRESS -c copy -f mpegts - | asd live -"
"""How to read what FFmpeg reads, but asdkit does not."""

Kind = Literal["file", "pipe", "network", "device"]

_NETWORK = {
    "udp": ("mpegts", "udp"),
    "srt": ("mpegts", "srt"),
    "rtmp": ("flv", "rtmp,tcp"),
    "rtmps": ("flv", "rtmps,tls,tcp"),
    "rtsp": ("rtsp", "rtsp,rtp,tcp"),
    "rtsps": ("rtsp", "rtsps,rtsp,rtp,tls,tcp"),
}
"""By scheme: FFmpeg's format, and the protocols that are all it may use."""
_GIVING = {
    "picture": ("v4l2", "avfoundation", "dshow"),
    "sound": ("alsa", "pulse", "avfoundation", "dshow"),
}
DEVICES = tuple(dict.fromkeys(_GIVING["picture"] + _GIVING["sound"]))
"""FFmpeg's formats of cameras and microphones."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_DEVICE = re.compile(rf"({'|'.join(DEVICES)}):(.+)", re.DOTALL)
_NUMBERED = re.compile(rf"({CAMERA}|{MICROPHONE})(?::(.*))?", re.DOTALL)
_LISTED = "ffmpeg -list_devices true -f dshow -i dummy"


@dataclass(frozen=True)
class Address:
    """Where pictures or sound come from.

    Attributes:
        kind: What it is.
        shown: What it is called in messages: of an address nothing but scheme, host and port.
        name: What files may be called after it.
        url: What FFmpeg opens, with user, password and all; not to be shown.
        format: FFmpeg's format; None for files and pipes, where it looks for itself.
        protocols: The protocols that FFmpeg may use, with commas between.
    """

    kind: Kind
    shown: str
    name: str
    url: str
    format: str | None = None
    protocols: str = "none"

    def __repr__(self) -> str:
        return f"Address({self.shown})"


def address_of(given: str, wanted: Literal["picture", "sound"] = "picture") -> Address:
    """Understand the name of a source.

    Args:
        given: As of `LiveOptions.source` or `LiveOptions.sound`, but for none.
        wanted: What is to be taken from it.

    Raises:
        InputError: There is no such kind of source; the text names no secrets.
    """
    if given == PIPE:
        return Address("pipe", "the pipe", "pipe", "")
    if scheme := _SCHEME.match(given):
        return _network(given, scheme[1].lower())
    if numbered := _NUMBERED.fullmatch(given):
        return _numbered(numbered[1], "0" if numbered[2] is None else numbered[2], wanted)
    if device := _DEVICE.fullmatch(given):
        return _device(given, device[1], device[2], wanted)
    path = Path(given)
    return Address("file", given, path.stem, given)


def _network(given: str, scheme: str) -> Address:
    if scheme not in _NETWORK:
        hint = guess(scheme, _NETWORK, f"It reads {', '.join(_NETWORK)}; for others: {PIPED}")
        if scheme == "file":
            hint = "Give the name of the file alone"
        raise InputError(f"asd live reads no address that begins with {scheme}://", hint)
    try:
        parts = urlsplit(given)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if scheme == "udp" and not host and port is not None:
        host = "0.0.0.0"  # as FFmpeg takes it
    if not host:
        raise InputError(
            f"A {scheme} address lacks its host",
            f"It is written {scheme}://HOST:PORT; what is special in a user or a password is "
            "written with %, such as %40 for @",
        )
    if scheme in ("udp", "srt") and port is None:
        raise InputError(f"{scheme}://{host} lacks its port", f"For example {scheme}://{host}:5000")
    shown = f"{scheme}://{f'[{host}]' if ':' in host else host}" + (f":{port}" if port else "")
    form, protocols = _NETWORK[scheme]
    return Address("network", shown, _name(shown), scheme + given[len(scheme) :], form, protocols)


def _numbered(word: str, counted: str, wanted: str) -> Address:
    """The camera or microphone that the system counts as so many-th."""
    if not re.fullmatch(r"\d{1,4}", counted, re.ASCII):
        raise InputError(
            f"{word}:{counted} names no {word}", f"They are counted: {word}, {word}:1, {word}:2"
        )
    number = int(counted)
    if (word == CAMERA) != (wanted == "picture"):
        raise InputError(f"{word} gives no {wanted}", "Cameras are source=, microphones sound=")
    if sys.platform == "win32":
        raise InputError(
            "Windows does not number its cameras and microphones",
            f"Give the name, such as dshow:NAME; {_LISTED} lists them",
        )
    if sys.platform == "darwin":
        given = f"avfoundation:{number}" if word == CAMERA else f"avfoundation::{number}"
    elif word == CAMERA:
        given = f"v4l2:/dev/video{number}"
    else:
        given = f"alsa:hw:{number}" if number else "alsa:default"
    return address_of(given, "picture" if wanted == "picture" else "sound")


def _device(given: str, form: str, rest: str, wanted: Literal["picture", "sound"]) -> Address:
    if form not in _GIVING[wanted]:
        raise InputError(
            f"{form} gives no {wanted}", f"Those that do: {', '.join(_GIVING[wanted])}"
        )
    if form == "dshow":
        rest = f"{'video' if wanted == 'picture' else 'audio'}={rest}"
    elif form == "avfoundation":
        own = rest.startswith(":")
        if wanted == "picture" and own:
            raise InputError(f"{given} is a microphone", "Give a camera, such as avfoundation:0")
        if wanted == "sound" and not own:
            rest = f":{rest}"
    return Address("device", given, _name(given), rest, form)


def _name(shown: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "_", shown).strip("_")


def beginnings(wanted: Literal["picture", "sound"]) -> list[str]:
    """How the names of sources begin that are no files, and words that name one."""
    words = [CAMERA] if wanted == "picture" else [MICROPHONE, NONE]
    return [*words, *(f"{form}:" for form in _GIVING[wanted]), *(f"{one}://" for one in _NETWORK)]
