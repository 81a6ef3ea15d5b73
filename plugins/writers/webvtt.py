"""Who speaks when, as subtitles that players and editors show."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path

from ...core.component import Context
from ...core.files import whole
from ...core.results import printable
from ...core.types import Result, Track

FILE = "speakers.vtt"


@dataclass(frozen=True)
class WebvttConfig:
    """The `webvtt` writer has no parameters."""


class WebvttWriter:
    """Writes `speakers.vtt`: a cue for each time somebody speaks.

    Its voice, and what is read on the screen, is the identity, or the track where there is none;
    speech of no visible face is that of "Off screen". Times are on the clock of the file, as
    players show them. Without any cue the file is still valid.
    """

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write the file; see `core.contracts.Writer`."""
        path = folder / FILE
        zero_s = result.video.start_s
        cues = [
            (start, end, _name(track)) for track in result.tracks for start, end in track.speaking
        ]
        cues += [(start, end, "Off screen") for start, end in result.off_screen or ()]
        with whole(path) as aside, aside.open("w", encoding="utf-8", newline="\n") as file:
            file.write("WEBVTT\n")
            file.writelines(
                f"\n{_timestamp(zero_s + start)} --> {_timestamp(zero_s + end)}\n{_spoken(name)}\n"
                for start, end, name in sorted(cues, key=lambda cue: cue[:2])
            )
        return [path]


def _name(track: Track) -> str:
    """Who a track is, within a line."""
    if track.identity is None:
        return f"Track {track.id}"
    return " ".join(printable(track.identity).split())


def _spoken(name: str) -> str:
    """The text of a cue: who speaks, for players that tell voices apart and for all others."""
    text = html.escape(name, quote=False)
    # A name that ends in two hyphens would make an arrow, which no text may hold.
    return f"<v {text}{' ' if text.endswith('-') else ''}>{text}"


def _timestamp(seconds: float) -> str:
    """`seconds` as HH:MM:SS.mmm."""
    whole_s, ms = divmod(round(seconds * 1000), 1000)
    minutes, s = divmod(whole_s, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{s:02}.{ms:03}"


def build(config: WebvttConfig, context: Context) -> WebvttWriter:
    """Make the writer."""
    return WebvttWriter()
