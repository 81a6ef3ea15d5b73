"""How many pictures the pass over a video holds at a time."""

from __future__ import annotations

import weakref

import numpy as np
import pytest
from analysing import Cuts, Silence, Zeros

from asdkit.core.analysis import looking
from asdkit.core.analysis.one_pass import Analysis
from asdkit.core.analysis.parts import Parts
from asdkit.core.component import Context
from asdkit.core.config.options import AnalysisOptions
from asdkit.core.pictures import ArrayPicture, Frame
from asdkit.core.progress import Stopwatch
from asdkit.core.types import Detections
from asdkit.plugins.trackers.iou import IouConfig, build

SIZE = 90, 160
SMOOTHED = 6
"""A frame is cropped, and then let go, once the six after it have boxes."""


class Still:
    """A detector that always finds one face in the same place."""

    def __init__(self, *, one_at_a_time=False):
        self.one_at_a_time = one_at_a_time

    def detect(self, frames, indices):
        return [Detections(np.array([[40.0, 20, 80, 60]]), np.ones(1)) for _ in frames]


def most_alive(detector):
    """The most pictures that were in memory at a time, of 60."""
    parts = Parts(Cuts(), detector, build(IouConfig(), Context()), Zeros())
    analysis = Analysis(parts, Silence(), Stopwatch(), AnalysisOptions())
    alive, most = weakref.WeakSet(), 0
    for index in range(60):
        picture = ArrayPicture(np.full((*SIZE, 3), index, np.uint8))
        alive.add(picture)
        analysis.feed(Frame(index, picture), cut=False)
        del picture
        most = max(most, len(alive))
    (track,), _ = analysis.finish()
    assert len(track) == 60
    return most


def test_no_picture_waits_for_a_detector_that_takes_one_at_a_time():
    assert most_alive(Still(one_at_a_time=True)) == SMOOTHED


@pytest.mark.parametrize(("at_once", "more"), [(0.5, 0), (2, 1), (5, 4), (100, 7)])
def test_large_pictures_wait_in_small_batches(monkeypatch, at_once, more):
    """Sizes are as 4K is to the limit; a batch has 8 pictures at most."""
    monkeypatch.setattr(looking, "_BATCH_BYTES", int(at_once * 3 * SIZE[0] * SIZE[1]))
    assert most_alive(Still()) == SMOOTHED + more
