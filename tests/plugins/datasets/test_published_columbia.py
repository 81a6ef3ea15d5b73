"""Columbia by the rules of its published script, worked out a second time from its words."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from by_hand import result, track
from judging import make
from synth import write_video

from asdkit.core.evaluation.rows import evaluate_rows
from asdkit.plugins.datasets.published_columbia import smoothed_scores


def face(number: int, first: int, places: np.ndarray, scores: np.ndarray):
    """A track whose smoothed centre and half size are these (n, 3)."""
    x, y, half = places.T
    made = track(number, first, np.stack([x - half, y - half, x + half, y + half], 1), scores)
    return dataclasses.replace(made, smoothed=places)


def by_the_script(labels, tracks, frames: int, fps: float) -> dict[str, float]:
    """F1 of each person, frame by frame in plain Python, for a picture twice the labels' size."""
    truth: dict[int, list] = {}
    for person, lines in labels.items():
        for number, x, y, side, speaks in lines:
            truth.setdefault(int(number / fps * 25), []).append(
                (person, (x, y, x + side, y + side), speaks)
            )
    counts = {person: [0, 0, 0] for person in labels}
    for frame in range(frames):
        for person, (left, top, right, bottom), speaks in truth.get(frame, []):
            found = []
            for first, places, scores in tracks:
                at = frame - first
                if not 0 <= at < len(places):
                    continue
                kept = [round(float(score), 1) for score in scores[:-1]]
                near = kept[max(at - 2, 0) : min(at + 3, len(kept) - 1)]
                x, y, half = places[at]
                box = [int(e) // 2 for e in (x - half, y - half, x + half, y + half)]
                wide = max(0, min(box[2], right) - max(box[0], left))
                high = max(0, min(box[3], bottom) - max(box[1], top))
                share = wide * high / ((box[2] - box[0]) * (box[3] - box[1]))
                if share > 0.5:
                    found.append((share, round(sum(near) / len(near), 2) if near else math.nan))
            said = bool(found) and max(found)[1] > 0
            counts[person][0] += said and speaks
            counts[person][1] += said and not speaks
            counts[person][2] += bool(speaks) and not said
    return {name: 2 * tp / max(2 * tp + fp + fn, 1) for name, (tp, fp, fn) in counts.items()}


@pytest.mark.parametrize("seed", range(3))
def test_f1_is_that_of_the_published_script(tmp_path, seed):
    """Labels at 29.97 fps of two people and of one who is not reported, some after the end."""
    random = np.random.default_rng(seed)
    write_video(tmp_path / "panel.mkv", frames=40)
    folder = tmp_path / "labels"
    folder.mkdir()
    labels = {}
    for person, x in (("bell", 10), ("sick", 30), ("abbas", 20)):
        labels[person] = [
            (number, x + number // 10, 10, 14, int(random.random() < 0.6)) for number in range(60)
        ]
        text = "".join("\t".join(map(str, line)) + "\n" for line in labels[person][:48])
        (folder / f"{person}.txt").write_text(text)
        labels[person] = labels[person][:48]
    tracks = []
    for x, first, length in ((17, 0, 30), (18, 3, 37), (37, 2, 38), (38, 2, 3), (36.5, 20, 15)):
        places = np.stack(
            [
                2 * (x + random.normal(0, 2, length)),
                2 * (17 + random.normal(0, 1.5, length)),
                random.uniform(10, 15, length),
            ],
            1,
        )
        tracks.append((first, places, random.normal(0, 1, length).astype(np.float32)))
    dataset = make("columbia", labels=folder, video=tmp_path / "panel.mkv", scale=2.0)
    (video,) = dataset.videos()
    found = [face(k, first, *rest) for k, (first, *rest) in enumerate(tracks)]
    judged = video.published.judge(result(*found, duration_s=1.6))
    expected = by_the_script(labels, tracks, 40, 29.97)
    expected.pop("abbas")
    metrics = evaluate_rows(judged)
    assert {name: one["f1"] for name, one in metrics["per_person"].items()} == pytest.approx(
        expected, abs=1e-12
    )
    assert metrics["f1_per_person_mean"] == pytest.approx(sum(expected.values()) / 2, abs=1e-12)
    assert metrics["rows"] == 2 * 48
    assert 0 < metrics["missed"] < 96
    assert dataset.protocol == "columbia"
    longer = video.published.judge(result(*found, duration_s=1.2))
    assert len(longer) == 2 * sum(int(k / 29.97 * 25) < 30 for k in range(48))


def test_smoothing_by_hand():
    """The last score is dropped, and of the others the last one is never in a mean."""
    scores = np.array([1, 2, 3, 4, 5, 60, 700.0])
    expected = [2, 2.5, 3, 3.5, 4, 4.5, 5]
    assert smoothed_scores(scores).tolist() == expected
    assert smoothed_scores(np.array([0.04, -0.04, 9, 9])).tolist() == [0, 0, 0, 0]
    assert smoothed_scores(np.array([3.0])).tolist() == [0]


def test_a_label_without_a_face_is_not_speaking(tmp_path):
    write_video(tmp_path / "panel.mkv", frames=10)
    (tmp_path / "bell.txt").write_text("0\t10\t10\t20\t1\n3\t10\t10\t20\t1\n")
    (video,) = make("columbia", labels=tmp_path, video=tmp_path / "panel.mkv").videos()
    places = np.tile([20.0, 20.0, 5.0], (8, 1))
    judged = video.published.judge(result(face(0, 1, places, np.full(8, 2.0))))
    assert judged.decided.tolist() == [False, True]
    assert judged.found.tolist() == [False, True]
    assert judged.score.tolist() == [-np.inf, 2]
    assert judged.unlabelled == 7
