"""Average precision on clips with truth: `python -m benchmarks.clips FOLDER [OPTION=VALUE ...]`.

FOLDER holds NAME.mp4 beside NAME.json with `regions` {name: [x1, y1, x2, y2]} and `speaking`
{name: [0 or 1 per 25 fps frame]}. A track belongs to the region that holds its centre. Runs with
experiment=offline unless told otherwise.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import asdkit

from .machine import describe


def average_precision(scores: np.ndarray, truth: np.ndarray) -> float:
    """Area under the steps of precision over recall, highest score first.

    Args:
        scores: (n,) float.
        truth: (n,) bool, at least one of them true.

    Returns:
        From 0 to 1; equal scores count as one step.
    """
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order])
    last_of_equals = np.append(np.diff(scores[order]) != 0, True)
    ranks = np.flatnonzero(last_of_equals)
    precision, recall = hits[ranks] / (ranks + 1), hits[ranks] / hits[-1]
    return float(np.sum(np.diff(recall, prepend=0) * precision))


def judged(
    result: asdkit.Result,
    truth: dict[str, Any],
    values: Callable[[asdkit.Track], np.ndarray] = lambda track: track.scores,
) -> tuple[np.ndarray, np.ndarray]:
    """Scores (n,), or other values, and truth (n,) of all frames of all tracks."""
    scores, spoken = [], []
    for track in result.tracks:
        x, y = ((track.boxes[:, :2] + track.boxes[:, 2:]) / 2).mean(0)
        # Regions of different shots may overlap; a region is silent in a shot that is not its own.
        here = [
            truth["speaking"][name]
            for name, (x1, y1, x2, y2) in truth["regions"].items()
            if x1 <= x < x2 and y1 <= y < y2
        ]
        labels = np.any(here, axis=0)[track.frames.start : track.frames.stop]
        scores.append(values(track)[: len(labels)])
        spoken.append(labels)
    return np.concatenate(scores), np.concatenate(spoken)


def main(words: list[str]) -> None:
    """Run on every clip of the folder and print the table."""
    if not words:
        sys.exit("python -m benchmarks.clips FOLDER [OPTION=VALUE ...]")
    folder, overrides = Path(words[0]), words[1:] or ["experiment=offline"]
    print(describe())
    print(" ".join(overrides))
    print(f"{'clip':<20} {'shots':>6} {'tracks':>7} {'frames':>7} {'AP':>7}")
    scores, truths = [], []
    for path in sorted(folder.glob("*.json")):
        video = path.with_suffix(".mp4")
        result = asdkit.run(video, [*overrides, "writers=[]"])
        found, truth = judged(result, json.loads(path.read_text()))
        ap = average_precision(found, truth)
        shots, tracks = len(result.shots), len(result.tracks)
        print(f"{video.name:<20} {shots:>6} {tracks:>7} {len(found):>7} {ap:7.4f}")
        scores.append(found)
        truths.append(truth)
    pooled = average_precision(np.concatenate(scores), np.concatenate(truths))
    print(f"{'pooled':<20} {'':>6} {'':>7} {sum(map(len, scores)):>7} {pooled:7.4f}")


if __name__ == "__main__":
    main(sys.argv[1:])
