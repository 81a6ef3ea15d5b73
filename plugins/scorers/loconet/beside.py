"""Which faces LoCoNet sees beside the one in question, and their crops at the same times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ....core.types import UInt8

SPEAKERS = 3
"""Faces that are seen together: the one in question and its context."""


@dataclass(frozen=True, eq=False)
class OnScreen:
    """A face track, or a part of one.

    Attributes:
        first_frame: The number of its first frame.
        faces: (n, 112, 112) uint8, grey crops of successive frames, at least one.
    """

    first_frame: int
    faces: UInt8

    @property
    def frames(self) -> range:
        """The numbers of its frames."""
        return range(self.first_frame, self.first_frame + len(self.faces))


def with_context(target: OnScreen, others: Sequence[OnScreen]) -> UInt8:
    """The crops of a face and of two others during its frames.

    As in the published code (dataLoader_multiperson.py, val_loader), others are those that are
    there in its middle frame. If one is, it is taken twice; if none is, the face itself thrice.
    Of more than two the published code draws two at random; here it is the two that share the most
    frames with it, and of equal ones the first.

    Returns:
        (3, n, 112, 112) uint8, the face in question first; zeros where another one is not there.
    """
    frames = target.frames
    middle = frames[len(frames) // 2]
    there = [one for one in others if middle in one.frames]
    there.sort(key=lambda one: -len(_shared(frames, one.frames)))
    beside = (there or [target])[: SPEAKERS - 1]
    seen = [target, *beside, *beside][:SPEAKERS]
    crops = np.zeros((SPEAKERS, *target.faces.shape), np.uint8)
    for row, one in zip(crops, seen, strict=True):
        shared = _shared(frames, one.frames)
        row[shared.start - frames.start : shared.stop - frames.start] = one.faces[
            shared.start - one.first_frame : shared.stop - one.first_frame
        ]
    return crops


def _shared(one: range, other: range) -> range:
    return range(max(one.start, other.start), min(one.stop, other.stop))
