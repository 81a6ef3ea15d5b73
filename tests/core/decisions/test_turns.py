"""All faces of a shot are decided together: who speaks, one or two, and what is off screen."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import by_hand
import numpy as np
import pytest

from asdkit.core.decisions.conversation import Chain, ConversationConfig
from asdkit.core.decisions.segments import SegmentsConfig, SpeechConfig, mask
from asdkit.core.decisions.speaking import decide
from asdkit.core.decisions.turns import Rules, decide_by
from asdkit.core.types import Heard, Track

END = 250
SHOT = ((0, END),)


def rules(decisions: str, *, segments=None, speech=None, **conversation) -> Rules:
    return Rules(
        decisions,
        segments or SegmentsConfig(),
        speech or SpeechConfig(),
        ConversationConfig(**conversation),
    )


def face(number: int, first: int, *runs: tuple[int, float]) -> Track:
    odds = np.concatenate([np.full(n, value) for n, value in runs])
    return by_hand.track(number, first, np.zeros((len(odds), 4)), odds)


def heard(*runs: tuple[int, float], first: int = 0) -> Heard:
    return Heard(first, np.concatenate([np.full(n, p, np.float32) for n, p in runs]))


def speaking(found) -> np.ndarray:
    """(faces, END) bool."""
    return np.array([mask(track.speaking, 0, END) for track in found.tracks])


VOICE = heard((END, 1.0))
RIVALS = (
    face(0, 0, (100, 3), (50, 1), (100, -3)),
    face(1, 0, (100, -3), (50, 1.2), (100, 3)),
)
"""One speaks, then the other; between, either seems to."""


def test_by_itself_each_face_is_decided_as_ever():
    found = decide_by(rules("independent", turn_s=9), RIVALS, SHOT, VOICE)
    before = decide(RIVALS, VOICE, SegmentsConfig(), SpeechConfig())
    assert found.speech == before.speech
    assert [t.speaking for t in found.tracks] == [t.speaking for t in before.tracks]
    assert speaking(found).sum(0).max() == 2


@pytest.mark.parametrize("voice", [VOICE, None])
def test_exclusive_has_one_voice_at_a_time(voice):
    found = decide_by(rules("exclusive"), RIVALS, SHOT, voice)
    assert [t.speaking for t in found.tracks] == [((0.0, 4.0),), ((4.0, 10.0),)]
    assert found.off_screen == (None if voice is None else ())


def test_overlap_has_two_where_both_seem_to_speak():
    both = (face(0, 0, (150, 4), (100, -4)), face(1, 0, (100, -4), (150, 4)))
    found = decide_by(rules("overlap"), both, SHOT, VOICE)
    assert [t.speaking for t in found.tracks] == [((0.0, 6.0),), ((4.0, 10.0),)]
    three = (*both, face(2, 0, (END, 4)))
    assert speaking(decide_by(rules("overlap"), three, SHOT, VOICE)).sum(0).max() == 2
    assert speaking(decide_by(rules("exclusive"), three, SHOT, VOICE)).sum(0).max() == 1


def test_a_voice_of_nobody_likely_is_off_screen_and_gates_nobody():
    """The thresholds of speech decide on `speech` alone: here there is none, and one speaks."""
    faces = (face(0, 0, (125, 3), (125, -3)),)
    found = decide_by(
        rules("exclusive", speech=SpeechConfig(on=1.0)), faces, SHOT, heard((END, 0.9))
    )
    assert found.speech == ()
    assert found.tracks[0].speaking == ((0.0, 5.0),)
    assert found.off_screen == ((5.0, 10.0),)
    quiet = decide_by(rules("exclusive"), faces, SHOT, heard((END, 0.0)))
    assert quiet.tracks[0].speaking == ((0.0, 5.0),)  # music, or a low voice
    assert quiet.off_screen == ()
    alone = decide_by(rules("exclusive"), faces, SHOT, None)
    assert (alone.speech, alone.off_screen) == (None, None)


def test_how_much_silence_counts_is_told():
    faces = (face(0, 0, (END, 1.0)),)
    silence = heard((END, 0.0))
    sure = decide_by(rules("exclusive", vad_misses=0.05), faces, SHOT, silence)
    unsure = decide_by(rules("exclusive", vad_misses=0.6), faces, SHOT, silence)
    assert sure.tracks[0].speaking == ()
    assert unsure.tracks[0].speaking == ((0.0, 10.0),)


def test_listeners_who_seem_to_speak_now_and_then_do_not():
    """Each of six is a little likely for a while: a voice that goes on is somebody else's."""
    faces = [face(k, 0, (40 * k, -2), (40, 0.2), (END - 40 * (k + 1), -2)) for k in range(6)]
    found = decide_by(rules("exclusive"), faces, SHOT, VOICE)
    assert not speaking(found).any()
    assert found.off_screen == ((0.0, 10.0),)


def test_who_goes_out_of_sight_speaks_no_longer():
    faces = (face(0, 0, (100, 4)), face(1, 150, (100, 4)))
    found = decide_by(rules("overlap"), faces, SHOT, VOICE)
    assert [t.speaking for t in found.tracks] == [((0.0, 4.0),), ((6.0, 10.0),)]
    assert found.off_screen == ((4.0, 6.0),)


def test_shots_are_independent():
    """The same shot comes out the same wherever it is, and whatever is beside it."""
    alone = decide_by(rules("overlap"), RIVALS, SHOT, VOICE)
    later = tuple(replace(t, first_frame=END + 50, shot=1) for t in RIVALS)
    shots = ((50, 100), (100, END + 50), (END + 50, 2 * END + 50))
    voice = Heard(50, np.concatenate([np.zeros(END, np.float32), VOICE.probabilities]))
    found = decide_by(rules("overlap"), [face(0, 60, (30, 5.0)), *later], shots, voice)
    assert found.tracks[0].speaking == ((2.4, 3.6),)
    for one, track in zip(alone.tracks, found.tracks[1:], strict=True):
        moved = mask(track.speaking, END + 50, END)
        assert np.array_equal(moved, mask(one.speaking, 0, END))


def test_a_part_of_a_video_begins_later():
    """What is off screen is told on the clock of the video; so is what was heard only at first."""
    found = decide_by(rules("exclusive"), [], ((100, 200),), heard((50, 1.0), first=100))
    assert found.off_screen == ((4.0, 6.0),)


@pytest.mark.parametrize("decisions", ["exclusive", "overlap"])
def test_the_order_of_faces_does_not_matter(decisions):
    rng = np.random.default_rng(5)
    faces = []
    for number in range(12):
        first, length = int(rng.integers(0, 150)), int(rng.integers(20, 100))
        track = face(number, first, (length, 0))
        logits = np.zeros((length, 2), np.float32)
        logits[:, 1] = rng.normal(0, 1, length).cumsum()
        faces.append(replace(track, logits=logits))
    voice = Heard(0, rng.random(END).astype(np.float32))
    found = decide_by(rules(decisions), faces, SHOT, voice)
    order = rng.permutation(12)
    mixed = decide_by(rules(decisions), [faces[k] for k in order], SHOT, voice)
    assert [t.speaking for t in mixed.tracks] == [found.tracks[k].speaking for k in order]
    assert mixed.off_screen == found.off_screen
    for track in found.tracks:
        assert all(
            track.frames.start / 25 <= start < end <= track.frames.stop / 25
            for start, end in track.speaking
        )
    assert speaking(found).sum(0).max() == (2 if decisions == "overlap" else 1)


def test_what_is_too_short_is_left_out():
    faces = (face(0, 0, (100, -5), (10, 9), (140, -5)),)
    for least, wanted in ((0.4, ((4.0, 4.4),)), (0.44, ())):
        found = decide_by(
            rules("exclusive", segments=SegmentsConfig(min_s=least)), faces, SHOT, None
        )
        assert found.tracks[0].speaking == wanted
    voice = heard((100, 0.0), (20, 1.0), (130, 0.0))
    for least, wanted in ((0.8, ((4.0, 4.8),)), (0.84, ())):
        found = decide_by(
            rules("exclusive", speech=SpeechConfig(off_screen_min_s=least)), [], SHOT, voice
        )
        assert found.off_screen == wanted


def test_a_video_without_frames_is_no_trouble():
    found = decide_by(rules("overlap"), [], (), Heard(0, np.empty(0, np.float32)))
    assert (found.tracks, found.speech, found.off_screen) == ((), (), ())


def test_means_and_evidence_are_as_the_text_says():
    config = ConversationConfig(
        turn_s=2, evidence_s=0.4, neutral=0.2, vad_misses=0.3, vad_false_alarms=0.1
    )
    chain = Chain(config, off_screen=True, pairs=False)
    assert math.exp(chain.ends(config.turn_s)) == pytest.approx(0.02)
    assert config.weight == pytest.approx(0.1)
    assert config.evidence(np.zeros(1)) == pytest.approx(0.1 * math.log(4))
    assert config.heard(np.array([0, 1], np.float32)) == pytest.approx(
        [0.1 * math.log(0.3 / 0.9), 0.1 * math.log(0.7 / 0.1)]
    )
    assert ConversationConfig(evidence_s=0.01).weight == 1


@pytest.mark.parametrize("name", [entry.name for entry in fields(ConversationConfig)])
def test_out_of_range(name):
    for value in (-1.0, 0.0, math.inf if name.endswith("_s") else 1.0):
        with pytest.raises(ValueError, match=f"{name} must be"):
            ConversationConfig(**{name: value})
