"""Who speaks when, as subtitles that players and editors show."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...core.components import Context
from ...core.files import whole
from ...core.types import Result

FILE = "speakers.vtt"


@dataclass(frozen=True)
class WebvttConfig:
    """The `webvtt` writer has no parameters."""


class WebvttWriter:
    """Writes `speakers.vtt`: a cue for each time a face speaks, voiced by its track.

    Times are those of the source video. Without any cue the file is still valid.
    """

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write the file; see `core.contracts.Writer`."""
        path = folder / FILE
        cues = sorted(
            (start, end, track.id) for track in result.tracks for start, end in track.speaking
        )
        with whole(path) as aside, aside.open("w", encoding="utf-8", newline="\n") as file:
            file.write("WEBVTT\n")
            file.writelines(
                f"\n{_timestamp(start)} --> {_timestamp(end)}\n<v Track {number}>speaking\n"
                for start, end, number in cues
            )
        return [path]


def _timestamp(seconds: float) -> str:
    """`seconds` as HH:MM:SS.mmm."""
    whole_s, ms = divmod(round(seconds * 1000), 1000)
    minutes, s = divmod(whole_s, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{s:02}.{ms:03}"


def build(config: WebvttConfig, context: Context) -> WebvttWriter:
    """Make the writer."""
    return WebvttWriter()
