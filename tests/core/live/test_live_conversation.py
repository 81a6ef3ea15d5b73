"""All faces of a shot are decided together, hop by hop: as in a run, or after a lag at most."""

from __future__ import annotations

import hops_made
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_live_deciding import put_together, run, same

from asdkit.core.decisions.conversation import Chain, ConversationConfig
from asdkit.core.decisions.turns import seated
from asdkit.core.decisions.viterbi import Search, Speakers, viterbi
from asdkit.core.live import choosing

seeds = st.integers(0, 10**6)
modes = st.sampled_from(["exclusive", "overlap"])


@settings(max_examples=20)
@given(
    seeds,
    st.integers(1, 12),
    st.integers(0, 12),
    modes,
    st.booleans(),
    st.sampled_from([0, 0.2, 1.0]),
    st.sampled_from([0.02, 0.3]),
)
def test_with_time_enough_it_is_what_a_run_decides(
    seed, hop, lookahead, mode, voice, min_s, restless
):
    session = hops_made.drawn(seed, voice=voice, restless=restless)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choosing, "LONGEST_LAG_S", 1000.0)
        deciding = hops_made.decider(decisions=mode, min_s=min_s, memory_s=1.0)
    found = hops_made.decided(session, deciding, hop, lookahead)
    same(put_together(found), run(session, decisions=mode, min_s=min_s))


@given(seeds, modes)
@settings(max_examples=20)
def test_a_search_that_is_taken_up_again_finds_the_same(seed, mode):
    """And what it calls settled is the same, whatever comes after."""
    session = hops_made.drawn(seed, voice=True, gaps=0)
    (first, end), config = session.shots[0], ConversationConfig()
    faces = [face.as_track() for face in session.faces if face.shot == 0]
    chain = Chain(config, off_screen=True, pairs=mode == "overlap")
    seats, _ = seated(faces, first, end, session.heard, config)
    wanted = viterbi(seats, chain)
    search = Search(seats, chain)
    for frame in range((end - first + 1) // 2):
        search.step(frame)
    settled = search.settled()
    for one, other in zip(search.path(), wanted, strict=True):
        np.testing.assert_array_equal(one[:settled], other[:settled])
    if not settled:
        return
    begin = first + settled - 1
    speaks, unseen = (one[settled - 1] for one in wanted)
    later = [face for face in faces if face.frames.stop > begin]
    rest, columns = seated(later, begin, end, session.heard, config)
    said = np.zeros(rest.face.shape[1], np.bool_)
    numbers = seats.face[settled - 1, speaks]
    for face, column in zip(later, columns, strict=True):
        said[column] |= faces.index(face) in numbers
    again = Search(rest, chain, Speakers(said, bool(unseen)))
    for frame in range(end - begin):
        again.step(frame)
    path, nobody = again.path()
    np.testing.assert_array_equal(nobody, wanted[1][settled - 1 :])
    np.testing.assert_array_equal(path.sum(1), wanted[0][settled - 1 :].sum(1))


@pytest.mark.parametrize("mode", ["exclusive", "overlap"])
def test_what_stays_open_is_decided_after_the_lag(mode):
    """Two who are as likely to speak: no later frame settles it, the likeliest way is taken."""
    odds = np.concatenate([np.full(50, -3.0), np.full(150, 0.21)])
    faces = [hops_made.Face(0, 0, 0, odds), hops_made.Face(1, 0, 0, odds + 0.001)]
    session = hops_made.Session([(0, 200)], [(0, 200)], faces)
    deciding = hops_made.decider(decisions=mode, min_s=0)
    waits = []
    for one, flush in session.hops(5, 5):
        waits.append(one.certain_to - deciding.take(one, flush=flush).stop)
    assert max(waits) == round(choosing.LONGEST_LAG_S * 25)
    assert waits[5] <= 2, "both are silent, perhaps but for the last frames"


def test_exclusive_has_one_voice_at_a_time_across_hops():
    session = hops_made.drawn(11, voice=True, faces=6, restless=0.05)
    masks = np.zeros((len(session.faces), 400), int)
    found = hops_made.decided(session, hops_made.decider(decisions="exclusive"), 5, 5)
    for one in found:
        for rows in one.rows:
            masks[rows.track, rows.first_frame : rows.first_frame + len(rows.speaking)] = (
                rows.speaking
            )
    assert masks.sum(0).max() == 1
