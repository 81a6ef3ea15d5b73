"""Makes results of what a live session has decided."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..notes import Notes
from ..result import Result, VideoInfo
from ..types import GRID_FPS
from .arrivals import Input
from .plan import LivePlan
from .stretches import Stretch


class LiveResults:
    """Makes a result of each stretch of a session, as a run of that part of a video would.

    Args:
        plan: The plan of the session.
        name: What the session is called.
        notes: What was chosen or left out of the stream.

    Attributes:
        source: What is looked at and listened to; to be set before there is a stretch, as all here.
        size: Width and height of the newest picture, in stored pixels.
        provenance: As in `core.result.Result`.
        distance: By which faces are told apart; None without an embedder.
    """

    source: Input
    size: tuple[int, int]

    def __init__(self, plan: LivePlan, name: str, notes: Notes) -> None:
        self._plan, self._name, self._notes = plan, name, notes
        self.provenance: Mapping[str, Any] = {}
        self.distance: float | None = None

    def of(self, stretch: Stretch) -> Result:
        """The result of a stretch. Its times, its frames and its tracks' numbers are the session's.

        What took how long is not told: `core.live.status` tells that of the session.
        """
        plan, source = self._plan, self.source
        start_s, end_s = stretch.first / GRID_FPS, stretch.end / GRID_FPS
        path = Path(plan.options.source)
        if not os.path.isfile(path):  # noqa: PTH113 - False for any name
            path = Path(source.name)
        width, height = self.size
        calibration = plan.chosen["scorer"].calibration
        return Result(
            video=VideoInfo(
                path=path,
                duration_s=end_s,
                width=width,
                height=height,
                fps=source.fps,
                has_sound=source.has_sound,
                pixel_aspect=source.pixel_aspect,
                notes=tuple(self._notes),
                name=self._name,
            ),
            shots=stretch.shots,
            tracks=stretch.tracks,
            settings={
                **plan.settings,
                "identity_distance": self.distance,
                "start_s": start_s,
                "end_s": end_s,
            },
            timings_s={},
            speech=stretch.speech,
            off_screen=stretch.off_screen,
            heard=stretch.heard,
            calibration=None if calibration is None else calibration.scaling,
            sound_path=path if source.has_sound else None,
            provenance=self.provenance,
        )
