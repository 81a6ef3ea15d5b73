"""`context=others`: what the other faces of a frame do to a face's score."""

from __future__ import annotations

import numpy as np
import pytest
from by_hand import square, track

import asdkit
from asdkit.core.arrays import log_odds
from asdkit.core.errors import ConfigError
from asdkit.plugin import Shot


def face(number, first, odds):
    return track(number, first, [square(20.0 * number, 20.0)] * len(odds), odds)


def odds_of(tracks, *, first=0, end=10, weight=0.5):
    others = asdkit.load("context", "others", weight=weight)
    found = others.rescore(Shot(first, end, tuple(tracks)))
    return [log_odds(one.logits).tolist() for one in found]


def test_half_of_the_best_other_is_taken_off_in_each_frame():
    tracks = [face(0, 0, [2, 2, -1, 4]), face(1, 0, [1, 6, -3, 4]), face(2, 1, [-2, 0, 0])]
    left, right, third = odds_of(tracks)
    assert left == [2 - 0.5, 2 - 3, -1 - 0, 4 - 2]
    assert right == [1 - 1, 6 - 1, -3 - 0, 4 - 2]
    assert third == [-2 - 3, 0 + 0.5, 0 - 2]


def test_who_is_alone_keeps_its_score():
    assert odds_of([face(0, 2, [2, -3])]) == [[2, -3]]
    assert odds_of([]) == []
    early, late = face(0, 100, [1, 2]), face(1, 102, [3, -4])
    assert odds_of([early, late], first=100, end=110) == [[1, 2], [3, -4]]


def test_without_weight_nothing_changes():
    tracks = [face(0, 0, [2, 2]), face(1, 0, [1, 6])]
    assert odds_of(tracks, weight=0) == [[2, 2], [1, 6]]


def test_the_logit_of_not_speaking_stays():
    mine = face(0, 0, [2, 2])
    mine.logits[:, 0] = 7
    found = asdkit.load("context", "others").rescore(Shot(0, 2, (mine, face(1, 0, [4, 4]))))
    assert found[0].logits.tolist() == [[7, 1], [7, 1]]
    assert found[0].logits.dtype == np.float32


@pytest.mark.parametrize("weight", [-0.1, 1.1])
def test_a_weight_out_of_range_is_refused(weight):
    with pytest.raises(ConfigError, match="weight must be from 0 to 1"):
        asdkit.load("context", "others", weight=weight)
