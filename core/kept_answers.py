"""Converts the outputs of networks to arrays for storage and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from .types import Detections, Float64, Int64, Scores

Item = tuple[Any, ...]


@dataclass
class Answer:
    """The output of one call as plain arrays; `items` are frames, clips, or one batch of faces."""

    kind: str
    key: str
    items: list[Item]


def _names(kind: type) -> tuple[str, ...]:
    return tuple(entry.name for entry in fields(kind))


FIELDS: dict[str, tuple[str, ...]] = {
    "detector": _names(Detections),
    "scorer": _names(Scores),
    "embedder": ("vectors",),
}
"""By kind of component: the names of the arrays in an item."""


def landmarks_array(faces: Detections) -> Float64:
    """The landmarks (n, 5, 2) of faces, for storage: nan where there are none."""
    if faces.landmarks is None:
        return np.full((len(faces), 5, 2), np.nan)
    return faces.landmarks


def _ids_array(faces: Detections) -> Int64:
    """The ids (n,) of faces, for storage: -1 where there are none."""
    return np.full(len(faces), -1) if faces.ids is None else faces.ids


def detections(
    boxes: Float64,
    scores: Float64,
    landmarks: Float64 | None = None,
    ids: Int64 | None = None,
) -> Detections:
    """The faces whose landmarks and ids were stored as above; None stands for none."""
    none = landmarks is None or not len(landmarks) or bool(np.isnan(landmarks).all())
    nobody = ids is None or not len(ids) or int(ids[0]) < 0
    return Detections(boxes, scores, None if none else landmarks, None if nobody else ids)


def taken_apart(kind: str, answer: Any) -> list[Item] | None:
    """Convert an output to plain arrays; None if it is invalid, which the analysis reports."""
    if kind == "embedder":
        fits = isinstance(answer, np.ndarray) and answer.ndim == 2 and answer.dtype == np.float32
        return [(answer.copy(),)] if fits else None
    form = Detections if kind == "detector" else Scores
    if not isinstance(answer, list) or not all(isinstance(part, form) for part in answer):
        return None
    if kind == "detector":
        return [
            (part.boxes, part.scores, landmarks_array(part), _ids_array(part)) for part in answer
        ]
    return [(part.logits,) for part in answer]


def rebuilt(kind: str, items: list[Item]) -> Any:
    """The inverse of `taken_apart`."""
    if kind == "embedder":
        return items[0][0]
    form = detections if kind == "detector" else Scores
    return [form(*item) for item in items]


def packed(answers: Sequence[Answer]) -> dict[str, Any]:
    """Combine answers into a few large arrays."""
    arrays: dict[str, Any] = {}
    for kind, names in FIELDS.items():
        own = [answer for answer in answers if answer.kind == kind]
        items = [item for answer in own for item in answer.items]
        if not items:
            continue
        arrays[f"{kind}.keys"] = np.array([answer.key for answer in own])
        arrays[f"{kind}.items"] = np.array([len(answer.items) for answer in own])
        arrays[f"{kind}.rows"] = np.array([len(item[0]) for item in items])
        for place, name in enumerate(names):
            arrays[f"{kind}.{name}"] = np.concatenate([item[place] for item in items])
    return arrays


def unpacked(kind: str, arrays: Mapping[str, Any]) -> Iterator[tuple[str, list[Item]]]:
    """The inverse of `packed` for one kind: yields each key with its items."""
    if f"{kind}.keys" not in arrays:
        return
    ends = np.cumsum(arrays[f"{kind}.rows"])[:-1]
    # A file of an earlier version has no landmarks, or no ids: no detector gave any.
    nothing = [None] * len(arrays[f"{kind}.rows"])
    later = {name for name in ("landmarks", "ids") if f"{kind}.{name}" not in arrays}
    columns = [
        nothing if name in later else np.split(arrays[f"{kind}.{name}"], ends)
        for name in FIELDS[kind]
    ]
    items = list(zip(*columns, strict=True))
    begin = 0
    for key, count in zip(arrays[f"{kind}.keys"], arrays[f"{kind}.items"], strict=True):
        yield str(key), items[begin : begin + count]
        begin += count
