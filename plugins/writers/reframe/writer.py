"""Writes a video in another shape, with a crop that follows who speaks, and its path as JSON."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from ....core.component import Component, Context
from ....core.files import whole
from ....core.media.encode import Mp4Writer
from ....core.media.placing import placed
from ....core.result import Result
from ....core.types import GRID_FPS
from ..source import Footage, footage
from .config import ReframeConfig
from .document import json_lines
from .paths import Take
from .planning import largest_crop, planned
from .rendering import Renderer

JSON_FILE = "reframe.json"
VIDEO_FILE = "reframe.mp4"


class ReframeWriter:
    """Writes `reframe.json` and `reframe.mp4`.

    The crop path is planned on the 25 fps grid (see `planning`); the video has the source's own
    pictures and their times, the crop interpolated between grid frames, its sound, and square
    pixels. A cut falls on the picture with which the shot begins.
    """

    def __init__(self, config: ReframeConfig, threads: int | None) -> None:
        self._config = config
        self._threads = threads

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write the files; see `core.contracts.Writer`."""
        config = self._config
        takes = planned(result, config)
        path, video = folder / JSON_FILE, folder / VIDEO_FILE
        with whole(path) as aside, aside.open("w", encoding="utf-8", newline="\n") as file:
            rendered = VIDEO_FILE if config.render else None
            file.writelines(json_lines(result.video, config, takes, rendered))
        if not config.render:
            return [path]
        with whole(video) as aside, footage(result, self._threads) as source:
            self._render(takes, result, source, aside)
        return [path, video]

    def _render(self, takes: list[Take], result: Result, source: Footage, path: Path) -> None:
        config = self._config
        renderer = Renderer(
            takes,
            config.size,
            largest_crop(result.video, config),
            blurred=config.empty == "blur",
        )
        cuts = {first for first, _ in result.shots}
        encoder = Mp4Writer(
            path,
            Fraction(source.media.info.fps),
            ticks_per_s=source.ticks_per_s,
            crf=config.crf,
            look=replace(source.look, pixel_aspect=Fraction(1)),
            sound=source.sound(),
            threads=source.threads,
        )
        with encoder:
            for frames, (begin, end, stored) in placed(source, cuts, source.media.early_s):
                upright = source.upright(stored)
                picture = renderer.drawn(upright, frames, float(begin * GRID_FPS))
                encoder.add_coded(picture, begin - source.zero, end - source.zero)


def build(config: ReframeConfig, context: Context) -> ReframeWriter:
    """Make the writer."""
    return ReframeWriter(config, context.threads)


REFRAME = Component(
    "writer",
    "reframe",
    ReframeConfig,
    build,
    files=(JSON_FILE, VIDEO_FILE),
    needs_video=True,
    about="a crop that follows the speaker, in 9:16 or any shape",
)
