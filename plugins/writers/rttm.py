"""Writes who speaks when as RTTM (Rich Transcription Time Marked), for diarization tools."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...core.component import Context
from ...core.files import whole
from ...core.result import Result
from ...core.rttm_lines import field, rttm_lines

FILE = "speakers.rttm"


@dataclass(frozen=True)
class RttmConfig:
    """The `rttm` writer has no parameters."""


class RttmWriter:
    """Writes `speakers.rttm`: a line for each speaking turn, by onset.

    The file field is the video's name; the speaker field is the identity, or the track (`track_0`)
    without one. White space, which separates fields, becomes `_`; if two names become equal, one
    gets a number appended. Off-screen speech has the speaker `off_screen`, unless its voice is
    somebody's. With a diarization the lines are its turns; see `core.results.turns`. Times are
    seconds on the clock of the file, as audio tools show them.
    """

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write the file; see `core.contracts.Writer`."""
        path = folder / FILE
        with whole(path) as aside, aside.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(rttm_lines(result, field(result.video.name)))
        return [path]


def build(config: RttmConfig, context: Context) -> RttmWriter:
    """Make the writer."""
    return RttmWriter()
