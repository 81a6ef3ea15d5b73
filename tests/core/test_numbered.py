"""Tracks whose scores tell them apart, so that a judge's rows tell which face they are about."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from by_hand import square
from refusing import refusal

from asdkit.core.errors import InputError
from asdkit.core.matching import Label, judge_matches
from asdkit.core.numbered import numbered, numbers_of

TRACKS = [numbered(k, 0, 3, np.tile(square(20, 30), (k + 4, 1))) for k in range(3)]
LENGTHS = [len(track) for track in TRACKS]


def judged():
    """Rows about (2, 5), (0, 3) and a face that was not found."""
    labels = [Label("ann", 0.32, True), Label("ben", 0.24, False), Label("eve", 1.0, True)]
    return judge_matches(labels, [(TRACKS[2], 5), (TRACKS[0], 3), None], TRACKS)


def test_rows_tell_track_and_place():
    number, place = numbers_of("talk", judged(), LENGTHS)
    assert number.tolist() == [2, 0, 0]
    assert place.tolist() == [5, 3, 0]


def test_rows_of_no_tracks_at_all_are_about_none():
    rows = judge_matches([Label("ann", 0.0, True)], [None], [])
    assert [one.tolist() for one in numbers_of("talk", rows, [])] == [[0], [0]]


@pytest.mark.parametrize("logits", [(3, 0), (2, 6), (-1, 0), (0.5, 0), (np.inf, 1)])
def test_logits_that_are_not_those_of_the_tracks_are_refused(logits):
    rows = judged()
    changed = rows.logits.copy()
    changed[1] = logits
    text = refusal(InputError, numbers_of, "talk", replace(rows, logits=changed), LENGTHS)
    assert "does not hand on the scores of the faces that it matches in talk" in text
