"""Overlap of boxes, and greedy matching."""

from __future__ import annotations

import numpy as np

from .types import Float64


def iou(a: Float64, b: Float64) -> Float64:
    """Intersection over union of boxes (n, 4) and (m, 4): (n, m), from 0 to 1."""
    a = a[:, None]
    corner = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = np.maximum(corner, 0).prod(-1)
    union = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - shared
    overlap: Float64 = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return overlap


def pairs(closeness: Float64, least: float) -> list[tuple[int, int]]:
    """Match rows with columns greedily, closest first, each at most once; ties in index order.

    Args:
        closeness: (n, m); pairs with nan are never matched.
        least: Least closeness of a pair.

    Returns:
        (row, column) of each pair.
    """
    found: list[tuple[int, int]] = []
    rows, columns = np.nonzero(closeness >= least)
    closest_first = np.argsort(-closeness[rows, columns], kind="stable")
    taken_rows, taken_columns = set(), set()
    for row, column in zip(rows[closest_first], columns[closest_first], strict=True):
        if row not in taken_rows and column not in taken_columns:
            taken_rows.add(row)
            taken_columns.add(column)
            found.append((int(row), int(column)))
    return found
