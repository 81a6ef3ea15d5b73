"""Writes who speaks when, and what they say, as SubRip subtitles."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...core.component import Context
from ...core.errors import InputError
from ...core.files import expanded, whole
from ...core.result import Result
from ...core.results import turns
from ...core.shown_names import shown_names
from ...core.voices.files import file_of_video
from ...core.voices.words import SUFFIXES, WHAT, Word, read_words
from .subtitles import Cue, Layout, cues, timestamp, whose

FILE = "speakers.srt"
_PLAIN = str.maketrans("<>{}", "\u2039\u203a()")
"""SRT has no way to escape what players take for markup."""


@dataclass(frozen=True)
class SrtConfig:
    """Parameters of the `srt` writer.

    Attributes:
        transcript: What is said: the JSON of whisperX or Whisper, SRT or WebVTT, on the clock of
            the file; or, for several videos, a folder of such files named like them. Without one,
            cues are turns and show names alone.
        tolerance_s: A word during which nobody's turn is goes to the nearest turn, if it is no
            further away; else it has no name.
        line_characters: The longest line of a cue, in characters, with a transcript.
        lines: The most lines of a cue.
        max_s: The longest time of a cue.
    """

    transcript: str | None = None
    tolerance_s: float = 0.5
    line_characters: int = 42
    lines: int = 2
    max_s: float = 7.0

    def __post_init__(self) -> None:
        if not 0 <= self.tolerance_s < float("inf"):
            raise ValueError(f"tolerance_s must be 0 or more, got {self.tolerance_s}")
        for name, value in (("line_characters", self.line_characters), ("lines", self.lines)):
            if value < 1:
                raise ValueError(f"{name} must be 1 or more, got {value}")
        if not self.max_s > 0:
            raise ValueError(f"max_s must be above 0, got {self.max_s}")


class SrtWriter:
    """Writes `speakers.srt`, on the clock of the file.

    Without a transcript there is a cue for each turn, with the name; see `core.results.turns`. With
    one the cues have its words, after the name and a colon; see `subtitles.whose` for who that is.

    The words of a transcript are when they are heard; if `sync` has moved the sound, they are moved
    alike to find who is seen saying them, but shown when they are heard in the file.

    SRT has no way to escape markup: angle brackets become single angle quotation marks (U+2039 and
    U+203A), and braces parentheses.

    Raises:
        InputError: The transcript cannot be read.
    """

    def __init__(self, config: SrtConfig) -> None:
        self._tolerance_s = config.tolerance_s
        self._layout = Layout(config.line_characters, config.lines, config.max_s)
        self._path: Path | None = None
        self._words: list[Word] | None = None
        if config.transcript is not None:
            self._path = expanded(config.transcript)
            if not os.path.exists(self._path):  # noqa: PTH110 - False if there can be no such name
                raise InputError(
                    f"writers.srt.transcript={config.transcript}: there is no such file or folder",
                    "Give whisperX's JSON, SRT or WebVTT, or a folder of these, named like videos",
                )
            if not self._path.is_dir():  # errors come before the run
                self._words = read_words(self._path)

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write the file; see `core.contracts.Writer`.

        Raises:
            InputError: The folder of transcripts holds none of this video, or it cannot be read.
        """
        path = folder / FILE
        with whole(path) as aside, aside.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(_text(self._cues(result)))
        return [path]

    def _cues(self, result: Result) -> Sequence[Cue]:
        zero_s = result.video.start_s
        show = shown_names(result)
        found = [(zero_s + start_s, zero_s + end_s, name) for start_s, end_s, name in turns(result)]
        if self._path is None:
            return [Cue(start_s, end_s, [show(name)]) for start_s, end_s, name in found]
        words = self._words
        if words is None:
            words = read_words(file_of_video(self._path, result.video, SUFFIXES, WHAT))
        moved_s = 0.0 if result.sync is None else result.sync.moved_s
        seen = [
            word._replace(start_s=word.start_s - moved_s, end_s=word.end_s - moved_s)
            for word in words
        ]
        return cues(words, whose(seen, found, self._tolerance_s), show, self._layout)


def _text(found: Iterable[Cue]) -> Iterable[str]:
    """The blocks of a file."""
    for number, cue in enumerate(found, 1):
        text = "\n".join(cue.lines).translate(_PLAIN)
        yield (
            f"{number}\n{timestamp(cue.start_s, ',')} --> {timestamp(cue.end_s, ',')}\n{text}\n\n"
        )


def build(config: SrtConfig, context: Context) -> SrtWriter:
    """Make the writer.

    Raises:
        InputError: The transcript cannot be read.
    """
    return SrtWriter(config)
