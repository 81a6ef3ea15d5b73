"""Who speaks when, from scores and from what was heard."""

from __future__ import annotations

from dataclasses import replace

import by_hand
import numpy as np
import pytest

from asdkit.core.decisions.segments import SegmentsConfig, SpeechConfig
from asdkit.core.decisions.speaking import decide, doubt
from asdkit.core.types import Heard, Track


def track(first: int, likely: list[float]) -> Track:
    p = np.array(likely)
    return by_hand.track(0, first, np.zeros((len(p), 4)), np.log(p / (1 - p)))


def heard(first: int, *runs: tuple[int, float]) -> Heard:
    return Heard(first, np.concatenate([np.full(n, p, np.float32) for n, p in runs]))


def test_without_a_detector_the_scores_decide_alone():
    found = decide([track(10, [0.9] * 25)], None, SegmentsConfig(), SpeechConfig())
    assert [one.speaking for one in found.tracks] == [((0.4, 1.4),)]
    assert found.speech is None
    assert found.off_screen is None


def test_nobody_speaks_where_there_is_no_speech():
    """A face that mouths along: its score is high throughout, the sound is silent from 1 s on."""
    voice = heard(0, (25, 1.0), (25, 0.0))
    found = decide([track(0, [0.9] * 50)], voice, SegmentsConfig(), SpeechConfig())
    assert found.tracks[0].speaking == ((0.0, 1.0),)
    assert found.tracks[0].probabilities == pytest.approx(np.full(50, 0.9), abs=1e-6)
    assert found.speech == ((0.0, 1.0),)
    assert found.off_screen == ()


def test_speech_of_no_visible_face_is_off_screen():
    voice = heard(100, (75, 1.0), (25, 0.0), (50, 1.0))
    seen = track(110, [0.9] * 40 + [0.1] * 100)
    found = decide([seen], voice, SegmentsConfig(), SpeechConfig(off_screen_min_s=0.4))
    assert found.tracks[0].speaking == ((4.4, 6.0),)
    assert found.speech == ((4.0, 7.0), (8.0, 10.0))
    assert found.off_screen == ((4.0, 4.4), (6.0, 7.0), (8.0, 10.0))
    later = decide([seen], voice, SegmentsConfig(), SpeechConfig(off_screen_min_s=0.44))
    assert later.off_screen == ((6.0, 7.0), (8.0, 10.0))


def test_thresholds_of_speech_are_its_own():
    voice = heard(0, (25, 0.6))
    config = SpeechConfig(on=0.7)
    assert decide([], voice, SegmentsConfig(), config).speech == ()
    assert decide([], voice, SegmentsConfig(on=0.7), SpeechConfig()).speech == ((0.0, 1.0),)


def test_a_video_without_frames_is_no_trouble():
    found = decide([], Heard(0, np.empty(0, np.float32)), SegmentsConfig(), SpeechConfig())
    assert (found.tracks, found.speech, found.off_screen) == ((), (), ())


def test_out_of_range():
    with pytest.raises(ValueError, match="off_screen_min_s"):
        SpeechConfig(off_screen_min_s=-1)
    with pytest.raises(ValueError, match="off must lie"):
        SpeechConfig(on=0.2)


def speaking(first: int, frames: int, *spans: tuple[float, float]) -> Track:
    return replace(track(first, [0.5] * frames), speaking=spans)


@pytest.mark.parametrize(
    "tracks",
    [
        [],
        [speaking(0, 500, (0.0, 20.0))],  # a monologue
        [speaking(0, 250, (0.0, 10.0)), speaking(250, 250, (10.0, 20.0))],  # one after the other
        [speaking(0, 250, (0.0, 10.0)), speaking(0, 250)],  # a listener
        [speaking(0, 74, (0.0, 2.96)), speaking(0, 74, (0.0, 2.96))],  # too short to tell
        [speaking(0, 250, (0.0, 9.0)), speaking(0, 250, (0.0, 9.0))],  # 90 %: there are pauses
        [*[speaking(0, 250, (0.0, 10.0))] * 3, speaking(0, 250)],  # one of four listens
        # They speak all the time, but are seen together for a second only.
        [speaking(0, 250, (0.0, 10.0)), speaking(225, 250, (9.0, 19.0))],
    ],
)
def test_what_may_well_be_is_not_doubted(tracks: list[Track]):
    assert doubt(tracks) == ""


def test_everybody_speaking_all_the_time_is_doubted():
    both = [speaking(50, 250, (2.0, 11.6)), speaking(100, 100, (4.0, 8.0))]
    assert "(100 % of the faces in the 4.0 s that show two or more)" in doubt(both)
    # A third face, seen and silent for a moment, changes little; a monologue after it nothing.
    more = [*both, speaking(150, 10), speaking(400, 1000)]
    assert "(95 % of the faces in the 4.0 s" in doubt(more)
