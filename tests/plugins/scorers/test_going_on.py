"""LR-ASD and Light-ASD go on with a face: its scores are those of all its frames at once."""

from __future__ import annotations

import numpy as np
import pytest
from extras import onnxruntime  # noqa: F401 - what computes here; skips without it
from family import SMALL, clip_of, close, scorer

from asdkit.core.component import Context
from asdkit.core.types import Clip
from asdkit.plugins.scorers.windowed.config import WindowedConfig

STEPS = (3, 5, 7, 1, 0, 5, 25, 40, 5)
"""How many frames are new, time after time: too few to go on from at first."""
pytestmark = pytest.mark.slow


def first_of(clip, frames):
    after = clip.sound[640 * frames : 640 * frames + 240]
    return Clip(clip.faces[:frames], clip.sound[: 640 * frames], 0, np.resize(after, 240))


def built(name, weights):
    config = WindowedConfig(str(weights), window_seconds=[60])
    return scorer(name).build(config, Context("cpu", 1))


@pytest.mark.parametrize("name", SMALL)
def test_scores_are_those_of_all_frames_so_far(family, name):
    made = built(name, family.exported(name)[0])
    clip, face, end = clip_of("goes on", sum(STEPS) + 1), made.follow(), 0
    for new in STEPS:
        end += new
        so_far = first_of(clip, end)
        found = face.score(so_far, new).logits
        (wanted,) = made.score([so_far])
        close(found, wanted.logits, 1e-4)
        assert end < 10 or found.std() > 0.001


@pytest.mark.parametrize("name", SMALL)
def test_frames_before_the_clip_still_tell_of_those_in_it(family, name):
    """What the picture tells of a frame does not depend on where the clip begins."""
    made = built(name, family.exported(name)[0])
    clip = clip_of("forgets", 80)
    pieces, whole = made.follow(), made.follow()
    for first, end, new in ((0, 40, 40), (10, 60, 20), (45, 80, 20)):
        part = Clip(clip.faces[first:end], clip.sound[640 * first : 640 * end])
        found = pieces.score(part, new)
    whole.score(first_of(clip, 45), 45)
    close(found.logits, whole.score(part, 35).logits, 1e-4)


def test_a_bare_model_is_run_as_ever(family):
    assert built("lr_asd", family.exported("lr_asd")[0] / "model.onnx").follow() is None
