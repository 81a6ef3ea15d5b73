"""What is decided hop by hop is what a run decides of the same scores, and is never taken back."""

from __future__ import annotations

import pickle
from dataclasses import replace

import hops_made
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdkit.core.analysis.rescoring import in_context
from asdkit.core.decisions.calibration import Calibration
from asdkit.core.decisions.segments import mask
from asdkit.core.decisions.turns import Rules, decide_by
from asdkit.core.errors import PluginError
from asdkit.core.live.deciding import LiveDecider
from asdkit.core.live.settings import LiveConfig
from asdkit.core.types import Heard, Scores
from asdkit.plugins.contexts.others import Others, OthersConfig

seeds = st.integers(0, 10**6)
hops = st.integers(1, 12)
lookaheads = st.integers(0, 12)


def run(session, **options):
    """What a run decides: (speaking by track, speech, off-screen), as masks."""
    o = hops_made.plan_of(**options).options
    rules = Rules(o.decisions, o.segments, o.speech, o.conversation)
    tracks = [face.as_track() for face in session.faces]
    found = decide_by(rules, tracks, session.shots, session.heard)
    end = session.stretches[-1][1]
    rest = [None if s is None else mask(s, 0, end) for s in (found.speech, found.off_screen)]
    return {track.id: track.speaking_frames for track in found.tracks}, *rest


def put_together(found):
    """The same of what was decided in hops, held to what a recorder relies on."""
    speaking, stop = {}, 0
    for one in found:
        assert one.first == stop
        assert one.stop >= stop
        for rows in one.rows:
            known = speaking.setdefault(rows.track, [])
            assert not known or known[-1].first_frame + len(known[-1].speaking) == rows.first_frame
            assert not known or not known[-1].ended
            assert rows.first_frame >= one.first
            assert rows.first_frame + len(rows.speaking) <= one.stop
            assert len(rows.boxes) == len(rows.logits) == len(rows.smoothed) == len(rows.speaking)
            known.append(rows)
        stop = one.stop
    assert all(rows[-1].ended for rows in speaking.values())
    masks = {k: np.concatenate([one.speaking for one in rows]) for k, rows in speaking.items()}
    if found[0].speech is None:
        return masks, None, None
    return masks, *(
        np.concatenate([getattr(o, k) for o in found]) for k in ("speech", "off_screen")
    )


def same(found, wanted):
    assert sorted(found[0]) == sorted(wanted[0])
    for track, own in wanted[0].items():
        np.testing.assert_array_equal(found[0][track], own, str(track))
    for one, other in zip(found[1:], wanted[1:], strict=True):
        if other is None:
            assert one is None
        else:
            np.testing.assert_array_equal(one, other)


@given(
    seeds,
    hops,
    lookaheads,
    st.booleans(),
    st.sampled_from([0, 0.1, 0.2, 1.5]),
    st.sampled_from([0, 0.4, 1.2]),
    st.sampled_from([0.02, 0.3]),
)
def test_by_itself_each_face_is_decided_as_in_a_run(
    seed, hop, lookahead, voice, min_s, off, restless
):
    session = hops_made.drawn(seed, voice=voice, restless=restless)
    options = {"min_s": min_s, "off_screen_min_s": off}
    deciding = hops_made.decider(**options, memory_s=1.0)
    found = hops_made.decided(session, deciding, hop, lookahead)
    same(put_together(found), run(session, **options))


@given(seeds, hops, lookaheads)
def test_what_is_not_decided_yet_may_be_the_beginning_of_speech(seed, hop, lookahead):
    session = hops_made.drawn(seed, voice=False, gaps=0)
    deciding = hops_made.decider()
    for one, flush in session.hops(hop, lookahead):
        stop = deciding.take(one, flush=flush).stop
        waits = one.certain_to - stop
        assert 0 <= waits < 5, "shorter than 0.2 s so far"
        begun = [
            face.odds[stop - face.begin : one.certain_to - face.begin]
            for face in session.faces
            if face.begin <= stop and face.end >= one.certain_to
        ]
        assert not waits or any(own[0] >= 0 and (own > -0.62).all() for own in begun)


def test_context_and_calibration_are_those_of_a_run():
    session = hops_made.drawn(3, voice=True)
    plan = hops_made.plan_of()
    calibration = Calibration("lr_asd", 2.0, 0.5)
    scorer = replace(plan.chosen["scorer"], calibration=calibration)
    plan = replace(plan, chosen={**plan.chosen, "scorer": scorer})
    context = Others(OthersConfig(weight=0.5))
    deciding = LiveDecider(plan, LiveConfig(), context, {}, None)
    found = hops_made.decided(session, deciding, 5, 5)
    tracks = tuple(face.as_track() for face in session.faces)
    seen = in_context(tracks, session.shots, session.heard, context, "context=others")
    for track in seen:
        rows = [rows for one in found for rows in one.rows if rows.track == track.id]
        uncalibrated = np.concatenate([own.uncalibrated for own in rows])
        np.testing.assert_array_equal(uncalibrated, track.logits)
        logits = np.concatenate([own.logits for own in rows])
        np.testing.assert_array_equal(logits, calibration.apply(track.logits))
        boxes = np.concatenate([own.boxes for own in rows])
        np.testing.assert_array_equal(boxes, track.boxes)


def test_a_context_that_breaks_its_contract_is_named():
    class Mute:
        def rescore(self, shot):
            return []

    session = hops_made.Session([(0, 50)], [(0, 50)], [hops_made.Face(0, 0, 0, np.ones(50))])
    with pytest.raises(PluginError, match="context"):
        hops_made.decided(session, hops_made.decider(context=Mute()), 5, 5)


def test_a_context_sees_the_seconds_that_are_remembered():
    seen = []

    class Looking:
        def rescore(self, shot):
            seen.append((shot.first_frame, shot.end, [len(t) for t in shot.tracks]))
            return [Scores(track.logits) for track in shot.tracks]

    session = hops_made.Session([(0, 200)], [(0, 200)], [hops_made.Face(0, 0, 0, np.ones(200))])
    deciding = hops_made.decider(context=Looking(), memory_s=2.0)
    hops_made.decided(session, deciding, 5, 5)
    assert seen[3] == (0, 20, [20])
    assert seen[-1] == (140, 200, [60]), "a hop, 2 s of certain rows, the provisional ones"


def test_what_is_kept_does_not_grow():
    """Over half an hour, with breaks: as much is kept as after a minute."""
    stretches = [(k, k + 700) for k in range(0, 45_000, 750)]
    faces = [
        hops_made.Face(n, n, first, np.tile([2.0] * 30 + [-2.0] * 20, 14))
        for n, (first, _) in enumerate(stretches)
    ]
    session = hops_made.Session(stretches, stretches, faces, np.full(45_000, 0.9, np.float32))
    sizes = []
    deciding = hops_made.decider(memory_s=2.0)
    for one, flush in session.hops(25, 5):
        deciding.take(one, flush=flush)
        sizes.append(len(pickle.dumps(deciding)))
    assert max(sizes[60:]) <= max(sizes[:60]) + 200


def test_frames_between_stretches_are_nobodys():
    faces = [hops_made.Face(0, 0, 0, np.full(40, 3.0)), hops_made.Face(1, 1, 90, np.full(40, 3.0))]
    likely = np.full(130, 0.9, np.float32)
    session = hops_made.Session([(0, 40), (90, 130)], [(0, 40), (90, 130)], faces, likely)
    found = hops_made.decided(session, hops_made.decider(), 5, 5)
    masks, speech, off_screen = put_together(found)
    assert all(own.all() for own in masks.values())
    assert np.flatnonzero(~speech).tolist() == list(range(40, 90))
    assert not off_screen.any()
    heard = np.concatenate([one.heard.probabilities for one in found])
    np.testing.assert_array_equal(heard, session.heard.probabilities)


def test_speech_that_is_heard_late_is_waited_for():
    face = hops_made.Face(0, 0, 0, np.full(100, 3.0))
    session = hops_made.Session([(0, 100)], [(0, 100)], [face], np.full(100, 0.9, np.float32))
    deciding, found = hops_made.decider(), []
    for one, flush in session.hops(5, 0):
        stop = one.end if flush else one.end - 15
        before = session.likely[max(one.heard.first_frame - 15, 0) : max(stop, 0)]
        late = Heard(max(one.heard.first_frame - 15, 0), before)
        found.append(deciding.take(replace(one, heard=late), flush=flush))
        assert found[-1].stop == max(stop, 0)
    masks, _, off_screen = put_together(found)
    assert masks[0].all()
    assert not off_screen.any()
