"""The result of a run, and what is said of its video."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .sync import Sync
from .types import Spans, Track
from .voice import Voice


@dataclass(frozen=True)
class VideoInfo:
    """The properties of a video.

    Attributes:
        path: The file.
        duration_s: Length of the picture in seconds.
        width: Width in pixels, after rotation.
        height: Height in pixels, after rotation.
        fps: Mean frame rate of the source.
        has_sound: Whether sound was found, in the file or beside it.
        start_s: Time of the first picture (time zero) on the clock of the file, which begins with
            its earliest stream; 0 or more. Add it to a time to get the time that players and
            audio tools show.
        pixel_aspect: Width of a pixel over its height, after rotation.
        notes: Sentences on what was chosen or left out of the file, and on implausible results.
        name: What the video is called in all files that name it; the file's name without suffix
            if not given.
    """

    path: Path
    duration_s: float
    width: int
    height: int
    fps: float
    has_sound: bool
    start_s: float = 0.0
    pixel_aspect: float = 1.0
    notes: tuple[str, ...] = ()
    name: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.path.stem)


@dataclass(frozen=True, eq=False)
class Result:
    """The result of a run.

    Attributes:
        video: The source.
        shots: (first, end) grid frames of each shot, end excluded.
        tracks: The faces, by first frame.
        settings: Every option of the run, as plain values.
        timings_s: Seconds spent in each stage; stages that overlap add up to more than the total.
        speech: When anybody speaks; None without voice activity detection.
        off_screen: When there is speech but no visible face speaks; None without voice activity
            detection and diarization.
        voices: The voices of the diarization; None without one.
        off_screen_names: For each span of `off_screen`: the `name` of the tracks that have its
            voice, or None if nobody's is close enough; None without an embedder of voices.
        sync: Whether the sound fits the lips; None if nobody asked.
        sound_path: The file the sound came from; None without sound.
        folder: Where the files were written; None if nothing was written.
        files: The files written.
        provenance: The origin besides the settings: versions, devices, weights files.
        media: What probing found in the file, so that asdkit's own writers need not probe again;
            None for a result without a run.
    """

    video: VideoInfo
    shots: tuple[tuple[int, int], ...]
    tracks: tuple[Track, ...]
    settings: Mapping[str, Any]
    timings_s: Mapping[str, float]
    speech: Spans | None = None
    off_screen: Spans | None = None
    voices: tuple[Voice, ...] | None = None
    off_screen_names: tuple[str | None, ...] | None = None
    sync: Sync | None = None
    sound_path: Path | None = None
    folder: Path | None = None
    files: tuple[Path, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    media: object = field(default=None, repr=False, compare=False)
