"""The faces of each shot are scored anew by a context, with what was heard in it."""

from __future__ import annotations

import numpy as np
import pytest
from by_hand import square, track

from asdkit.core.analysis.rescoring import in_context
from asdkit.core.errors import PluginError
from asdkit.core.types import Heard, Scores

SHOTS = [(10, 20), (20, 40)]
TRACKS = [
    track(0, 10, [square(10, 10)] * 10, 1.0),
    track(1, 22, [square(10, 10)] * 4, 2.0),
    track(2, 15, [square(60, 10)] * 5, 3.0),
]


class Noting:
    """A context that adds ten, and keeps what it was given."""

    def __init__(self):
        self.shots = []

    def rescore(self, shot):
        self.shots.append(shot)
        return [Scores(track.logits + np.float32([0, 10])) for track in shot.tracks]


def test_each_shot_comes_with_its_own_faces():
    context = Noting()
    found = in_context(TRACKS, SHOTS, None, context, "The context")
    assert [(s.first_frame, s.end, [t.id for t in s.tracks]) for s in context.shots] == [
        (10, 20, [0, 2]),
        (20, 40, [1]),
    ]
    assert [shot.heard for shot in context.shots] == [None, None]
    assert [one.id for one in found] == [0, 1, 2]
    assert [one.scores[0] for one in found] == [11, 12, 13]
    assert [one.scores[0] for one in TRACKS] == [1, 2, 3]


def test_without_a_context_nothing_changes():
    assert in_context(TRACKS, SHOTS, None, None, "none") == tuple(TRACKS)


def test_what_was_heard_is_that_of_the_shot():
    context = Noting()
    heard = Heard(10, np.arange(25, dtype=np.float32) / 100)  # ends before the picture does
    in_context(TRACKS, SHOTS, heard, context, "The context")
    first, second = (shot.heard for shot in context.shots)
    np.testing.assert_allclose(first, np.arange(10) / 100)
    np.testing.assert_allclose(second, [*np.arange(10, 25) / 100, 0, 0, 0, 0, 0])
    assert second.dtype == np.float32


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "must answer with one Scores for each of 2 tracks, but answered None"),
        ([Scores(np.zeros((10, 2)))] * 2, "with 10 rows for a track of 5"),
        ([np.zeros((10, 2))] * 2, "must answer with Scores, but answered an array"),
    ],
)
def test_a_context_that_breaks_its_contract_is_named(answer, says):
    class Broken:
        def rescore(self, shot):
            return answer

    with pytest.raises(PluginError) as caught:
        in_context(TRACKS, SHOTS, None, Broken(), "context=acme (acme 1.2)")
    assert str(caught.value).startswith("context=acme (acme 1.2)")
    assert says in str(caught.value)


def test_one_that_fails_is_named():
    class Failing:
        def rescore(self, shot):
            raise ZeroDivisionError("by nothing")

    with pytest.raises(PluginError, match="context=acme failed: ZeroDivisionError: by nothing"):
        in_context(TRACKS, SHOTS, None, Failing(), "context=acme")
