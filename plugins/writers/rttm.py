"""Writes who speaks when as RTTM (Rich Transcription Time Marked), for diarization tools."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from ...core.component import Context
from ...core.files import whole
from ...core.result import Result
from ...core.results import as_cell, turns
from ...core.types import OFF_SCREEN

FILE = "speakers.rttm"


@dataclass(frozen=True)
class RttmConfig:
    """The `rttm` writer has no parameters."""


class RttmWriter:
    """Writes `speakers.rttm`: a line for each speaking turn, by onset.

    The file field is the video's stem; the speaker field is the identity, or the track (`track_0`)
    without one. White space, which separates fields, becomes `_`; if two names become equal, one
    gets a number appended. Off-screen speech has the speaker `off_screen`, unless its voice is
    somebody's. With a diarization the lines are its turns; see `core.results.turns`. Times are
    seconds on the clock of the file, as audio tools show them.
    """

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write the file; see `core.contracts.Writer`."""
        path = folder / FILE
        name = _field(result.video.path.stem)
        zero_s = result.video.start_s
        found = turns(result)
        fields = _fields(speaker for _, _, speaker in found)
        with whole(path) as aside, aside.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(
                f"SPEAKER {name} 1 {zero_s + start:.3f} {end - start:.3f} "
                f"<NA> <NA> {fields[speaker]} <NA> <NA>\n"
                for start, end, speaker in found
            )
        return [path]


def _field(text: str) -> str:
    """Make a text a single field of a line."""
    return as_cell(re.sub(r"\s", "_", text))


def _fields(names: Iterable[str]) -> dict[str, str]:
    """By name: its field, unique; a name that is a valid field is used as it is."""
    fields: dict[str, str] = {}
    taken = {OFF_SCREEN}
    for name in sorted(set(names), key=lambda name: (_field(name) != name, name)):
        field = OFF_SCREEN if name == OFF_SCREEN else _field(name)
        numbered = (f"{_field(name)}_{number}" for number in count(2))
        while name != OFF_SCREEN and field in taken:
            field = next(numbered)
        taken.add(field)
        fields[name] = field
    return fields


def build(config: RttmConfig, context: Context) -> RttmWriter:
    """Make the writer."""
    return RttmWriter()
