"""How well each value of `decisions` decides who speaks, without and with `context=others`.

python -m benchmarks.decisions FOLDER [OPTION=VALUE ...]

FOLDER holds labelled videos, as `asd evaluate dataset.folder=FOLDER` reads them. Each is analysed
once. If the JSON beside a video has "off_screen", 0 or 1 for each frame, speech that was decided to
be off screen is held against it, where no face speaks; without it nobody speaks off screen.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from asdkit.core.concluding import concluded
from asdkit.core.config.compose import compose_run
from asdkit.core.config.plan import make_plan
from asdkit.core.decisions.segments import mask
from asdkit.core.decisions.turns import DECISIONS
from asdkit.core.labels import LabelledVideo
from asdkit.core.models import Models
from asdkit.core.progress import Stopwatch
from asdkit.core.result import Result, VideoInfo
from asdkit.core.types import Int64
from asdkit.core.viewing import Seen, analysed, media_of
from asdkit.plugins.datasets.dialogue import Dialogue

PARTS = ["detector=yunet", "scorer=lr_asd", "vad=silero", "writers=[]"]
CONTEXTS = ("none", "others")


@dataclass(frozen=True)
class Sight:
    """A labelled video, analysed."""

    video: LabelledVideo
    info: VideoInfo
    seen: Seen


def looked_at(folder: Path, words: Sequence[str]) -> list[Sight]:
    """All videos of a folder, analysed."""
    sights = []
    models = None
    for video in Dialogue(folder).videos():
        plan = make_plan(compose_run([*PARTS, *words], str(video.path)))
        models = models or Models(plan)
        media = media_of(plan.options)
        seen = analysed(media, plan.options, models.parts(), Stopwatch())
        sights.append(Sight(video, media.info, seen))
    return sights


def counted(sight: Sight, result: Result) -> Int64:
    """Of the labelled faces, frame by frame: true and false positives, false and true negatives.

    Then frames in which somebody unseen is said to speak: rightly, wrongly, wrongly not.
    """
    assert sight.video.judge is not None
    assert sight.video.path is not None
    judged = sight.video.judge(result)
    faces = [
        np.count_nonzero((judged.decided == said) & (judged.truth == truth))
        for said, truth in ((True, True), (True, False), (False, True), (False, False))
    ]
    truth = json.loads(sight.video.path.with_suffix(".json").read_text())
    frames = truth["shots"][-1][1]
    unseen = np.array(truth.get("off_screen", [0] * frames), np.bool_)
    unseen &= ~np.any(list(truth["speaking"].values()), axis=0)
    said = mask(result.off_screen or (), 0, frames)
    off = [np.count_nonzero(found) for found in (said & unseen, said & ~unseen, ~said & unseen)]
    return np.array([*faces, *off], np.int64)


def told(counts: Int64) -> str:
    """The figures of some counts, in a line."""
    hit, false, missed, right = counts[:4].tolist()
    off, false_off, missed_off = (counts[4:] / 25).tolist()
    return (
        f"accuracy {(hit + right) / max(hit + false + missed + right, 1):.3f}, "
        f"F1 {2 * hit / max(2 * hit + false + missed, 1):.3f}; off screen: "
        f"{off:.1f} s found, {missed_off:.1f} s missed, {false_off:.1f} s false"
    )


def main(words: Sequence[str]) -> None:
    """Print a line for each combination."""
    folder, *options = words
    sights = looked_at(Path(folder), options)
    for context, decisions in product(CONTEXTS, DECISIONS):
        own = [f"context={context}", f"decisions={decisions}"]
        counts = np.zeros(7, np.int64)
        for sight in sights:
            plan = make_plan(compose_run([*PARTS, *options, *own], str(sight.video.path)))
            part = Models(plan).part("context")
            counts += counted(sight, concluded(sight.info, plan, sight.seen, {}, part))
        print(f"{' '.join(own)}: {told(counts)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
