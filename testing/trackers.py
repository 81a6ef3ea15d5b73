"""The check of trackers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..core.analysis.answers import Pieces
from ..core.boxes import iou
from ..core.contracts import Tracker
from ..core.samples import two_faces
from ..core.types import Detections, Float64, TrackPiece
from .holding import Remembered, asking, hold, made, name_of

_SHOT_FRAMES = 50
_FAR = np.array([[10.0, 10, 60, 70], [510, 210, 565, 275]])
"""Two places of a face, many faces apart."""


def check_tracker(make: Callable[[], Tracker]) -> None:
    """Check that a tracker returns tracks without gaps, ends them, and never reuses numbers.

    It is given two still faces, with gaps, in each frame and in every third, over two shots; a
    face that is suddenly far away; and, if it has a method `end`, a track to end.

    Args:
        make: Builds a new tracker.

    Raises:
        PluginError: It does not keep its contract; see `asdkit.plugin.Tracker`.
    """
    for step in (1, 3):
        first, again = (_two_shots(made(make), step) for _ in range(2))
        hold(
            _alike(first, again),
            f"{first.name} follows the same faces otherwise in a second video, but each video has "
            "a new tracker",
            "Keep what it knows in the instance, not in the class or the module, and no chance",
        )
    _check_far(_Follow(made(make)))
    _check_end(_Follow(made(make)))
    nothing = _Follow(made(make))
    for index in range(3):
        nothing.update(index, Detections.none())
    nothing.flush(3)


@dataclass
class _Known:
    """A track as told so far."""

    boxes: list[Float64] = field(default_factory=list)
    first_frame: int = 0
    status: str = "live"


class _Follow:
    """Passes faces to a tracker and checks its pieces.

    Attributes:
        name: The tracker in words.
        tracks: By number, in order of appearance: the tracks told of.
    """

    def __init__(self, tracker: Tracker) -> None:
        self.name = name_of(tracker)
        self.tracks: dict[int, _Known] = {}
        self.tracker = tracker
        self._pieces = Pieces(self.name)
        self._returned = Remembered(self.name)

    def update(self, index: int, found: Detections) -> list[TrackPiece]:
        """Pass on the faces of a frame."""
        with asking(self.name, found.boxes, found.scores):
            answer = self.tracker.update(index, found)
        return self._take(self._pieces.checked(answer, index + 1), index)

    def end(self, numbers: Sequence[int], end: int) -> list[TrackPiece]:
        """End these tracks before frame `end`, as the tracker's own method does."""
        with asking(self.name):
            answer = self.tracker.end(list(numbers))  # type: ignore[attr-defined]
        return self._take(self._pieces.checked(answer, end), None)

    def flush(self, end: int) -> None:
        """End a shot before frame `end`."""
        with asking(self.name):
            answer = self.tracker.flush()
        self._take(self._pieces.checked(answer, end), None)
        self._pieces.finish()
        with asking(self.name):
            more = list(self.tracker.flush())
        hold(
            not more,
            f"{self.name} has tracks left after all were ended by flush",
            "Forget all tracks in flush",
        )
        self._returned.check()

    def _take(self, pieces: list[TrackPiece], index: int | None) -> list[TrackPiece]:
        for piece in pieces:
            if piece.track not in self.tracks:
                hold(
                    piece.first_frame == index,
                    f"{self.name} first tells of track {piece.track} "
                    + ("when tracks end" if index is None else f"in frame {index}")
                    + f", with faces from frame {piece.first_frame} on, whose picture is gone",
                    "Return a new track with its first face, as live, and later say if it is kept",
                )
                self.tracks[piece.track] = _Known(first_frame=piece.first_frame)
            known = self.tracks[piece.track]
            known.boxes += list(piece.boxes)
            known.status = piece.status
        self._returned.add([piece.boxes for piece in pieces])
        return pieces

    def check_places(self, places: Float64) -> None:
        """Check that each track stays at one of these places (n, 4), where faces stood still."""
        for number, track in self.tracks.items():
            there = iou(np.stack(track.boxes), places)
            hold(
                (there > 0.5).any(1).all(),
                f"{self.name} has boxes in track {number} where no face is, though all stood still",
                "Boxes of a track are those of its face; fill gaps between the two faces around",
            )
            hold(
                len(set(there.argmax(1))) == 1,
                f"{self.name} has faces in track {number} that are far from each other",
                "Begin a new track where no face is near the track's last one",
            )


def _two_shots(tracker: Tracker, step: int) -> _Follow:
    """Follow two still faces over two shots, given the faces of one frame in `step`."""
    follow = _Follow(tracker)
    for begin in (0, 60):
        for frame in range(begin, begin + _SHOT_FRAMES, step):
            follow.update(frame, two_faces(frame))
        follow.flush(begin + _SHOT_FRAMES)
    hold(
        follow.tracks, f"{follow.name} follows no face, though two stood still", "Return TrackPiece"
    )
    hold(
        any(track.status == "kept" for track in follow.tracks.values()),
        f"{follow.name} drops every track, though two faces stood still for two seconds, of which "
        f"it was given one frame in {step}",
        'Say "kept" in the last piece of a track that counts',
    )
    follow.check_places(two_faces(0).boxes)
    return follow


def _alike(one: _Follow, other: _Follow) -> bool:
    """Whether both told of the same tracks, whatever the numbers."""
    a, b = list(one.tracks.values()), list(other.tracks.values())
    return len(a) == len(b) and all(
        (x.first_frame, x.status, len(x.boxes)) == (y.first_frame, y.status, len(y.boxes))
        and np.allclose(x.boxes, y.boxes)
        for x, y in zip(a, b, strict=True)
    )


def _check_far(follow: _Follow) -> None:
    """A face that is suddenly far away, and comes back, is another track."""
    for frame in range(60):
        place = _FAR[[frame // 20 % 2]]
        follow.update(frame, Detections(place, np.full(1, 0.99)))
    follow.flush(60)
    follow.check_places(_FAR)


def _check_end(follow: _Follow) -> None:
    """If a tracker ends single tracks, it ends those asked for, and a new face begins another."""
    if not hasattr(follow.tracker, "end"):
        return
    for frame in range(20):
        follow.update(frame, two_faces(0))
    live = [number for number, track in follow.tracks.items() if track.status == "live"]
    ended, *others = live
    told = follow.end([ended], 20)
    hold(
        follow.tracks[ended].status != "live" and {piece.track for piece in told} == {ended},
        f"{follow.name}.end([{ended}]) tells of the tracks {sorted({p.track for p in told})}, but "
        f"must return the last piece of track {ended}, and of no other",
        'Return it with the status "kept" or "dropped"; or leave out the method, and all are ended',
    )
    follow.update(20, two_faces(0))
    hold(
        all(follow.tracks[number].status == "live" for number in others),
        f"{follow.name}.end([{ended}]) ends other tracks, too",
        "End those that are asked for",
    )
    hold(
        len(follow.tracks) > len(live),
        f"{follow.name} begins no track for the face that takes the place of a track ended by end",
        "Forget the track, so that the next face there is a new one",
    )
    follow.flush(21)
