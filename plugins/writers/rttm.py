"""Who speaks when, as diarization tools read it (Rich Transcription Time Marked)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ...core.components import Context
from ...core.files import whole
from ...core.results import printable
from ...core.types import Result

FILE = "speakers.rttm"


@dataclass(frozen=True)
class RttmConfig:
    """The `rttm` writer has no parameters."""


class RttmWriter:
    """Writes `speakers.rttm`: a line for each time a face speaks, by onset.

    The file is named by the video's stem, with `_` for white space, which parts the fields; the
    speaker by the track: `track_0`. Times are seconds of the source video.
    """

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write the file; see `core.contracts.Writer`."""
        path = folder / FILE
        name = re.sub(r"\s", "_", printable(result.video.path.stem))
        turns = sorted(
            (start, end, track.id) for track in result.tracks for start, end in track.speaking
        )
        with whole(path) as aside, aside.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(
                f"SPEAKER {name} 1 {start:.3f} {end - start:.3f} "
                f"<NA> <NA> track_{number} <NA> <NA>\n"
                for start, end, number in turns
            )
        return [path]


def build(config: RttmConfig, context: Context) -> RttmWriter:
    """Make the writer."""
    return RttmWriter()
