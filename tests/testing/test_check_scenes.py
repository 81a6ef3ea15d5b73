"""The check of scorers that look at all faces of a moment at once."""

from __future__ import annotations

import numpy as np
import pytest
from scenes import MostMoving

from asdkit.plugin import PluginError, Scores
from asdkit.testing import check_scorer


class Ranked(MostMoving):
    """Prefers the face that comes first."""

    def score_scene(self, scene):
        return [Scores(np.full((len(face), 2), float(k))) for k, face in enumerate(scene.faces)]


class Else(MostMoving):
    """Scores a face that is alone otherwise by `score`."""

    def score(self, clips):
        return [Scores(one.logits + 1) for one in super().score(clips)]


class Short(MostMoving):
    """Leaves out a row."""

    def score_scene(self, scene):
        return [Scores(one.logits[1:]) for one in super().score_scene(scene)]


class Shifting(MostMoving):
    """Says that it can shift the sound, too."""

    def score_shifted(self, clips):
        return self.score(clips)


class Eager(MostMoving):
    """Changes what it is given."""

    def score_scene(self, scene):
        found = super().score_scene(scene)
        scene.faces[0].faces[:] = 0
        return found


def test_one_that_keeps_the_contract_passes():
    check_scorer(MostMoving(), longest_frames=40)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (Ranked, "Ranked scores the faces of a scene otherwise in another order"),
        (Else, "Else scores a face that is alone otherwise by score_scene than by score"),
        (Short, "one row per frame of every face"),
        (Shifting, "Shifting has both score_scene and score_shifted"),
        (Eager, "Eager changes the arrays that it is given"),
    ],
)
def test_one_that_does_not_is_told(kind, says):
    with pytest.raises(PluginError, match=says):
        check_scorer(kind(), longest_frames=40)
