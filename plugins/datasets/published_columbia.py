"""The published evaluation on Columbia, by the rules of evaluate_col_ASD.

That function is the same in demoTalkNet.py of TalkNet-ASD and in Columbia_test.py of Light-ASD and
LR-ASD. What stands before it, how faces are found and tracked, is that of the configuration.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from ...core.labels import Judged
from ...core.matching import Label
from ...core.result import Result
from ...core.types import GRID_FPS, Float64, Track

LEFT_OUT = "abbas"
"""The person whom the published evaluation does not report."""
_LEAST_SHARE = 0.5
_BEFORE, _AFTER = 2, 3


def judge_by_script(labels: Sequence[Label], scale: float, result: Result) -> Judged:
    """Hold a result against Columbia's labels as the published script does.

    A label at frame f counts at the frame `int(f / label_fps * 25)` of the 25 fps grid, so that one
    grid frame may have several labels of a person, each a row; labels after the video's end are
    left out, and so is `LEFT_OUT`. A label gets the face more than half of whose box lies in the
    labelled square, of several the one with the largest such share, then with the higher score; two
    labels may get one face. The face speaks if its smoothed score is above 0, see
    `smoothed_scores`. A label without a face is decided as not speaking.

    Args:
        labels: The labels, with boxes in pixels of the video.
        scale: Pixels of the video for each pixel of the labels; boxes are compared in the labels'
            pixels, rounded as in the script.
        result: The result.
    """
    by_frame: dict[int, list[tuple[Track, int, float]]] = defaultdict(list)
    for track in result.tracks:
        for place, score in enumerate(smoothed_scores(track.scores.astype(np.float64)).tolist()):
            by_frame[track.first_frame + place].append((track, place, score))
    frames = round(result.video.duration_s * GRID_FPS)
    judged = [
        label
        for label in labels
        if label.person != LEFT_OUT and int(label.time_s * GRID_FPS) < frames
    ]
    n = len(judged)
    logits = np.tile(np.array([0, -np.inf], np.float32), (n, 1))
    ranked = np.full(n, -np.inf)
    used = set()
    for row, label in enumerate(judged):
        best: tuple[float, float] | None = None
        for track, place, score in by_frame.get(int(label.time_s * GRID_FPS), ()):
            share = _share(track.smoothed[place], label.box / scale, scale)
            if share > _LEAST_SHARE and (best is None or (share, score) > best):
                best = share, score
                logits[row], ranked[row] = track.logits[place], score
                chosen = track.id, place
        if best is not None:
            used.add(chosen)
    boxes = np.array([label.box for label in judged]).reshape(n, 4)
    times = np.array([label.time_s for label in judged], np.float64)
    _, moment, count = np.unique(times, return_inverse=True, return_counts=True)
    return Judged(
        person=np.array([label.person for label in judged], np.str_),
        time_s=times,
        truth=np.array([label.speaks for label in judged], np.bool_),
        logits=logits,
        decided=ranked > 0,
        found=ranked > -np.inf,
        face_px=(boxes[:, 2:] - boxes[:, :2]).max(1, initial=-np.inf),
        on_screen=count[moment],
        unlabelled=sum(map(len, result.tracks)) - len(used),
        ranked_by=ranked,
    )


def smoothed_scores(scores: Float64) -> Float64:
    """The scores of a track as the script smooths them before it compares them with 0.

    Scores are rounded to one decimal. The last frame has none in the script, whose features end
    early. Each frame gets the mean of those from two frames before it to two after it, but never
    with the last score, and this is rounded to two decimals; where nothing is left it is 0.

    Args:
        scores: (n,) the class-1 logit of each frame.

    Returns:
        (n,) float64.
    """
    rounded = np.round(scores, 1)[:-1]
    smoothed = np.zeros(len(scores))
    for frame in range(len(scores)):
        around = rounded[max(frame - _BEFORE, 0) : max(min(frame + _AFTER, len(rounded) - 1), 0)]
        if len(around):
            smoothed[frame] = round(float(np.mean(around)), 2)
    return smoothed


def _share(place: Float64, label: Float64, scale: float) -> float:
    """How much of a face's box lies in a labelled square, 0 to 1.

    Args:
        place: (3,) centre x and y and half size of the face, in pixels of the video.
        label: (4,) the square, in the labels' pixels.
        scale: Pixels of the video for each pixel of the labels.
    """
    x, y, half = place
    box = np.trunc([x - half, y - half, x + half, y + half]) // scale
    sides = np.maximum(np.minimum(box[2:], label[2:]) - np.maximum(box[:2], label[:2]), 0)
    area = float(np.prod(box[2:] - box[:2]))
    return float(np.prod(sides)) / area if area else 0.0
