"""All faces of a shot are decided together, hop by hop: as in a run, or after a lag at most."""

from __future__ import annotations

import hopping
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


@settings(max_examples=25)
@given(seeds, st.integers(1, 12), st.integers(0, 12), modes, st.booleans(),
       st.sampled_from([0, 0.2, 1.0]), st.sampled_from([0.02, 0.3]))
def test_with_time_enough_it_is_what_a_run_decides(seed, hop, lookahead, mode, voice, min_s, restless):
    session = hopping.drawn(seed, voice=voice, restless=restless)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choosing, "LONGEST_LAG_S", 1000.0)
        deciding = hopping.decider(decisions=mode, min_s=min_s, memory_s=1.0)
    found = hopping.decided(session, deciding, hop, lookahead)
    same(put_together(found), run(session, decisions=mode, min_s=min_s))
