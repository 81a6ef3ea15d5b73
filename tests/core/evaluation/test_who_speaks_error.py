"""Who-speaks error against figures worked out by hand."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from asdkit.core.errors import InputError, MissingExtraError
from asdkit.core.evaluation import diarization


@pytest.fixture
def pyannote() -> None:
    pytest.importorskip("pyannote.metrics")


ANN_AND_BO = {"Ann": ((0.0, 2.0), (4.0, 6.0)), "Bo": ((2.0, 4.0),)}


def test_who_speaks_error_by_hand(pyannote: None):
    # 1 is Ann and 2 is Bo. Missed are 4-5 of Ann and 3-4 of Bo; 2 speaks 6-7 in vain, and 1
    # instead of Bo 2-3. Of 6 seconds 4 are wrong.
    said = {"1": ((0.0, 3.0), (5.0, 6.0)), "2": ((6.0, 7.0),)}
    found = diarization.who_speaks_error(ANN_AND_BO, said)
    assert found == pytest.approx(
        {
            "diarization_error_rate": 4 / 6,
            "missed_s": 2.0, "false_alarm_s": 1.0, "confusion_s": 1.0, "total_s": 6.0,
        }
    )  # fmt: skip


def test_only_what_is_scored_counts_and_collars_do_not(pyannote: None):
    # Left of 0-3 s are 0.25-1.75 and 2.25-3: all is said to be one who speaks, Ann.
    found = diarization.who_speaks_error(
        ANN_AND_BO, {"1": ((0.0, 7.0),)}, scored=((0.0, 3.0),), collar_s=0.25
    )
    assert found["total_s"] == pytest.approx(2.25)
    assert found["confusion_s"] == pytest.approx(0.75)


def test_two_tracks_of_one_name_count_once(pyannote: None):
    said = {"1": ((0.0, 1.5), (1.0, 2.0), (1.0, 2.0), (4.0, 6.0)), "2": ((2.0, 4.0),)}
    assert diarization.who_speaks_error(ANN_AND_BO, said)["diarization_error_rate"] == 0


def test_two_who_speak_at_once_count_as_two(pyannote: None):
    both = {"Ann": ((0.0, 2.0),), "Bo": ((0.0, 2.0),)}
    found = diarization.who_speaks_error(both, {"1": ((0.0, 2.0),)})
    assert (found["missed_s"], found["total_s"]) == (2.0, 4.0)


def test_videos_are_pooled_by_seconds(pyannote: None):
    # 6 of 6 seconds wrong, then 0 of 2: 6/8, not the mean of 1 and 0.
    short = {"Cy": ((0.0, 2.0),)}
    parts = [
        diarization.who_speaks_error(ANN_AND_BO, {}),
        diarization.who_speaks_error(short, short),
    ]
    found = diarization.pooled(parts)
    assert found["diarization_error_rate"] == pytest.approx(6 / 8)
    assert found["total_s"] == pytest.approx(8)


@pytest.mark.parametrize("reference", [{}, {"Ann": ()}, {"Ann": ((5.0, 6.0),)}])
def test_references_without_speech_are_refused_together(pyannote: None, reference: dict[str, Any]):
    silent = diarization.who_speaks_error(reference, ANN_AND_BO, scored=((0.0, 4.0),))
    assert np.isnan(silent["diarization_error_rate"])
    with pytest.raises(InputError, match="the references have none"):
        diarization.pooled([silent, silent])
    # One silent video among others adds what was wrongly said in it.
    short = {"Cy": ((0.0, 2.0),)}
    both = diarization.pooled([silent, diarization.who_speaks_error(short, short)])
    assert both["diarization_error_rate"] == pytest.approx(silent["false_alarm_s"] / 2)
    assert silent["false_alarm_s"] > 0


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pyannote.metrics.diarization", None)
    with pytest.raises(MissingExtraError, match=r'pip install .*\[evaluate\]"'):
        diarization.who_speaks_error(ANN_AND_BO, {})


def test_whom_a_name_was_taken_for(pyannote: None):
    # 1 speaks for 2 s with Ann and 2 s with Bo, 2 for 1 s with Ann, 3 when nobody does.
    said = {"1": ((0.0, 4.0),), "3": ((7.0, 9.0),), "2": ((5.0, 6.0),)}
    found = diarization.paired(ANN_AND_BO, said)
    assert found == {"1": "Bo", "2": "Ann", "3": None}
    assert list(found) == sorted(said)
    # In what is scored here, 1 speaks with nobody but Ann.
    assert diarization.paired(ANN_AND_BO, said, ((0.0, 2.0),))["1"] == "Ann"
    # Of Bo's 2 s none is left.
    assert diarization.paired(ANN_AND_BO, {"1": ((3.0, 4.0),)}, None, 1.0) == {"1": None}
    assert diarization.paired(ANN_AND_BO, {}) == {}
