"""How far a bundle and PyTorch agree on the same clips."""

from __future__ import annotations

import numpy as np
import pytest

from asdkit.core.errors import ExportError
from asdkit.core.types import Clip, Scores
from asdkit.export.agreement import Recorder, measure_agreement


class Answering:
    """A scorer whose scores are given."""

    def __init__(self, scores):
        self.scores = np.asarray(scores, np.float32)

    def score(self, clips):
        logits = np.stack([np.zeros_like(self.scores), self.scores], axis=1)
        return [Scores(logits) for _ in clips]


def recorded(scores):
    clip = Clip(np.zeros((len(scores), 112, 112), np.uint8), np.zeros(640 * len(scores), np.int16))
    recorder = Recorder(Answering(scores))
    recorder.score([clip])
    return recorder


def test_agreement_is_measured():
    scores = np.linspace(-1, 1, 100)
    found = scores.copy()
    found[[49, 50]] = found[[50, 49]]  # the two next to the threshold change places
    result = measure_agreement(recorded(scores), Answering(found))
    assert result.frames == 100
    assert result.speaking == pytest.approx(0.5)
    assert "of which PyTorch calls 50.0 % speaking" in str(result)
    assert result.decisions == pytest.approx(0.98)
    assert result.ranking == pytest.approx(1 - 6 * 2 / (100 * (100**2 - 1)))  # Spearman's formula
    assert result.largest_difference == pytest.approx(2 / 99)
    assert "98.0 % of the decisions" in str(result)


@pytest.mark.parametrize(
    "found",
    [np.linspace(-0.8, 1.2, 100), np.linspace(1, -1, 100), np.zeros(100)],
    ids=["decisions", "ranking", "constant"],
)
@pytest.mark.filterwarnings("ignore:An input array is constant")
def test_too_little_agreement_is_an_error(found):
    with pytest.raises(ExportError, match=r"calibration=FILE; or choose precision=fp32"):
        measure_agreement(recorded(np.linspace(-1, 1, 100)), Answering(found))
