"""Rows of made videos, whose people are alike or differ."""

from __future__ import annotations

import numpy as np

from asdkit.core.labels import Judged

TYPICAL = {"people": ("ann",), "each": 60, "level": 0.5}
"""A face a video, whose scores have a level of their own, as those of real faces do."""


def judged(rng, people=("ann", "bo"), each=20, level=1.0, steps=None) -> Judged:
    """Rows of people, each with a level of their own; some are not found, and scores tie."""
    person = np.repeat(people, each)
    n = len(person)
    truth = rng.random(n) < 0.4
    of_person = np.repeat(rng.normal(0, level, len(people)), each)
    score = rng.normal(size=n) + 2 * truth + of_person
    if steps:
        score = np.round(score * steps) / steps
    logits = np.stack([-score, score], axis=1).astype(np.float32)
    found = rng.random(n) < 0.9
    logits[~found] = (0, -np.inf)
    return Judged(
        person=person,
        time_s=np.arange(n) / 25,
        truth=truth,
        logits=logits,
        decided=found & (score > 0.7),
        found=found,
        face_px=np.full(n, 80.0),
        on_screen=np.ones(n, np.int64),
    )


def of_videos(count: int, seed: int, **more) -> dict[str, Judged]:
    rng = np.random.default_rng(seed)
    return {f"v{k}": judged(rng, **more) for k in range(count)}
