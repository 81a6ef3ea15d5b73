"""Judges an int8 bundle by its decisions and its ranking on real faces, against PyTorch's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ..core.component import Component, Context
from ..core.config.chosen import Chosen
from ..core.config.compose import compose_run
from ..core.config.plan import make_plan
from ..core.contracts import Scorer
from ..core.decisions.segments import SegmentsConfig
from ..core.errors import ExportError, InputError
from ..core.pipeline import execute
from ..core.types import Clip, Float32, Scores

LEAST_DECISIONS = 0.95
"""Least fraction of frames with the same decision as PyTorch's scores."""
LEAST_RANKING = 0.95
"""Least rank correlation with PyTorch's scores."""


@dataclass
class Recorder:
    """Wraps a scorer, and records its inputs and outputs."""

    scorer: Scorer
    clips: list[Clip] = field(default_factory=list)
    answers: list[Scores] = field(default_factory=list)

    def score(self, clips: Sequence[Clip]) -> list[Scores]:
        """Score clips by the wrapped scorer."""
        found = self.scorer.score(clips)
        self.clips += clips
        self.answers += found
        return found


@dataclass(frozen=True)
class Agreement:
    """How far two scorers agree on the same clips.

    Attributes:
        frames: Number of frames of faces.
        speaking: Fraction of frames that PyTorch decides as speaking, from 0 to 1; near 0 or 1,
            equal decisions mean little.
        decisions: Fraction of frames with equal decisions, from 0 to 1.
        ranking: Spearman's rank correlation of the scores, from -1 to 1.
        largest_difference: Largest absolute difference of the scores.
    """

    frames: int
    speaking: float
    decisions: float
    ranking: float
    largest_difference: float

    def __str__(self) -> str:
        return (
            f"{self.frames} frames of faces, of which PyTorch calls {100 * self.speaking:.1f} % "
            f"speaking: {100 * self.decisions:.1f} % of the decisions as by PyTorch (at least "
            f"{100 * LEAST_DECISIONS:.0f} %), rank correlation "
            f"{self.ranking:.3f} (at least {LEAST_RANKING}), scores differ by up to "
            f"{self.largest_difference:.2f}"
        )


def record(scorer: Chosen, video: str | None, threads: int | None) -> Recorder:
    """Detect and score the faces of a video, and record the scorer's inputs and outputs.

    Args:
        scorer: The scorer to record.
        video: The file; None for the generated demo clip.
        threads: CPU threads a library may use.

    Raises:
        InputError: The video cannot be read, or has no face track.
    """
    recorder = Recorder(scorer.build(Context("cpu", threads)))
    stand_in = Component("scorer", "recorder", type(scorer.config), lambda _, __: recorder)
    overrides = ["detector=mtcnn", "writers=[]", "device=cpu"]
    with TemporaryDirectory() as folder:
        if video is None:
            from ..core.demo.clip import make_clip

            video = str(Path(folder, "clip.mp4"))
            make_clip(Path(video))
        plan = make_plan(compose_run(overrides, video))
        chosen: dict[str, Any] = {**plan.chosen, "scorer": Chosen(stand_in, scorer.config)}
        try:
            execute(replace(plan, chosen=chosen))
        except InputError as error:
            raise InputError(error.what, "Choose another video: calibration=FILE") from error
    if not recorder.clips:
        raise InputError(
            f"{video} shows no face to calibrate by",
            "Choose a video of people who talk, or leave calibration out",
        )
    return recorder


def measure_agreement(recorder: Recorder, scorer: Scorer) -> Agreement:
    """Compare a scorer with the recorded scores.

    Raises:
        ExportError: The agreement is too low.
    """
    from scipy.stats import spearmanr

    expected = _joined([scores.logits for scores in recorder.answers])
    found = _joined([scores.logits for scores in scorer.score(recorder.clips)])
    on = SegmentsConfig().on
    speaking = Scores(expected).probability >= on
    agreement = Agreement(
        frames=len(expected),
        speaking=float(np.mean(speaking)),
        decisions=float(np.mean((Scores(found).probability >= on) == speaking)),
        ranking=float(spearmanr(found[:, 1], expected[:, 1]).statistic),
        largest_difference=float(np.abs(found[:, 1] - expected[:, 1]).max()),
    )
    if not (agreement.decisions >= LEAST_DECISIONS and agreement.ranking >= LEAST_RANKING):
        raise ExportError(
            str(agreement),
            "Calibrate with a video more like those to come: calibration=FILE; or choose "
            "precision=fp32",
        )
    return agreement


def _joined(logits: Sequence[Float32]) -> Float32:
    return np.concatenate(logits)
