"""`check_tracker` finds what breaks the contract, and says how to mend it."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest

from asdkit import testing
from asdkit.core.boxes import iou
from asdkit.core.component import Context
from asdkit.core.errors import PluginError
from asdkit.core.registry import registry
from asdkit.core.types import TrackPiece
from asdkit.plugins.trackers.iou import IouConfig, IouTracker

NOTHING = np.empty((0, 4))


class Own(IouTracker):
    """The built-in tracker; others change one thing."""

    def __init__(self):
        super().__init__(IouConfig())


class NeverEnds:
    def __init__(self):
        self.known = False

    def update(self, index, found):
        begun, self.known = not self.known, True
        boxes = found.boxes[:1] if begun else NOTHING
        return [TrackPiece(0, index, boxes, "live")] if begun else []

    def flush(self):
        return []


class ForgetsGaps(Own):
    def update(self, index, found):
        pieces = super().update(index, found)
        return [
            TrackPiece(piece.track, index, piece.boxes[-1:], piece.status)
            if len(piece.boxes)
            else piece
            for piece in pieces
        ]


class WaitsToBeSure(Own):
    """Tells of a track when it has three faces, as trackers elsewhere do."""

    def __init__(self):
        super().__init__()
        self.waiting = {}

    def update(self, index, found):
        told = []
        for piece in super().update(index, found):
            held = self.waiting.setdefault(piece.track, [])
            if held is not None:
                held.append(piece)
                if sum(len(one.boxes) for one in held) >= 3 or piece.status != "live":
                    boxes = np.concatenate([one.boxes for one in held])
                    told.append(TrackPiece(piece.track, held[0].first_frame, boxes, piece.status))
                    self.waiting[piece.track] = None
            else:
                told.append(piece)
        return told


class Nobody(Own):
    def update(self, index, found):
        return []

    def flush(self):
        return []


class DropsAll(Own):
    def flush(self):
        return [
            TrackPiece(piece.track, piece.first_frame, piece.boxes, "dropped")
            for piece in super().flush()
        ]


class OneFaceForAll:
    """Whoever is seen, it is the same track."""

    def __init__(self):
        self.last = None
        self.number = count()

    def update(self, index, found):
        if not len(found):
            return []
        box = found.boxes[:1]
        if self.last is None:
            self.last = next(self.number), index, box
            return [TrackPiece(self.last[0], index, box)]
        number, before, _ = self.last
        self.last = number, index, box
        return [TrackPiece(number, before + 1, np.repeat(box, index - before, 0))]

    def flush(self):
        last, self.last = self.last, None
        return [] if last is None else [TrackPiece(last[0], last[1] + 1, NOTHING, "kept")]


class Drifts(Own):
    def update(self, index, found):
        return [
            TrackPiece(piece.track, piece.first_frame, piece.boxes + index, piece.status)
            for piece in super().update(index, found)
        ]


class Shared(Own):
    """Numbers go on in the next video, which nobody sees; so does the width of boxes."""

    wider = 0

    def __init__(self):
        super().__init__()
        Shared.wider += 1

    def update(self, index, found):
        wider = np.array([0, 0, self.wider, 0])
        return [
            TrackPiece(piece.track, piece.first_frame, piece.boxes + wider, piece.status)
            for piece in super().update(index, found)
        ]


class Moves(Own):
    def update(self, index, found):
        pieces = super().update(index, found)
        found.boxes[:] += 1
        return pieces


class EndsNothing(Own):
    def end(self, tracks):
        return []


class EndsAll(Own):
    def end(self, tracks):
        return super().flush()


class EndsQuietly(Own):
    """Tells of the track that was asked for, but ends the other one with it."""

    def end(self, tracks):
        others = [number for number in self._tracks.last_boxes if number not in tracks]
        told = super().end(tracks)
        self.later = super().end(others)
        return told

    later = ()

    def update(self, index, found):
        later, self.later = list(self.later), ()
        return later + super().update(index, found)


class GoesOn(Own):
    """Ends a track, but follows its face no more."""

    ended = NOTHING

    def end(self, tracks):
        self.ended = np.stack([self._tracks.last_boxes[number] for number in tracks])
        return super().end(tracks)

    def update(self, index, found):
        if len(self.ended):
            new = ~(iou(found.boxes, self.ended) > 0.5).any(1)
            found = type(found)(found.boxes[new], found.scores[new])
        return super().update(index, found)


class EndsAgain(Own):
    def flush(self):
        pieces = super().flush()
        return pieces or [TrackPiece(99, 0, np.zeros((1, 4)), "kept")]


class NotEmpty(Own):
    def update(self, index, found):
        found.boxes.max(0)
        return super().update(index, found)


class OneArray(Own):
    def __init__(self):
        super().__init__()
        self.room = np.zeros((1, 4))

    def update(self, index, found):
        pieces = super().update(index, found)
        for piece in pieces:
            if len(piece.boxes) == 1:
                self.room[:] = piece.boxes
                object.__setattr__(piece, "boxes", self.room)
        return pieces


def numbers_go_on(counter=count(100)):  # noqa: B008 - shared on purpose
    """A tracker that numbers its tracks through all videos, which is allowed."""

    class Numbered(Own):
        def __init__(self):
            super().__init__()
            self._tracks._next_number = next(counter) * 1000

    return Numbered()


@pytest.mark.parametrize("make", [Own, numbers_go_on])
def test_what_keeps_the_contract_passes(make):
    testing.check_tracker(make)


@pytest.mark.parametrize("detect_every", [1, 3, 5])
def test_the_tracker_of_a_run_that_skips_frames_passes(detect_every):
    component = registry().find("tracker", "iou")
    context = Context(detect_every=detect_every)
    testing.check_tracker(lambda: component.build(component.config(), context))


def test_a_tracker_without_end_passes():
    class Plain:
        def __init__(self):
            self.own = Own()
            self.update, self.flush = self.own.update, self.own.flush

    testing.check_tracker(Plain)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (NeverEnds, "did not end track 0"),
        (ForgetsGaps, r"tells of track 1 from frame 8 on, where frame 7 was due"),
        (WaitsToBeSure, r"first tells of track 0 in frame 2.*from frame 0 on.*Return a new track"),
        (Nobody, r"follows no face"),
        (DropsAll, r'drops every track.*Say "kept"'),
        (OneFaceForAll, r"far from each other.*Begin a new track"),
        (Drifts, r"boxes in track 0 where no face is"),
        (Shared, r"otherwise in a second video.*Keep what it knows in the instance"),
        (Moves, r"changes the arrays"),
        (EndsNothing, r"end\(\[0\]\) tells of the tracks \[\], but must return the last piece"),
        (EndsAll, r"end\(\[0\]\) tells of the tracks \[0, 1\]"),
        (EndsQuietly, r"end\(\[0\]\) ends other tracks, too"),
        (GoesOn, r"begins no track for the face that takes the place"),
        (EndsAgain, r"has tracks left after all were ended by flush"),
        (NotEmpty, r"NotEmpty failed: ValueError"),
        (OneArray, r"changes in a later call"),
    ],
)
def test_what_breaks_it_is_named(broken, says):
    with pytest.raises(PluginError, match=says) as caught:
        testing.check_tracker(broken)
    assert str(caught.value).startswith(broken.__name__)


def test_the_check_takes_what_makes_a_tracker():
    with pytest.raises(PluginError, match=r"takes what makes a Own.*lambda"):
        testing.check_tracker(Own())
