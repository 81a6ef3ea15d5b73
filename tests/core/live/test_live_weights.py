"""The live pass with published weights on a real clip: as good as a run, from seconds at a time."""

from __future__ import annotations

import json

import numpy as np
import pytest
from extras import torch  # noqa: F401 - what the scorer computes with; skips without it
from hopping import hops_of, joined

from asdkit.core.analysis.cutting import with_cuts
from asdkit.core.analysis.one_pass import Analysis
from asdkit.core.analysis.parts import Parts
from asdkit.core.component import Context
from asdkit.core.config.options import AnalysisOptions
from asdkit.core.evaluation.metrics import average_precision
from asdkit.core.live.passing import LivePass
from asdkit.core.live.settings import LiveConfig
from asdkit.core.media.probe import Sound, frames, probe
from asdkit.core.notes import Notes
from asdkit.core.progress import Stopwatch
from asdkit.core.registry import registry

pytestmark = [pytest.mark.weights, pytest.mark.slow]
CLIP = "clips/dialogue_small"


def made(kind, name, **parameters):
    component = registry().find(kind, name)
    config = component.config(**parameters)
    if component.settle:
        config = component.settle(config).config
    return component.build(config, Context(device="cpu", threads=1))


def parts_of(scorer):
    return Parts(
        made("cutter", "content"), made("detector", "yunet"), made("tracker", "iou"), scorer
    )


def precision_of(tracks, truth):
    """The average precision of tracks: (first frame, boxes, logits) each."""
    scores, speaks = [], []
    for first, boxes, logits in tracks:
        x = (boxes[:, 0] + boxes[:, 2]).mean() / 2
        (side,) = (name for name, (x1, _, x2, _) in truth["regions"].items() if x1 <= x < x2)
        scores.append(logits[:, 1] - logits[:, 0])
        speaks.append(truth["speaking"][side][first : first + len(boxes)])
    return average_precision(np.concatenate(scores), np.concatenate(speaks).astype(bool))


def test_what_is_certain_is_as_good_as_a_run(shared, monkeypatch, one_thread):
    for name in ("face_detection_yunet_2023mar.onnx", "lr_asd_talkset.model"):
        shared(f"weights/{name}")
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(shared("weights")))
    media = probe(shared(f"{CLIP}.mp4"))
    truth = json.loads(shared(f"{CLIP}.json").read_text())
    options, watch = AnalysisOptions(), Stopwatch()
    scorer = made("scorer", "lr_asd")
    parts = parts_of(scorer)
    with Sound(media) as sound, Analysis(parts, sound, watch, options) as analysis:
        for frame, cut in with_cuts(frames(media), parts.cutter, watch, "x", overlap=False):
            analysis.feed(frame, cut)
        tracks, _ = analysis.finish()
    config = LiveConfig()
    with (
        Sound(media) as sound,
        LivePass(parts_of(scorer), sound, watch, options, config, Notes()) as live,
    ):
        found = joined(hops_of(live, frames(media)))
    whole = [(track.first_frame, track.boxes, track.logits) for track in tracks]
    hopped = [
        (one.begin, np.concatenate(one.boxes), np.concatenate(one.logits)) for one in found.values()
    ]
    assert [(first, len(boxes)) for first, boxes, _ in hopped] == [
        (first, len(boxes)) for first, boxes, _ in whole
    ]
    assert precision_of(hopped, truth) > precision_of(whole, truth) - 0.02
