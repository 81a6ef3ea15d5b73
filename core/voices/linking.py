"""Joins voices and faces to people: a global assignment by evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..types import Float64

ON_SCREEN = 1.0
"""Log odds that whoever is heard is one of those seen: e to 1."""
JOIN = 2.0
"""Evidence, in nats, from which on a voice joins a second track to the one it fits best."""
SPLIT = 3.0
"""What it costs, in nats, to suppose that a diarizer has split one voice in two: 1 to 20."""
_NO = -1e9
"""The value of a pair that must not be."""

Pair = tuple[int, int]
"""Numbers of a voice and of a face."""


@dataclass(frozen=True)
class Person:
    """Voices and faces of one person.

    Attributes:
        voices: Numbers of the voices.
        faces: Numbers of the faces.
    """

    voices: frozenset[int]
    faces: frozenset[int]


def least(seen: NDArray[np.bool_]) -> Float64:
    """The evidence that nobody seen speaks with a voice, which that for somebody has to reach.

    It is the prior: with odds of e**ON_SCREEN it is one of the f faces seen, each of them alike.

    Args:
        seen: (voices, faces) bool, whether a face is seen while a voice speaks.

    Returns:
        (voices, 1) float64, log(f) - ON_SCREEN in nats.
    """
    faces = np.maximum(seen.sum(1, keepdims=True), 1)
    return np.asarray(np.log(faces) - ON_SCREEN, np.float64)


def linked(
    evidence: Float64,
    seen: NDArray[np.bool_],
    scenes: Sequence[Sequence[int]],
    together: Callable[[int, int], bool],
    overlap: Callable[[int, int], bool],
) -> list[Person]:
    """Join voices and faces to people.

    In each scene the assignment is sought that maximises the sum of the evidence of its pairs,
    less `SPLIT` for each further voice of a face that has one already (the Hungarian method, with
    the columns of faces repeated at that cost). A voice is joined to a face by no less evidence
    than `least` says, or else it is nobody's. Faces left over, such as the rest of a track that
    broke, then join the voices they fit best, one to each voice at a time. Of the faces it has in
    all scenes a voice keeps that which it fits best, and others with evidence of `JOIN` or more,
    as shots often begin before the speaker of the last one has ended. Voices and faces that are
    joined are one person. Where that would make one person of two faces seen together, or of two
    voices heard together, the pair with the least evidence gives way, and its scene is assigned
    anew.

    Args:
        evidence: (voices, faces) float64, in nats.
        seen: (voices, faces) bool, whether the face is seen while the voice speaks.
        scenes: The faces between which a voice has to choose, scene by scene, each face once.
        together: Whether two faces cannot be one person.
        overlap: Whether two voices cannot be one person.

    Returns:
        The people with a voice and a face or more each; voices of nobody and silent faces are left
        out.
    """
    allowed = np.full(evidence.shape, _NO)
    for scene in scenes:
        faces = list(scene)
        fits = seen[:, faces] & (evidence[:, faces] >= least(seen[:, faces]))
        allowed[:, faces] = np.where(fits, evidence[:, faces], _NO)
    found = [_of_scene(allowed, scene, together) for scene in scenes]
    while True:
        best: dict[int, float] = {}
        for v, f in (pair for pairs in found for pair in pairs):
            best[v] = max(evidence[v, f], best.get(v, -np.inf))
        sure = [(v, f) for pairs in found for v, f in pairs if evidence[v, f] >= min(JOIN, best[v])]
        people, refused = _joined(evidence, sure, together, overlap)
        if not refused:
            return people
        for pair in refused:
            allowed[pair] = _NO
        for number, pairs in enumerate(found):
            if refused.intersection(pairs):
                found[number] = _of_scene(allowed, scenes[number], together)


def _of_scene(
    allowed: Float64, scene: Sequence[int], together: Callable[[int, int], bool]
) -> list[Pair]:
    """The pairs of a scene."""
    own = allowed[:, list(scene)]
    voices = len(own)
    more = np.repeat(np.where(own > _NO, own - SPLIT, _NO), max(voices - 1, 0), axis=1)
    chosen = _assigned(np.concatenate([own, more], 1))
    pairs = [
        (v, scene[c if c < len(scene) else (c - len(scene)) // (voices - 1)]) for v, c in chosen
    ]
    while True:
        taken = {face for _, face in pairs}
        left = [face for face in scene if face not in taken]
        rest = np.array(
            [
                [
                    _NO if any(together(f, g) for w, g in pairs if w == v) else allowed[v, f]
                    for f in left
                ]
                for v in range(voices)
            ]
        ).reshape(voices, len(left))
        if not (more_pairs := _assigned(rest)):
            return pairs
        pairs += [(v, left[column]) for v, column in more_pairs]


def _assigned(values: Float64) -> list[Pair]:
    """The rows and columns of the assignment of the greatest value; a row may be alone, too."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = values.shape
    alone = np.full((rows, rows), -SPLIT)
    chosen = linear_sum_assignment(np.concatenate([values, alone], 1), maximize=True)
    pairs = zip(*(places.tolist() for places in chosen), strict=True)
    return [
        (row, column) for row, column in pairs if column < columns and values[row, column] > _NO
    ]


def _joined(
    evidence: Float64,
    pairs: Sequence[Pair],
    together: Callable[[int, int], bool],
    overlap: Callable[[int, int], bool],
) -> tuple[list[Person], set[Pair]]:
    """The people that pairs make, the surest first, and the pairs that contradict surer ones."""
    of_voice: dict[int, Person] = {}
    of_face: dict[int, Person] = {}
    refused = set()
    for v, f in sorted(pairs, key=lambda pair: (-evidence[pair], pair)):
        one = of_voice.get(v, Person(frozenset({v}), frozenset()))
        two = of_face.get(f, Person(frozenset(), frozenset({f})))
        if one is two:
            continue
        if any(together(f, g) for f in one.faces for g in two.faces) or any(
            overlap(v, w) for v in one.voices for w in two.voices
        ):
            refused.add((v, f))
            continue
        person = Person(one.voices | two.voices, one.faces | two.faces)
        of_voice |= dict.fromkeys(person.voices, person)
        of_face |= dict.fromkeys(person.faces, person)
    return list(dict.fromkeys(of_voice.values())), refused
