"""Which faces LoCoNet sees beside the one in question, and which pictures its first layers read."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np

from ....core.scenes import SceneFace
from ....core.types import Int64
from ..talknet.frames import FRAMES_SEEN

SPEAKERS = 3
"""Faces that are seen together: the one in question and its context."""
NO_PICTURE = -1
"""Number of the zeros that stand before the first and after the last picture of a row."""


def with_context(target: int, faces: Sequence[SceneFace]) -> Int64:
    """Number the pictures of a face and of two others during its frames.

    As in the published code (dataLoader_multiperson.py, val_loader), others are those that are
    there in its middle frame. If one is, it is taken twice; if none is, the face itself thrice.
    Of more than two the published code draws two at random; here it is the two that share the most
    frames with it, then those that come first, whatever the order of the faces.

    Args:
        target: Which of the faces is the one in question.
        faces: All faces of a scene. Their pictures are numbered one after the other; the number
            after the last is of a black one.

    Returns:
        (3, n) the numbers of the pictures, the face in question first; a black one where another
        face is not there.
    """
    frames = _frames(faces[target])
    middle = frames[len(frames) // 2]
    there = [k for k, face in enumerate(faces) if k != target and middle in _frames(face)]
    there.sort(key=lambda k: (-len(_shared(frames, _frames(faces[k]))), *_own(faces[k])))
    beside = (there or [target])[: SPEAKERS - 1]
    begins = np.cumsum([0, *map(len, faces)])
    numbers = np.full((SPEAKERS, len(frames)), begins[-1])
    for row, k in zip(numbers, [target, *beside, *beside], strict=False):
        shared = np.array(_shared(frames, _frames(faces[k])))
        row[shared - frames.start] = begins[k] + shared - faces[k].first_frame
    return numbers


def stacks(numbers: Int64) -> Int64:
    """The five pictures that each visual vector is computed from.

    As in the published network the pictures of the speakers stand in one row, so that the first and
    last two frames of one see those of the next.

    Args:
        numbers: (3, n) numbers of pictures.

    Returns:
        (3 n, 5) numbers of pictures, `NO_PICTURE` before and after the row.
    """
    row = np.pad(numbers.ravel(), FRAMES_SEEN // 2, constant_values=NO_PICTURE)
    return np.lib.stride_tricks.sliding_window_view(row, FRAMES_SEEN)


def _frames(face: SceneFace) -> range:
    return range(face.first_frame, face.end)


def _shared(one: range, other: range) -> range:
    return range(max(one.start, other.start), min(one.stop, other.stop))


def _own(face: SceneFace) -> tuple[int, int]:
    """What tells a face from another one that shares as many frames, in any order of the faces."""
    return face.first_frame, crc32(face.faces.tobytes())
