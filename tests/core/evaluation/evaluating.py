"""Evaluates tiny clips of two faces, of which one speaks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asdkit.core.config.compose import compose_app
from asdkit.core.evaluation.dataset import make_dataset_plan
from asdkit.core.evaluation.evaluate import evaluate
from asdkit.core.evaluation.settings import EVALUATE

FRAMES = 75
REGIONS = {"left": [0, 0, 48, 64], "right": [48, 0, 96, 64]}
SPEAKING = {
    "left": [int(k < 40) for k in range(FRAMES)],
    "right": [int(k >= 40) for k in range(FRAMES)],
}


def lips(number: int, width: int, height: int) -> np.ndarray:
    """Two grey faces; what stands for a mouth moves on the side that speaks."""
    image = np.full((height, width, 3), 120, np.uint8)
    left = number < 40
    x = 12 if left else 60
    image[36 : 38 + 6 * (number % 2), x : x + 24] = 20
    image[36:38, (60 if left else 12) : (84 if left else 36)] = 20
    return image


def evaluated(overrides, folder="out", tell=lambda line: None):
    plan = make_dataset_plan(EVALUATE, compose_app(EVALUATE, overrides))
    return evaluate(plan, Path(folder), tell)
