"""Checks arrays that components exchange: dtype, shape, finite values, boxes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_array(what: str, value: Any, dtype: Any, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """Convert `value` to an array of `dtype` and check its shape; `None` stands for any length.

    Raises:
        ValueError: The array has another shape.
    """
    array = np.asarray(value, dtype)
    fits = array.ndim == len(shape) and all(
        want is None or want == got for want, got in zip(shape, array.shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("_" if size is None else str(size) for size in shape)
        raise ValueError(f"{what} must have shape ({wanted}), but got shape {array.shape}")
    return array


def checked_boxes(what: str, value: Any) -> NDArray[np.float64]:
    """Convert `value` to boxes (n, 4) float64, and check them.

    Raises:
        ValueError: The array has another shape, or a box is not finite, or x1 > x2 or y1 > y2.
    """
    boxes: NDArray[np.float64] = as_array(what, value, np.float64, (None, 4))
    fine = np.isfinite(boxes).all(1) & (boxes[:, :2] <= boxes[:, 2:]).all(1)
    if not fine.all():
        wrong = boxes[~fine][0].tolist()
        raise ValueError(f"{what} must be finite x1, y1, x2, y2 in order, but one is {wrong}")
    return boxes


def checked_landmarks(what: str, value: Any, faces: int) -> NDArray[np.float64]:
    """Convert `value` to landmarks (faces, 5, 2) float64, and check them.

    Raises:
        ValueError: The array has another shape, or a place is not finite.
    """
    points: NDArray[np.float64] = as_array(what, value, np.float64, (faces, 5, 2))
    fine = np.isfinite(points).all((1, 2))
    if not fine.all():
        raise ValueError(f"{what} must be finite x, y, but are {points[~fine][0].tolist()}")
    return points


def within(
    spans: Iterable[tuple[float, float]], first: int, count: int, per_s: int
) -> NDArray[np.bool_]:
    """Which frames lie in spans of time: (count,) bool.

    Args:
        spans: (start_s, end_s) in seconds, ends excluded.
        first: The first frame.
        count: How many frames there are.
        per_s: Frames per second.
    """
    found = np.zeros(count, np.bool_)
    for start_s, end_s in spans:
        start, end = (round(time_s * per_s) - first for time_s in (start_s, end_s))
        found[max(start, 0) : max(end, 0)] = True
    return found


def probability(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """The softmax of (n, 2) logits, class 1: (n,) float32 from 0 to 1."""
    return chance(logits).astype(np.float32)


def chance(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """The same in float64, which tells apart probabilities that are 1 in float32.

    They are 1 where the log odds are above 36.7, instead of 17.3.
    """
    difference = logits[:, 0].astype(np.float64) - logits[:, 1]
    found: NDArray[np.float64] = 1.0 / (1.0 + np.exp(np.clip(difference, -700, 700)))
    return found


def log_odds(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """The log odds of speaking, (n,), from (n, 2) logits."""
    odds: NDArray[np.float64] = np.subtract(logits[:, 1], logits[:, 0], dtype=np.float64)
    return odds
