"""Runs the face detector on batches of frames, and limits the number of faces per frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..contracts import Detector, ScalingDetector
from ..notes import Notes
from ..pictures import Picture, unseen
from ..progress import Stopwatch
from ..types import Detections, UInt8
from .answers import asked, checked_faces
from .attributes import checked_looks, checked_side
from .recent_frames import RecentFrames
from .square_pixels import Square

_BATCH_BYTES = 1 << 26
"""Most bytes of whole pictures in RGB in a batch; a batch has at least one picture."""
_REMEMBERED = 16
"""How many pictures' faces are remembered, in case a later or an earlier frame repeats one."""


class Looker:
    """Gathers frames and runs the detector on them in batches.

    A picture repeated in successive frames is detected once. A detector that does not look at
    pictures, but knows the faces of each frame beforehand, has an attribute `looks` that is
    False: it is called for every frame, and its boxes are in stored pixels.

    Args:
        detector: The detector.
        frames: The pictures, in square pixels.
        square: Converts stored pixels to square ones.
        watch: Times the stage "detect".
        notes: Collects a note if faces are left out.
        batch_frames: Most frames in a batch; fewer if the pictures are large.
        max_faces: Most faces of a frame; those with the highest scores are kept.
        name: The detector in words.
    """

    def __init__(
        self,
        detector: Detector,
        frames: RecentFrames,
        square: Square,
        watch: Stopwatch,
        notes: Notes,
        *,
        batch_frames: int,
        max_faces: int,
        name: str,
    ) -> None:
        self._detector = detector
        self._frames = frames
        self._square = square
        self._watch = watch
        self._notes = notes
        self._batch_frames = batch_frames
        self._max_faces = max_faces
        self._name = name
        self._looks = checked_looks(name, detector)
        self._left_out = False
        """Whether faces have been left out."""
        self._waiting: list[int] = []
        self._known: dict[int, Detections] = {}
        """By number: the last pictures detected, and their faces."""

    @property
    def waiting(self) -> int | None:
        """The first queued frame; None if there is none."""
        return self._waiting[0] if self._waiting else None

    def add(self, index: int) -> bool:
        """Queue a frame for detection; return whether the batch is full."""
        self._waiting.append(index)
        if getattr(self._detector, "one_at_a_time", False):
            return True
        picture = self._frames[index]
        most = max(1, _BATCH_BYTES // (3 * picture.height * picture.width))
        return len(self._waiting) >= min(self._batch_frames, most)

    def look(self) -> list[tuple[int, Detections]]:
        """Run the detector on the queued frames.

        Returns:
            Each grid frame with its faces, in square pixels.

        Raises:
            PluginError: The detector breaks its contract.
        """
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return []
        if not self._looks:
            return list(zip(waiting, self._faces(waiting), strict=True))
        numbers = {self._frames.number(index): index for index in reversed(waiting)}
        known = self._known
        new = sorted(index for number, index in numbers.items() if number not in known)
        for index, faces in zip(new, self._faces(new) if new else (), strict=True):
            known[self._frames.number(index)] = faces
        found = [(index, known[self._frames.number(index)]) for index in waiting]
        for number in sorted(known)[:-_REMEMBERED]:
            del known[number]
        return found

    def _faces(self, indices: Sequence[int]) -> list[Detections]:
        pictures = [self._frames[index] for index in indices]
        height, width = pictures[0].height, pictures[0].width
        stored = Square() if self._looks else self._square
        size = round(height / stored.y), round(width / stored.x)
        with self._watch("detect"):
            answer = self._answer(pictures, list(indices))
        found = checked_faces(self._name, answer, indices, size)
        return [
            self._most_sure(index, stored.faces(faces))
            for index, faces in zip(indices, found, strict=True)
        ]

    def _answer(self, pictures: Sequence[Picture], indices: list[int]) -> list[Detections]:
        """What the detector answers, given pictures no larger than it looks at."""
        size = pictures[0].height, pictures[0].width
        detector = self._detector
        if self._looks and isinstance(detector, ScalingDetector):
            with asked(self._name):
                said = detector.input_side_px(*size)
            side = checked_side(self._name, said)
            if side is not None:
                small = _stacked([picture.scaled(side) for picture in pictures])
                with asked(self._name):
                    return detector.detect_scaled(small, indices, size)
        if self._looks:
            whole = _stacked([picture.rgb() for picture in pictures])
        else:
            whole = unseen(len(pictures), *size)
        with asked(self._name):
            return detector.detect(whole, indices)

    def _most_sure(self, index: int, faces: Detections) -> Detections:
        """The faces of a frame, at most `max_faces`: those with the highest scores."""
        if len(faces) <= self._max_faces:
            return faces
        if not self._left_out:
            self._left_out = True
            self._notes.add(
                f"Frame {index} has {len(faces)} faces: of each frame only the "
                f"{self._max_faces} surest are followed (max_faces)"
            )
        best = np.sort(np.argsort(-faces.scores, kind="stable")[: self._max_faces])
        return faces.of(best)


def _stacked(images: Sequence[UInt8]) -> UInt8:
    """Images of one size as one array (n, height, width, 3)."""
    return images[0][None] if len(images) == 1 else np.stack(images)
