"""Who speaks when, as diarization tools read it (Rich Transcription Time Marked)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ...core.components import Context
from ...core.files import whole
from ...core.results import printable, turns
from ...core.types import Result

FILE = "speakers.rttm"


@dataclass(frozen=True)
class RttmConfig:
    """The `rttm` writer has no parameters."""


class RttmWriter:
    """Writes `speakers.rttm`: a line for each time somebody speaks, by onset.

    The file is named by the video's stem, the speaker by the identity, or by the track
    (`track_0`) where there is none, both with `_` for white space, which parts the fields. Speech
    of no visible face is that of `off_screen`. Times are seconds of the source video.
    """

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write the file; see `core.contracts.Writer`."""
        path = folder / FILE
        name = _field(result.video.path.stem)
        with whole(path) as aside, aside.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(
                f"SPEAKER {name} 1 {start:.3f} {end - start:.3f} "
                f"<NA> <NA> {_field(speaker)} <NA> <NA>\n"
                for start, end, speaker in turns(result)
            )
        return [path]


def _field(text: str) -> str:
    """`text` as one field of a line."""
    return re.sub(r"\s", "_", printable(text))


def build(config: RttmConfig, context: Context) -> RttmWriter:
    """Make the writer."""
    return RttmWriter()
