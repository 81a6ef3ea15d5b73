"""The colours of the annotated video if all faces were decided together."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import by_hand
import numpy as np
import pytest

from asdkit.plugins.writers import annotated
from asdkit.plugins.writers.annotated import SPEAKING


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"decisions": "exclusive"}, "--++-"),
        ({"decisions": "overlap"}, "--++-"),
        ({"decisions": "independent"}, "+++++"),
        ({}, "+++++"),
    ],
)
def test_boxes_are_green_for_who_was_decided_to_speak(settings, wanted, monkeypatch):
    """With thresholds the colour is that of the score, as ever."""
    drawn = []
    monkeypatch.setattr(annotated, "draw_face", lambda *call: drawn.append(call[-1]))
    face = by_hand.track(0, 0, np.zeros((5, 4)), 1.0, [(0.08, 0.16)])
    result = by_hand.result(face)
    overlay = annotated._Overlay(
        SimpleNamespace(
            tracks=result.tracks,
            speech=None,
            off_screen=None,
            off_screen_names=None,
            voices=None,
            settings=settings,
        )
    )
    for number in range(5):
        overlay.draw(SimpleNamespace(height=64), Fraction(number, 25))
    assert "".join("+" if colour == SPEAKING else "-" for colour in drawn) == wanted
