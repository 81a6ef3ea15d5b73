"""Runs the one pass over pictures, with parts that say no more than they must."""

from __future__ import annotations

import numpy as np

from asdkit.core.analysis.cutting import with_cuts
from asdkit.core.analysis.one_pass import Analysis
from asdkit.core.analysis.pacing import longest_step
from asdkit.core.analysis.parts import Parts
from asdkit.core.component import Context
from asdkit.core.config.options import AnalysisOptions
from asdkit.core.pictures import Frame, as_picture
from asdkit.core.progress import Stopwatch
from asdkit.core.types import Scores
from asdkit.plugins.trackers.iou import IouConfig, build


class Cuts:
    """A cutter that cuts at given frames."""

    def __init__(self, *cuts):
        self.cuts = cuts

    def starts_shot(self, frame, index):
        return index in self.cuts


class Zeros:
    """A scorer that finds all faces alike."""

    def score(self, clips):
        return [Scores(np.zeros((len(clip), 2))) for clip in clips]


class Silence:
    """Sound without a sound."""

    def read(self, first, stop):
        return np.zeros(stop - first, np.int16)

    def forget(self, sample):
        """Nothing is kept."""


def frames_of(images, first=0):
    """Frames of images, in which one that is repeated is the very same picture."""
    last, picture = None, None
    for index, image in enumerate(images, first):
        if image is not last:
            last, picture = image, as_picture(image)
        yield Frame(index, picture)


def feed(analysis, parts, frames):
    """Have an analysis take frames, cut where the cutter says."""
    for frame, cut in with_cuts(
        frames, parts.cutter, Stopwatch(), parts.name("cutter"), overlap=False
    ):
        analysis.feed(frame, cut)


def analyse(
    pictures,
    *,
    detector,
    cutter=None,
    cuts=(),
    tracker=None,
    scorer=None,
    embedder=None,
    every=1,
    batch=8,
    notes=None,
    pixel_aspect=1.0,
    **options,
):
    """The analysis and its tracks, of pictures that are frames 0 and on."""
    parts = Parts(
        cutter or Cuts(*cuts),
        detector,
        tracker or build(IouConfig(), Context(detect_every=longest_step(every))),
        scorer or Zeros(),
        embedder,
    )
    asked = AnalysisOptions(detect_every=every, batch_frames=batch, **options)
    analysis = Analysis(parts, Silence(), Stopwatch(), asked, notes, pixel_aspect=pixel_aspect)
    feed(analysis, parts, frames_of(pictures))
    tracks, _ = analysis.finish()
    return analysis, tracks
