"""What the checks of all kinds share: to hold a component to something, and to watch arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..core.analysis.answers import asked
from ..core.errors import PluginError
from ..core.types import Float32, Float64

_Part = TypeVar("_Part")
SAME_SCORE = 1e-2
"""Allowed difference of scores and embeddings: networks round differently in a batch."""


def name_of(part: object) -> str:
    """The component in words: its class."""
    return type(part).__name__


def made(make: Callable[[], _Part]) -> _Part:
    """A new component.

    Raises:
        PluginError: It is a component, not what makes one.
    """
    if not callable(make):
        raise PluginError(
            f"This check takes what makes a {name_of(make)}, as it needs new ones",
            "As in: lambda: asdkit.load(KIND, NAME)",
        )
    return make()


def hold(true: object, otherwise: str, mend: str) -> None:
    """Hold a component to something.

    Args:
        true: Whether it does so.
        otherwise: What is wrong, and what was expected.
        mend: How to mend it.

    Raises:
        PluginError: It does not.
    """
    if not true:
        raise PluginError(otherwise, mend)


def hold_length(name: str, vectors: Float32) -> None:
    """Raise a `PluginError` unless all rows of the vectors (n, d) of a component have length 1."""
    lengths = np.linalg.norm(vectors, axis=1)
    wrong = lengths[abs(lengths - 1) > 1e-3]
    hold(
        not len(wrong),
        f"{name} gives vectors whose length is not 1, but {wrong[:1]}",
        "Divide each row by its length, which must not be 0 for what is dark or silent",
    )


@contextmanager
def asking(name: str, *given: NDArray[Any]) -> Iterator[None]:
    """Call a component within this context.

    Args:
        name: The component in words.
        *given: The arrays it is given.

    Raises:
        PluginError: It fails, or changes an array that it is given.
    """
    before = [array.copy() for array in given]
    with asked(name):
        yield
    for old, array in zip(before, given, strict=True):
        hold(
            np.array_equal(old, array),
            f"{name} changes the arrays that it is given, which others use after it",
            "Work on a copy, as in: frames = frames.copy()",
        )


def in_order(landmarks: Float64) -> bool:
    """Whether landmarks (5, 2) of one face can be eyes, nose and mouth, each on its own side.

    The face may be turned in the picture, but not mirrored: seen along the line from the eye on
    the left to that on the right, the mouth is below, and its corners are in the same order.
    """
    left, right, _, mouth_left, mouth_right = landmarks
    eyes, mouth = right - left, mouth_right - mouth_left
    down = (mouth_left + mouth_right - left - right) / 2
    return bool(eyes @ mouth > 0 and eyes[0] * down[1] - eyes[1] * down[0] > 0)


class Remembered:
    """What a component has returned, to see whether it changes later.

    Args:
        name: The component in words.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._known: list[tuple[NDArray[Any], NDArray[Any]]] = []

    def add(self, arrays: Sequence[NDArray[Any]]) -> None:
        """Note arrays of an answer."""
        self._known += [(array, array.copy()) for array in arrays]

    def check(self) -> None:
        """Check that all of them are still what they were.

        Raises:
            PluginError: One is not.
        """
        hold(
            all(np.array_equal(array, copy) for array, copy in self._known),
            f"{self._name} changes in a later call what it returned in an earlier one, which is "
            "still in use",
            "Return new arrays, not always the same one",
        )
