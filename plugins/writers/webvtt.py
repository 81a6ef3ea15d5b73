"""Writes who speaks when as WebVTT subtitles, for players and editors."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path

from ...core.component import Context
from ...core.files import whole
from ...core.results import off_screen_turns, printable
from ...core.types import Result, Track

FILE = "speakers.vtt"


@dataclass(frozen=True)
class WebvttConfig:
    """The `webvtt` writer has no parameters."""


class WebvttWriter:
    """Writes `speakers.vtt`: a cue for each speaking turn.

    The cue's voice and its text are the identity, or the track without one; off-screen speech has
    the name "Off screen", unless its voice is somebody's. Times are on the clock of the file, as
    players show them. A file without cues is valid, too.
    """

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write the file; see `core.contracts.Writer`."""
        path = folder / FILE
        zero_s = result.video.start_s
        cues = [
            (start, end, _name(track)) for track in result.tracks for start, end in track.speaking
        ]
        names = {track.name: _name(track) for track in result.tracks}
        cues += [
            (*span, "Off screen" if name is None else names.get(name, name))
            for span, name in off_screen_turns(result)
        ]
        with whole(path) as aside, aside.open("w", encoding="utf-8", newline="\n") as file:
            file.write("WEBVTT\n")
            file.writelines(
                f"\n{_timestamp(zero_s + start)} --> {_timestamp(zero_s + end)}\n{_spoken(name)}\n"
                for start, end, name in sorted(cues, key=lambda cue: cue[:2])
            )
        return [path]


def _name(track: Track) -> str:
    """The name of a track, in one line."""
    if track.identity is None:
        return f"Track {track.id}"
    return " ".join(printable(track.identity).split())


def _spoken(name: str) -> str:
    """The payload of a cue: the name as voice tag and as text, for players without voice tags."""
    text = html.escape(name, quote=False)
    # A name that ends in two hyphens would form an arrow, which is not allowed in the text.
    return f"<v {text}{' ' if text.endswith('-') else ''}>{text}"


def _timestamp(seconds: float) -> str:
    """`seconds` as HH:MM:SS.mmm."""
    whole_s, ms = divmod(round(seconds * 1000), 1000)
    minutes, s = divmod(whole_s, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{s:02}.{ms:03}"


def build(config: WebvttConfig, context: Context) -> WebvttWriter:
    """Make the writer."""
    return WebvttWriter()
