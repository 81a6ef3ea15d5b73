"""Checks what components return against their contracts; errors name the component at fault."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Sequence, Sized
from contextlib import contextmanager
from numbers import Real
from pathlib import Path
from traceback import walk_tb
from typing import Any

import numpy as np

from ..contracts import Vad
from ..errors import AsdError, CancelledError, PluginError
from ..files import DISK_ERRORS
from ..types import Detections, Float32, Scores, TrackPiece

_ROUNDING = 1e-5
"""How far a probability may lie outside 0 to 1, as sums of float32 do."""
_STRANGER = re.compile(r" \((?!asdkit )[^()]+\)$")
"""The package at the end of a component in words, if it is not asdkit."""
_REMEMBERED = 1000
"""So many tracks that have ended are remembered, to know them if they are told of again."""
_MOST_PICTURES = 10
"""Longest plausible side of a face box, and distance of a landmark from the picture's corner, in
multiples of the picture's longer side."""


@contextmanager
def asked(name: str, folder: Path | None = None, *, parameters: bool = False) -> Iterator[None]:
    """Call a component within this context, so that its exceptions are raised under its name.

    Args:
        name: The component in words, such as "detector=yunet (asdkit 0.1.0)".
        folder: The folder that it writes into, if it does. What is wrong with this folder or with
            its disk is not the component's fault.
        parameters: Whether only its parameters are checked. Errors that they are out of range name
            the option, and are the user's.

    Raises:
        AsdError: The component raised it. Its text begins with the component and its package, if
            that is not asdkit.
        PluginError: The component raised anything else but KeyboardInterrupt.
        OSError: The folder cannot be written to, or its disk is full.
        SystemExit: A launcher ends its job meanwhile.
    """
    try:
        yield
    except CancelledError:  # the caller's wish
        raise
    except AsdError as error:
        if _STRANGER.search(name) and name not in error.what and not parameters:
            error.what = f"{name}: {error.what}"
        raise
    except (Exception, SystemExit) as error:  # a stranger's code can fail in any way
        if folder and isinstance(error, OSError) and _is_about(folder, error):
            raise
        if isinstance(error, SystemExit) and _is_of_launcher(error):
            raise
        raise PluginError(
            f"{name} failed: {type(error).__name__}: {error}", "ASDKIT_DEBUG=1 shows where"
        ) from error


def _is_of_launcher(error: SystemExit) -> bool:
    """Whether it comes from the handler of a signal by which submitit has a job queued again."""
    frames = (frame for frame, _ in walk_tb(error.__traceback__))
    return any(frame.f_globals.get("__name__", "").startswith("submitit.") for frame in frames)


def _is_about(folder: Path, error: OSError) -> bool:
    """Whether a system error is about a disk, or about a file in a folder."""
    if error.errno in DISK_ERRORS:
        return True
    if not isinstance(error.filename, str | bytes):
        return False
    return Path(os.path.realpath(os.fsdecode(error.filename))).is_relative_to(folder.resolve())


def checked_cut(name: str, answer: Any) -> bool:
    """Check what a cutter returned.

    Raises:
        PluginError: It is not a bool.
    """
    if not isinstance(answer, bool | np.bool_):
        raise PluginError(f"{name} must answer True or False, but answered {shown(answer)}")
    return bool(answer)


def checked_faces(
    name: str, answer: Any, indices: Sequence[int], size: tuple[int, int]
) -> list[Detections]:
    """Check what a detector returned.

    Args:
        name: The detector in words.
        answer: The value it returned.
        indices: The grid frames it was given.
        size: (height, width) of the picture in the pixels of the boxes.

    Raises:
        PluginError: The value is not one `Detections` per frame, or a box lies outside the
            picture or is far larger than it.
    """
    if not isinstance(answer, Sequence) or len(answer) != len(indices):
        raise PluginError(
            f"{name} must answer with one Detections for each of {len(indices)} frames, but "
            f"answered {shown(answer)}"
        )
    for index, faces in zip(indices, answer, strict=True):
        if not isinstance(faces, Detections):
            raise PluginError(
                f"{name} must answer with Detections, but for frame {index} it answered "
                f"{shown(faces)}"
            )
        _check_places(name, index, faces, size)
        _check_landmarks(name, index, faces, size)
    return list(answer)


def _check_places(name: str, index: int, faces: Detections, size: tuple[int, int]) -> None:
    height, width = size
    x1, y1, x2, y2 = faces.boxes.T
    outside = (x1 >= width) | (y1 >= height) | (x2 <= 0) | (y2 <= 0)
    huge = np.maximum(x2 - x1, y2 - y1) > _MOST_PICTURES * max(size)
    for wrong, what in ((outside, "lies outside"), (huge, "is far larger than")):
        if wrong.any():
            box = [round(value, 1) for value in faces.boxes[wrong][0].tolist()]
            raise PluginError(
                f"{name} says that frame {index} has a face at {box}, which {what} the picture "
                f"of {width}x{height}",
                "Boxes are x1, y1, x2, y2 in pixels of the picture",
            )


def _check_landmarks(name: str, index: int, faces: Detections, size: tuple[int, int]) -> None:
    if faces.landmarks is None:
        return
    far = (np.abs(faces.landmarks) > _MOST_PICTURES * max(size)).any((1, 2))
    if far.any():
        raise PluginError(
            f"{name} says that a face of frame {index} has landmarks at "
            f"{np.round(faces.landmarks[far][0], 1).tolist()}, far from the picture of "
            f"{size[1]}x{size[0]}",
            "Landmarks are x, y in pixels of the picture, as boxes are",
        )


class Pieces:
    """Checks that the pieces a tracker returns continue each other.

    Args:
        name: The tracker in words.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._next: dict[int, int] = {}
        """By live track: the grid frame of its next box."""
        self._ended: dict[int, None] = {}
        """The last tracks that have ended."""

    def checked(self, answer: Any, end: int) -> list[TrackPiece]:
        """Check what a tracker returned.

        Args:
            answer: The value it returned.
            end: The grid frame after the last one it has been given.

        Raises:
            PluginError: The value is not a list of pieces that continue each other.
        """
        if not isinstance(answer, Sequence):
            raise self._wrong(
                f"must answer with a list of TrackPiece, but answered {shown(answer)}"
            )
        for piece in answer:
            if not isinstance(piece, TrackPiece):
                raise self._wrong(f"must answer with TrackPiece, but answered {shown(piece)}")
            self._check(piece, end)
        return list(answer)

    def finish(self) -> None:
        """Check, at the end of a shot, that all tracks have ended.

        Raises:
            PluginError: A track is still live.
        """
        if self._next:
            raise self._wrong(f"did not end track {min(self._next)} at the end of a shot")

    def _check(self, piece: TrackPiece, end: int) -> None:
        number = piece.track
        if number in self._ended:
            raise self._wrong(f"tells of track {number}, which has ended")
        if number not in self._next and not len(piece.boxes):
            raise self._wrong(f"tells of track {number} without a face")
        expected = self._next.get(number, piece.first_frame)
        if piece.first_frame != expected and len(piece.boxes):
            raise self._wrong(
                f"tells of track {number} from frame {piece.first_frame} on, where frame "
                f"{expected} was due"
            )
        self._next[number] = expected + len(piece.boxes)
        if self._next[number] > end:
            raise self._wrong(
                f"tells of track {number} in frame {self._next[number] - 1}, but has seen none "
                f"after {end - 1}"
            )
        if piece.status != "live":
            del self._next[number]
            self._ended[number] = None
            if len(self._ended) > _REMEMBERED:
                del self._ended[next(iter(self._ended))]

    def _wrong(self, what: str) -> PluginError:
        return PluginError(f"{self._name} {what}")


def checked_scores(
    name: str, answer: Any, clips: Sequence[Sized], of: str = "clip"
) -> list[Scores]:
    """Check what a scorer or a context returned.

    Args:
        name: The component in words.
        answer: The value it returned.
        clips: The clips, or the tracks, that it was given.
        of: What these are, in a word.

    Raises:
        PluginError: It is not one `Scores` for each with one row per frame.
    """
    if not isinstance(answer, Sequence) or len(answer) != len(clips):
        raise PluginError(
            f"{name} must answer with one Scores for each of {len(clips)} {of}s, but answered "
            f"{shown(answer)}"
        )
    for clip, scores in zip(clips, answer, strict=True):
        if not isinstance(scores, Scores):
            raise PluginError(f"{name} must answer with Scores, but answered {shown(scores)}")
        if len(scores) != len(clip):
            raise PluginError(
                f"{name} must answer with one row per frame of every {of}, but answered with "
                f"{len(scores)} rows for a {of} of {len(clip)}"
            )
    return list(answer)


def checked_memory_s(name: str, vad: Vad | None) -> float:
    """The `memory_s` of a voice activity detector, in seconds; 0 if it has none.

    Raises:
        PluginError: It is not a number of seconds.
    """
    with asked(name):
        memory_s = getattr(vad, "memory_s", 0.0)
    if not isinstance(memory_s, Real) or not math.isfinite(memory_s) or memory_s < 0:
        raise PluginError(
            f"{name} has memory_s={memory_s!r}, which is no number of seconds",
            "Leave it out if the output depends on no earlier sound",
        )
    return float(memory_s)


def checked_heard(name: str, answer: Any, frames: int) -> Float32:
    """Check what a voice activity detector returned, and convert it to (n,) float32.

    Args:
        name: The detector in words.
        answer: The value it returned.
        frames: How many grid frames of sound it was given.

    Raises:
        PluginError: The value is not one number from 0 to 1 for each frame.
    """
    with asked(name):
        heard: Float32 = np.asarray(answer, np.float32)
    wanted = f"{name} must answer with one number from 0 to 1 for each of {frames} frames"
    if heard.shape != (frames,):
        raise PluginError(f"{wanted}, but answered with shape {heard.shape}")
    wrong = heard[~(np.abs(heard - 0.5) <= 0.5 + _ROUNDING)]  # nan is wrong, too
    if len(wrong):
        raise PluginError(
            f"{wanted}, but among its numbers is {wrong[0]:g}",
            "Turn levels into probabilities; silence, whose logarithm is infinite, needs a floor",
        )
    return np.clip(heard, 0, 1)


def shown(value: Any) -> str:
    """A short description of a value, for errors."""
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return f"with {len(value)}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    text = repr(value)
    return text if len(text) <= 40 else f"a {type(value).__name__}"
