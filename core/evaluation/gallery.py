"""Collects the moments at which an evaluation is most wrong, and writes them as a page."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from omegaconf import OmegaConf

from ..component import RUN_KINDS
from ..config.compose import compose_run
from ..config.plan import ONE_RUN
from ..config.words import words_of
from ..labels import Judged, LabelledVideo
from ..registry import registry
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
        same: list[str] | None = None
        for moment in self._moments:
            video, result = self._videos[moment.video]
            command = ""
            if video.path is not None:
                same = _asked(result.settings) if same is None else same
                command = _command(moment, same, video.path)
            cards.append(Card(moment, shown_of(moment, video, result), command))
        path.write_text(page(title, cards), encoding="utf-8", newline="\n")

    def _worst(self, *, missed: bool) -> list[Moment]:
        own = [moment for moment in self._moments if moment.missed == missed]
        return sorted(own, key=lambda moment: -moment.wrong)[: self._most]


def _asked(settings: Mapping[str, Any]) -> list[str]:
    """The options of a run that are not the usual ones, as words for the command line."""
    parts = {kind: _chosen(kind, settings[kind]) for kind in RUN_KINDS}
    # What has to be set is "???" in these.
    usual, alike = (
        cast("dict[str, Any]", OmegaConf.to_container(compose_run(words, "-"), resolve=True))
        for words in ([], words_of(parts))
    )
    asked: dict[str, Any] = {}
    for key, value in settings.items():
        if key in (*ONE_RUN, "video", "writers"):
            continue
        if not isinstance(value, Mapping):
            own = {} if value == alike[key] else {key: value}
        else:
            changed = {name: one for name, one in value.items() if one != alike[key].get(name)}
            if key in RUN_KINDS:
                first = parts[key] if parts[key] != _chosen(key, usual[key]) else {}
                changed = {**first, **changed}
            own = {key: changed} if changed else {}
        asked |= own
    return words_of(asked)


def _chosen(kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The name of a component and the value of its main parameter, on which others depend."""
    main = registry().find(kind, settings["name"]).variant
    return {key: settings[key] for key in ("name", main) if key in settings}


def _command(moment: Moment, asked: Sequence[str], path: Path) -> str:
    """The command line that shows the place again."""
    start_s = max(min(moment.start_s, moment.from_s) - _AROUND_S, 0.0)
    end_s = moment.end_s + _AROUND_S
    times = (f"start_s={start_s:.2f}", f"end_s={end_s:.2f}")
    return shlex.join(["asd", "run", str(path), *asked, *times, "writers=[report]"])
