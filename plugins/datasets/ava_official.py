"""Joins predictions and ground truth by the rules of AVA-ActiveSpeaker's official script."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...core.ava_csv import SPEAKING_AUDIBLE, AvaRows, read_ava_predictions, read_ava_truth
from ...core.errors import InputError
from ...core.labels import Bool
from ...core.types import Float64

BOX_TOLERANCE = 1e-9
"""Largest difference between a predicted box's edge and the truth's, relative to the picture."""


def join_predictions(truth_csv: Path, predictions_csv: Path) -> tuple[Float64, Bool]:
    """Join predictions to ground truth, with the checks of the official script.

    Rows are identified by timestamp and entity, as in the official script: AVA's entities include
    the name of their video, so `video_id` is not used. If both files have the same number of rows,
    the script ignores rows that are missing in one of them; here they are errors, too.

    Args:
        truth_csv: Ground truth, with or without a header line.
        predictions_csv: A prediction for each of its rows, in any order, with a header line.

    Returns:
        (n,) float64 scores and (n,) bool, who speaks, for `core.evaluation.metrics`.

    Raises:
        InputError: A file cannot be read or has an invalid value (see `core.ava_csv`), the rows
            differ, a row occurs twice, a box differs by more than 1e-9, or nobody speaks.
    """
    truth = read_ava_truth(truth_csv)
    predicted, scores = read_ava_predictions(predictions_csv)
    if len(truth) != len(predicted):
        raise InputError(
            f"{predictions_csv} has {len(predicted)} rows, but {truth_csv} has {len(truth)}",
            "Predict each row of the truth once; a face that was not found scores -inf",
        )
    places = _places(truth_csv, truth)
    order = np.empty(len(truth), np.int64)
    for key, k in _places(predictions_csv, predicted).items():
        if key not in places:
            raise InputError(
                f"{predictions_csv}, line {predicted.line[k]} is about {key[1]} at {key[0]} s, "
                f"of which {truth_csv} says nothing",
                "Predict the faces and times of the truth, with its own names",
            )
        order[places[key]] = k
    apart = (np.abs(truth.boxes - predicted.boxes[order]) > BOX_TOLERANCE).any(axis=1)
    if apart.any():
        k = int(apart.argmax())
        raise InputError(
            f"{predictions_csv}, line {predicted.line[order[k]]} has the box "
            f"{predicted.boxes[order[k]].tolist()}, but line {truth.line[k]} of {truth_csv} has "
            f"{truth.boxes[k].tolist()}",
            f"Copy the boxes of the truth; sides may differ by {BOX_TOLERANCE:g} at most",
        )
    speaks = truth.label == SPEAKING_AUDIBLE
    if not speaks.any():
        raise InputError(
            f"{truth_csv} has no row with the label {SPEAKING_AUDIBLE}",
            "Average precision needs rows that speak",
        )
    return scores[order], speaks


def _places(path: Path, rows: AvaRows) -> dict[tuple[float, str], int]:
    """By timestamp and entity: the index of the row."""
    places: dict[tuple[float, str], int] = {}
    for k, key in enumerate(zip(rows.time_s.tolist(), rows.entity_id.tolist(), strict=True)):
        if places.setdefault(key, k) != k:
            raise InputError(
                f"{path}, line {rows.line[k]} is about {key[1]} at {key[0]} s, and so is line "
                f"{rows.line[places[key]]}",
                "Each face must have one row in each frame, and its own name in all videos",
            )
    return places
