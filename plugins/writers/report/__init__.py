"""Writes a page to look at a result: the video with boxes, lanes, turns, names to edit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ....core.component import Context
from ....core.files import whole
from ....core.result import Result
from ....core.results import printable
from ....core.results_folder import final_folder
from .assembly import page
from .data import report_data
from .thumbnails import thumbnails
from .video import media_if_there, playable

FILE = "report.html"


@dataclass(frozen=True)
class ReportConfig:
    """Parameters of the `report` writer.

    Attributes:
        title: Heading of the page; the name of the video if not given.
        thumbnails: Side in pixels of the picture of each face, from 16 to 512; 0 leaves them out,
            so that the video is not read.
    """

    title: str | None = None
    thumbnails: int = 96

    def __post_init__(self) -> None:
        if self.thumbnails and not 16 <= self.thumbnails <= 512:
            raise ValueError(f"thumbnails must be 0 or from 16 to 512, got {self.thumbnails}")


class ReportWriter:
    """Writes `report.html`: a page that needs nothing but a browser and the video.

    It shows the video with a box around each face, a lane for each person, and a table of turns.
    If the video is not there, or browsers cannot play it, it shows annotated.mp4, if that was
    written before it, else all the rest. Nothing is encoded, and few pictures are decoded: see
    `thumbnails`.
    """

    def __init__(self, config: ReportConfig) -> None:
        self._title = config.title
        self._side_px = config.thumbnails

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write the file; see `core.contracts.Writer`."""
        path = folder / FILE
        media = media_if_there(result)
        faces = {}
        if media is not None and self._side_px:
            faces = thumbnails(media, result.tracks, self._side_px)
        data = report_data(result, playable(result, media, final_folder(folder)), faces)
        title = printable(self._title or result.video.name)
        with whole(path) as aside, aside.open("w", encoding="utf-8", newline="\n") as file:
            file.write(page(title, data))
        return [path]


def build(config: ReportConfig, context: Context) -> ReportWriter:
    """Make the writer."""
    return ReportWriter(config)
