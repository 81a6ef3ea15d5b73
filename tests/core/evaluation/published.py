"""A small dataset in AVA's form, as videos and as crops, and AVA's rules in a few lines."""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from evaluating import FRAMES, lips
from scipy.io import wavfile
from synth import clicks, write_video

COLUMNS = (
    "video_id",
    "frame_timestamp",
    *(f"entity_box_{edge}" for edge in ("x1", "y1", "x2", "y2")),
    "label",
    "entity_id",
)
RATES = {"one": 25, "two": 30}
"""The frame rates of the videos; labels have theirs, in two decimals."""
BOXES = {"left": (4 / 96, 0.125, 44 / 96, 0.875), "right": (52 / 96, 0.125, 92 / 96, 0.875)}


def sound_of(video: str) -> np.ndarray:
    """The sound of a video, 3 s at 16 kHz."""
    return clicks(np.arange(0.1 + len(video) / 50, 3, 0.2), 3.0, 16_000)


def truth_rows() -> list[tuple]:
    """Two faces in each video, in no order; one label makes a face of its own."""
    found = []
    for video, fps in RATES.items():
        for number in range(FRAMES - 5):
            for side, box in BOXES.items():
                speaks = (side == "left") == (number < 40)
                label = "SPEAKING_AUDIBLE" if speaks else "NOT_SPEAKING"
                found.append((video, round(number / fps, 2), *box, label, f"{video}:{side}"))
        label = "SPEAKING_NOT_AUDIBLE"
        found.append((video, round(FRAMES / fps, 2), *BOXES["left"], label, f"{video}:once"))
    return [found[k] for k in np.random.default_rng(5).permutation(len(found))]


def make_published(folder: Path) -> Path:
    """Write truth.csv, videos/ and crops/."""
    (folder / "videos").mkdir(parents=True)
    rows = truth_rows()
    with (folder / "truth.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    for video, fps in RATES.items():
        sounds = [(0, sound_of(video))]
        path = folder / "videos" / f"{video}.mkv"
        write_video(
            path, fps=Fraction(fps), frames=FRAMES, image=lips, sounds=sounds, sound_rate=16_000
        )
    for entity in sorted({row[-1] for row in rows}):
        own = sorted(row for row in rows if row[-1] == entity)
        video, fps = own[0][0], RATES[own[0][0]]
        pictures = folder / "crops/clips_videos" / video / entity
        sounds = folder / "crops/clips_audios" / video
        pictures.mkdir(parents=True)
        sounds.mkdir(parents=True, exist_ok=True)
        for _, time_s, x1, y1, x2, y2, *_ in own:
            image = lips(round(time_s * fps), 96, 64)[..., ::-1]
            crop = image[int(y1 * 64) : int(y2 * 64), int(x1 * 96) : int(x2 * 96)]
            cv2.imwrite(str(pictures / f"{time_s:.2f}.jpg"), crop)
        first, last = (int(own[k][1] * 16_000) for k in (0, -1))
        wavfile.write(sounds / f"{entity}.wav", 16_000, sound_of(video)[first : last or 1])
    return folder


def by_the_rules(truth: Path, predictions: Path) -> float:
    """Average precision by the rules of AVA's script, with equal scores in the worst order.

    Raises:
        AssertionError: The script would refuse the predictions.
    """
    with truth.open(newline="") as file:
        labels = list(csv.DictReader(file))
    with predictions.open(newline="") as file:
        said = list(csv.DictReader(file))

    def keys(rows: list[dict[str, str]]) -> list[str]:
        return [f"{float(row['frame_timestamp'])}:{row['entity_id']}" for row in rows]

    assert len(labels) == len(said)
    assert len(set(keys(labels))) == len(labels)
    assert {row["label"] for row in said} == {"SPEAKING_AUDIBLE"}
    joined = dict(zip(keys(said), said, strict=True))
    ranked = []
    for key, row in zip(keys(labels), labels, strict=True):
        other = joined.pop(key)
        for column in COLUMNS[2:6]:
            assert abs(float(row[column]) - float(other[column])) <= 1e-9
        ranked.append((-float(other["score"]), row["label"] == "SPEAKING_AUDIBLE"))
    assert not joined
    ranked.sort()
    right, precision, recall = 0, [], []
    positives = sum(speaks for _, speaks in ranked)
    for place, (_, speaks) in enumerate(ranked, start=1):
        right += speaks
        precision.append(right / place)
        recall.append(right / positives)
    total, before = 0.0, 0.0
    for place in range(len(ranked)):
        total += (recall[place] - before) * max(precision[place:])
        before = recall[place]
    return total
