"""What the live pass keeps does not grow with time."""

from __future__ import annotations

import gc
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

import numpy as np
import pytest
from analysing import Cuts, Zeros
from scenes import MostMoving

from asdkit.core.analysis import answers
from asdkit.core.analysis.parts import Parts
from asdkit.core.component import Context
from asdkit.core.config.options import AnalysisOptions
from asdkit.core.live.passing import LivePass
from asdkit.core.live.settings import LiveConfig
from asdkit.core.notes import Notes
from asdkit.core.pictures import ArrayPicture, Frame
from asdkit.core.progress import Stopwatch
from asdkit.core.types import Detections
from asdkit.plugins.trackers.iou import IouConfig, build

PERIOD = 100
"""After so many frames all repeats: a stretch with a cut, faces that stay, go and are dropped."""
_SHARED = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)


class Repeating:
    """Finds the faces of a period; one comes for a few frames only."""

    def __init__(self, ids):
        self.knows_ids = ids

    def detect(self, pictures, indices):
        return [self._at(index % PERIOD) for index in indices]

    def _at(self, at):
        spans = [(0, PERIOD), (10, 40), (45, 60), (70, 76)]
        faces = [place for place, (first, end) in enumerate(spans) if first <= at < end]
        boxes = np.array([[5 + 35 * place, 10, 30 + 35 * place, 35] for place in faces], float)
        ids = np.array(faces) if self.knows_ids else None
        return Detections(boxes, np.ones(len(faces)), ids=ids)


class Vectors:
    """An embedder that finds everybody alike."""

    def embed(self, faces):
        return np.tile(np.float32([1, 0]), (len(faces), 1))


class Quiet:
    """A voice activity detector that hears nothing."""

    def speech(self, sound):
        return np.zeros(len(sound) // 640, np.float32)


class Tape:
    """Sound of which so many samples are kept at most."""

    def __init__(self):
        self.forgotten, self.most = 0, 0

    def read(self, first, stop):
        self.most = max(self.most, stop - self.forgotten)
        return np.zeros(stop - first, np.int16)

    def forget(self, sample):
        self.forgotten = sample


def kept(root):
    """How often something refers to anything, itself or by others, and how many bytes of arrays."""
    seen, waiting, count, size = {}, [root], 0, 0
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, _SHARED):
            continue
        seen[id(one)] = one
        held = gc.get_referents(one)
        count += len(held)
        size += one.nbytes if isinstance(one, np.ndarray) else 0
        waiting += held
    return count, size


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scorer", "ids"), [(Zeros(), False), (Zeros(), True), (MostMoving(), False)]
)
def test_what_is_kept_does_not_grow(monkeypatch, scorer, ids):
    monkeypatch.setattr(answers, "_REMEMBERED", 8)  # so that this, too, is full soon
    parts = Parts(
        Cuts(*range(50, 10_000, PERIOD)),
        Repeating(ids),
        build(IouConfig(), Context()),
        scorer,
        Vectors(),
        Quiet(),
    )
    options = AnalysisOptions(batch_frames=4, embed_every=5)
    tape, config = Tape(), LiveConfig(context_s=1.0)
    live = LivePass(parts, tape, Stopwatch(), options, config, Notes())
    pictures = [ArrayPicture(np.full((50, 150, 3), 60 + k, np.uint8)) for k in range(PERIOD)]
    found = []
    for index in range(20 * PERIOD):
        live.take(Frame(index, pictures[index % PERIOD]), begins=index % (2 * PERIOD) == 0)
        if index % (2 * PERIOD) == 2 * PERIOD - 1:
            getattr(scorer, "scenes", []).clear()
            found.append(kept(live))
            live.end_stretch()
            found.append(kept(live))
    assert max(found[4:]) <= max(found[:4])
    assert tape.most <= (25 + 30) * 640
    assert len(live._live) == len(live._ended) == 0
