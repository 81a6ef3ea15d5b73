"""Detects that the face a track would continue with is another person's.

A tracker compares positions only. After a missed cut, or when the tiles of a video call swap,
another person's face is suddenly at the position of the last one. It is taken for another person
if it differs by much more than a face differs from frame to frame, both before and after the
change; if the change happened within one grid step; and if the old face does not return within a
few frames, as it does after a flash.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pictures import Picture
from ..types import Detections, Float64, TrackPiece, UInt8
from .crops import shown
from .embedding import FaceAt
from .recent_frames import RecentFrames

AHEAD_FRAMES = 3
"""Grid frames to look at after a change, to tell a flash, which is over by then, from a cut."""
_SIDE_PX, _MARGIN_PX = 24, 3
"""Side of the small grey thumbnails that are compared, and the largest shift searched."""
_LEAST_DIFFERENCE = 10.0
"""Mean absolute difference of grey levels (0 to 255) below which two thumbnails are alike."""
_LEAST_CHANGE = 0.1
"""Change (one minus the correlation of two thumbnails) below which they show the same face."""
_LEAST_CHANGED = 0.1
"""Least change of person for a face that may have moved or been lit by a flash in between."""
_SUDDEN = 4.0
"""A change of person is at least so many times the usual change of the track's face."""
_SETTLED = 2.0
"""It is also at least so many times the usual change of the new face after it."""
_JITTERS = 0.03
"""A change above this may come from jitter of the box alone."""
_STILL = 0.002
"""A change below this is a repeated picture, and is left out of the usual change."""
_BLANK_STD = 3.0
"""Standard deviation of grey levels (0 to 255) below which a thumbnail is blank."""
_BLANK_FRAMES = 5
"""Through so many blank frames a track keeps its last face that was not blank."""
_USUAL_OF = 8
"""How many of its latest changes a track remembers."""
_LEAST_OVERLAP = 0.15
"""Intersection over union above which a tracker might add a face to a track."""

TwoPeople = Callable[[FaceAt, FaceAt], bool]
"""Whether two faces are of two people, by their embeddings."""


@dataclass
class _Last:
    """A track's last frame, box and thumbnail, and its recent changes."""

    frame: int
    box: Float64
    look: UInt8
    changes: deque[float] = field(default_factory=lambda: deque(maxlen=_USUAL_OF))
    earlier: deque[UInt8] = field(default_factory=lambda: deque(maxlen=AHEAD_FRAMES))
    """Earlier thumbnails, in case `look` shows a flash."""

    def is_like(self, look: UInt8) -> bool:
        """Whether a thumbnail surely shows the track's face, or one of the two is blank."""
        return any(_alike(known, look) for known in (self.look, *self.earlier))


class SamePerson:
    """Finds the tracks of a tracker that would continue with another person's face.

    Args:
        frames: The pictures; must hold those from each live track's last face on.
        two_people: Compares the embeddings of two faces, if there is an embedder. A change of
            person must then pass this test, too.
    """

    def __init__(self, frames: RecentFrames, two_people: TwoPeople | None = None) -> None:
        self._frames = frames
        self._two_people = two_people
        self._tracks: dict[int, _Last] = {}
        self._looks: dict[tuple[int, bytes], UInt8] = {}
        """Thumbnails of the last frame's faces, by frame and box."""

    def replaced(self, index: int, found: Detections, end: int, *, final: bool) -> list[int] | None:
        """The tracks whose place another person has taken in a frame.

        Args:
            index: The grid frame.
            found: The faces of that frame.
            end: The grid frame after the last one received.
            final: Whether the shot ends at `end`.

        Returns:
            The numbers of these tracks; None if later frames are needed to decide.
        """
        if not self._tracks or not len(found):
            return []
        numbers = list(self._tracks)
        near = _near(np.stack([self._tracks[number].box for number in numbers]), found.boxes)
        looks = [_look(self._frames[index], box) for box in found.boxes]
        self._looks = {
            (index, box.tobytes()): look for box, look in zip(found.boxes, looks, strict=True)
        }
        alike = np.zeros_like(near)
        for row, face in zip(*np.nonzero(near), strict=True):
            alike[row, face] = self._tracks[numbers[row]].is_like(looks[face])
        going_on, claimed = alike.any(axis=1, keepdims=True), alike.any(axis=0, keepdims=True)
        unclaimed = near & ~going_on & ~claimed
        doubtful = [row for row in range(len(numbers)) if unclaimed[row].any()]
        if doubtful and not final and end <= index + AHEAD_FRAMES:
            return None
        return [
            numbers[row]
            for row in doubtful
            if any(
                self._another(self._tracks[numbers[row]], index, found.boxes[face], end)
                for face in np.flatnonzero(unclaimed[row])
            )
        ]

    def took(self, pieces: Iterable[TrackPiece]) -> None:
        """Note the faces that the tracker added to its tracks."""
        for piece in pieces:
            last = self._tracks.get(piece.track)
            if piece.status != "live":
                self._tracks.pop(piece.track, None)
            elif len(piece.boxes):
                frame, box = piece.first_frame + len(piece.boxes) - 1, piece.boxes[-1]
                if frame not in self._frames:
                    continue  # reported too late: `Analysis` raises the error when it crops
                look = self._looks.get((frame, box.tobytes()))
                if look is None:
                    look = _look(self._frames[frame], box)
                if last is None:
                    self._tracks[piece.track] = _Last(frame, box, look)
                elif not _blank(look) or frame - last.frame > _BLANK_FRAMES:
                    last.changes.append(self._changed(last, frame, look))
                    last.earlier.append(last.look)
                    last.frame, last.box, last.look = frame, box, look

    def _changed(self, last: _Last, frame: int, look: UInt8) -> float:
        """How much a track's face changed up to a frame, without the jitter of its box."""
        change = _change(last.look, look)
        if change < _JITTERS:
            return change
        return min(change, _change(last.look, _look(self._frames[frame], last.box)))

    def _another(self, last: _Last, index: int, box: Float64, end: int) -> bool:
        """Whether the face at `box` in frame `index` is another person's than the track's."""
        changes = self._steps(last, index, box)
        # The frame of the largest change: another person appears there, if at all.
        came = last.frame + 1 + int(np.argmax(changes))
        others = sorted(changes)[:-1]
        if max(changes) < max(_LEAST_CHANGED, _SUDDEN * _usual(others)):
            return False
        stop = min(end, came + AHEAD_FRAMES + 1)
        # If only the box jittered, the face is unchanged at the track's last box; after a flash
        # it is there again.
        place = [_look(self._frames[k], last.box) for k in range(came, stop)]
        if min(_change(last.look, look) for look in place) < _LEAST_CHANGED:
            return False
        settled = [_look(self._frames[k], box) for k in range(came, stop)]
        after = [_change(a, b) for a, b in pairwise(settled)]
        if _change(last.look, _look(self._frames[index], box)) < max(
            _LEAST_CHANGED, _SUDDEN * _usual([*last.changes, *after]), _SETTLED * _usual(after)
        ):
            return False
        if self._two_people is None:
            return True
        before = FaceAt(last.frame, self._frames[last.frame], last.box)
        return self._two_people(before, FaceAt(index, self._frames[index], box))

    def _steps(self, last: _Last, index: int, box: Float64) -> list[float]:
        """How much the face changed in each frame since the track's last one.

        Each change is the least of three: at the old box, at the new box, and at a box moving
        from one to the other. So neither a moving face nor a resting one seems to change.
        """
        frames = range(last.frame, index + 1)
        way = np.linspace(0, 1, len(frames))[:, None] * (box - last.box) + last.box
        seen = [
            [_look(self._frames[k], place) for k, place in zip(frames, places, strict=True)]
            for places in ([last.box] * len(frames), way, [box] * len(frames))
        ]
        return [min(changes) for changes in zip(*map(_changes, seen), strict=True)]


def _usual(changes: list[float]) -> float:
    """The median of the changes without those of repeated pictures; 0 if none is left."""
    return float(np.median([change for change in changes if change > _STILL] or [0.0]))


def _near(boxes: Float64, faces: Float64) -> NDArray[np.bool_]:
    """Which of boxes (n, 4) and faces (m, 4) overlap: (n, m)."""
    top_left = np.maximum(boxes[:, None, :2], faces[None, :, :2])
    bottom_right = np.minimum(boxes[:, None, 2:], faces[None, :, 2:])
    common = np.clip(bottom_right - top_left, 0, None).prod(2)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)[:, None] + (faces[:, 2:] - faces[:, :2]).prod(1)
    near: NDArray[np.bool_] = common > _LEAST_OVERLAP * (areas - common)
    return near


def _look(picture: Picture, box: Float64) -> UInt8:
    """The thumbnail of a box in a picture: (24, 24) uint8, grey."""
    x1, y1, x2, y2 = (int(value) for value in box)
    top, bottom, left, right = shown(picture, y1, y2, x1, x2)
    step = max(1, min(bottom - top, right - left) // (2 * _SIDE_PX))  # more would change nothing
    inside = np.ascontiguousarray(picture.region(top, bottom, left, right, step))
    small = cv2.resize(inside, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)


def _middle(look: UInt8) -> UInt8:
    return look[_MARGIN_PX:-_MARGIN_PX, _MARGIN_PX:-_MARGIN_PX]


def _blank(look: UInt8) -> bool:
    """Whether a thumbnail is of one brightness, as in the middle of a flash."""
    return float(_middle(look).std()) < _BLANK_STD


def _change(before: UInt8, after: UInt8) -> float:
    """One minus the best correlation of two thumbnails, 0 to 2; 1 if one of them is blank."""
    if _blank(before) or _blank(after):
        return 1.0
    middle = np.ascontiguousarray(_middle(after))
    return 1.0 - float(cv2.matchTemplate(before, middle, cv2.TM_CCOEFF_NORMED).max())


def _changes(looks: Sequence[UInt8]) -> list[float]:
    """The change of each thumbnail from the one before; blank ones are skipped and give 0."""
    changes, before = [], looks[0]
    for look in looks[1:]:
        blank = _blank(look)
        changes.append(0.0 if blank else _change(before, look))
        before = before if blank else look
    return changes


def _alike(before: UInt8, after: UInt8) -> bool:
    """Whether two thumbnails surely show one face, or one of them is blank."""
    if _blank(before) or _blank(after):
        return True
    difference = cv2.absdiff(_middle(before), _middle(after)).mean()
    return bool(difference < _LEAST_DIFFERENCE or _change(before, after) < _LEAST_CHANGE)
