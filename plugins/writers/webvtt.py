"""Writes who speaks when as WebVTT subtitles, for players and editors."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path

from ...core.component import Context
from ...core.files import whole
from ...core.result import Result
from ...core.results import turns
from ...core.shown_names import shown_names
from .subtitles import timestamp

FILE = "speakers.vtt"


@dataclass(frozen=True)
class WebvttConfig:
    """The `webvtt` writer has no parameters."""


class WebvttWriter:
    """Writes `speakers.vtt`: a cue for each speaking turn.

    The cue's voice and its text are the identity, or the track without one; off-screen speech has
    the name "Off screen", unless its voice is somebody's. With a diarization the cues are its
    turns; see `core.results.turns`. Times are on the clock of the file, as players show them. A
    file without cues is valid, too.
    """

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write the file; see `core.contracts.Writer`."""
        path = folder / FILE
        zero_s = result.video.start_s
        shown = shown_names(result)
        with whole(path) as aside, aside.open("w", encoding="utf-8", newline="\n") as file:
            file.write("WEBVTT\n")
            file.writelines(
                f"\n{timestamp(zero_s + start)} --> {timestamp(zero_s + end)}\n"
                f"{_spoken(shown(name))}\n"
                for start, end, name in turns(result)
            )
        return [path]


def _spoken(name: str) -> str:
    """The payload of a cue: the name as voice tag and as text, for players without voice tags."""
    text = html.escape(name, quote=False)
    # A name that ends in two hyphens would form an arrow, which is not allowed in the text.
    return f"<v {text}{' ' if text.endswith('-') else ''}>{text}"


def build(config: WebvttConfig, context: Context) -> WebvttWriter:
    """Make the writer."""
    return WebvttWriter()
