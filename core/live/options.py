"""The options of a live session that belong to no component."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..config.options import AnalysisOptions
from ..spelling import one_of
from .settings import PACES, REAL, LiveConfig

_SIZE = re.compile(r"[1-9]\d{0,4}x[1-9]\d{0,4}")
_ORIGIN = re.compile(r"https?://[^/?#\s]+")


@dataclass(frozen=True)
class CaptureConfig:
    """What to ask a camera for; whatever it is not asked for is left to the camera.

    Attributes:
        size: Width and height of its pictures, such as 1280x720.
        fps: Its frame rate.
        format: How it sends pictures, as FFmpeg calls it, such as mjpeg or yuyv422.
    """

    size: str | None = None
    fps: float | None = None
    format: str | None = None

    def __post_init__(self) -> None:
        if self.size is not None and not _SIZE.fullmatch(self.size):
            raise ValueError(f"size must be like 1280x720, got {self.size!r}")
        if self.fps is not None and not 0 < self.fps <= 1000:
            raise ValueError(f"fps must be above 0 and up to 1000, got {self.fps:g}")
        if self.format is not None and not re.fullmatch(r"\w+", self.format):
            raise ValueError(f"format must be a word such as mjpeg, got {self.format!r}")


@dataclass(frozen=True, kw_only=True)
class LiveOptions(AnalysisOptions):
    """The options of a live session that belong to no component.

    Attributes:
        source: Where the picture comes from: a camera (camera, camera:1, v4l2:/dev/video0,
            avfoundation:0, dshow:NAME), an address (rtsp://, rtsps://, srt://, udp://, rtmp://,
            rtmps://), - for a pipe into standard input, or a file.
        sound: Another source to take the sound from, or none; the same source if not given.
        pace: real takes pictures as they come, and a file as fast as it would be played; fast takes
            a file as fast as the machine can, and leaves nothing out.
        name: What the session is called in the results; named after the source if not given.
        output: Folder for the events and the results; asd_results/NAME if not given. asd live
            prints the events as lines of JSON instead, and writes nothing, if it is -.
        overwrite: Replace results that are already in the output folder.
        end_s: End after so many seconds of the stream; not before the stream ends if not given.
        serve: Serve a page with the picture, and the events, on this machine alone.
        port: The port of the page; 0 takes any that is free.
        token: What must be given to see the page; made anew for each session if not given.
        origins: Pages of which other origins may read the events, such as http://localhost:3000.
        capture: What to ask a camera for.
        live: How faces are scored and decided while they are still being seen.
    """

    source: str
    sound: str | None = None
    pace: str = REAL
    name: str | None = None
    output: str | None = None
    overwrite: bool = False
    end_s: float | None = None
    serve: bool = False
    port: int = 8765
    token: str | None = None
    origins: list[str] = field(default_factory=list)
    capture: CaptureConfig = field(default_factory=CaptureConfig)
    live: LiveConfig = field(default_factory=LiveConfig)

    def __post_init__(self) -> None:
        if not self.source:
            raise ValueError("source names nothing")
        if self.sound == "":
            raise ValueError("sound names nothing")
        if self.pace not in PACES:
            raise ValueError(one_of("pace", self.pace, PACES))
        if self.name is not None and not self.name.strip():
            raise ValueError("name is empty")
        if self.end_s is not None and self.end_s <= 0:
            raise ValueError(f"end_s must be above 0, got {self.end_s:g}")
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port must be from 0 to 65535, got {self.port}")
        if self.token is not None and not re.fullmatch(r"[\w-]{8,}", self.token, re.ASCII):
            raise ValueError("token must have 8 or more letters, digits, - and _")
        for origin in self.origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"origins must be like http://localhost:3000, got {origin!r}")
        super().__post_init__()
