"""Collects the moments at which an evaluation is most wrong, and writes them as a page."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..labels import Judged, LabelledVideo
from ..result import Result
from .gallery_page import Card, page
from .moment_pictures import shown_of
from .moments import Moment, moments_of

GALLERY_FILE = "gallery.html"
_AROUND_S = 2.0
"""How much more than the moment the command shows on either side."""


class Gallery:
    """The worst moments of the videos evaluated so far.

    Args:
        most: How many false alarms, and how many misses, to keep.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._moments: list[Moment] = []
        self._videos: dict[str, tuple[LabelledVideo, Result]] = {}

    def add(self, video: LabelledVideo, rows: Judged | None, result: Result) -> None:
        """Add a video, if it has labels of faces."""
        if not self._most or rows is None or not len(rows):
            return
        self._moments += moments_of(video.name, rows, result.tracks, self._most)
        self._videos[video.name] = (video, replace(result, tracks=()))
        self._moments = [*self._worst(missed=False), *self._worst(missed=True)]

    def write(self, path: Path, title: str) -> None:
        """Write the page.

        Args:
            path: The file.
            title: What was evaluated, in words.

        Raises:
            InputError: A video cannot be read any more.
            OutputError: The file cannot be written.
        """
        cards = []
        for moment in self._moments:
            video, result = self._videos[moment.video]
            command = "" if video.path is None else _command(moment, result.settings, video.path)
            cards.append(Card(moment, shown_of(moment, video, result), command))
        path.write_text(page(title, cards), encoding="utf-8", newline="\n")

    def _worst(self, *, missed: bool) -> list[Moment]:
        own = [moment for moment in self._moments if moment.missed == missed]
        return sorted(own, key=lambda moment: -moment.wrong)[: self._most]


def _command(moment: Moment, settings: Mapping[str, Any], path: Path) -> str:
    """The command line that shows the place again."""
    words = ["asd", "run", str(path)]
    for kind in ("detector", "scorer"):
        words.append(f"{kind}={settings[kind]['name']}")
    start_s = max(min(moment.start_s, moment.from_s) - _AROUND_S, 0.0)
    end_s = moment.end_s + _AROUND_S
    words += [f"start_s={start_s:.2f}", f"end_s={end_s:.2f}", "writers=[report]"]
    return shlex.join(words)
