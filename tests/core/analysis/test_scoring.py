"""Clips are scored beside the rest of the pass, in order, and never more of them than asked."""

from __future__ import annotations

import gc
import threading
import time
import weakref

import numpy as np
import pytest

from asdkit.core.analysis.scoring import Scoring
from asdkit.core.errors import PluginError
from asdkit.core.progress import Stopwatch
from asdkit.core.types import Clip, Scores

THREAD = "asdkit-scores"


class Grey:
    """Scores a clip by its grey level; waits for leave before each group, if told to."""

    def __init__(self, *, waits=False, fails_at=None):
        self.leave = threading.Semaphore(0 if waits else 1000)
        self.fails_at = fails_at
        self.asked = []
        self.threads = set()

    def score(self, clips):
        self.threads.add(threading.current_thread().name)
        assert self.leave.acquire(timeout=60)
        self.asked.append(len(clips))
        if self.fails_at == len(self.asked):
            raise RuntimeError("no more")
        return [Scores(np.full((len(clip), 2), clip.faces[0, 0, 0])) for clip in clips]


def clip(grey, frames=2):
    return Clip(np.full((frames, 112, 112), grey, np.uint8), np.zeros(frames * 640, np.int16))


def scoring(scorer, *, beside=True):
    return Scoring(scorer, Stopwatch(), "The scorer", beside=beside)


def left():
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(THREAD)]


@pytest.mark.parametrize("beside", [True, False])
def test_each_track_gets_its_own_logits_in_order(beside):
    scorer, tracks = Grey(), [[], []]
    ours = scoring(scorer, beside=beside)
    for grey in (1, 3, 5):
        ours.add([(tracks[0], clip(grey)), (tracks[1], clip(grey + 1, frames=3))])
    ours.add([])
    ours.finish()
    ours.close()
    assert [logits[0, 0] for logits in tracks[0]] == [1, 3, 5]
    assert [logits.shape for logits in tracks[1]] == [(3, 2)] * 3
    assert scorer.asked == [2, 2, 2]
    assert {name.startswith(THREAD) for name in scorer.threads} == {beside}
    assert not left()


def test_one_group_is_scored_and_one_waits_before_the_pass_does():
    scorer, track = Grey(waits=True), []
    ours = scoring(scorer)
    ours.add([(track, clip(1))])
    ours.add([(track, clip(2))])
    third = threading.Thread(target=ours.add, args=([(track, clip(3))],))
    third.start()
    third.join(0.2)
    assert third.is_alive()
    assert not track
    scorer.leave.release()
    third.join(60)
    assert [logits[0, 0] for logits in track] == [1]
    scorer.leave.release(2)
    ours.finish()
    ours.close()
    assert [logits[0, 0] for logits in track] == [1, 2, 3]


def test_an_error_ends_the_pass_with_the_next_frame():
    scorer, track = Grey(fails_at=1), []
    ours = scoring(scorer)
    ours.add([(track, clip(1))])
    with pytest.raises(PluginError, match="The scorer failed: RuntimeError: no more"):
        while True:
            ours.look()
    ours.close()
    assert not left()


def test_closed_it_ends_the_call_that_runs_at_its_next_step_and_begins_no_other():
    class Slow:
        steps, begun = 0, 0

        def score(self, clips):
            self.begun += 1
            for _ in range(6000):
                self.steps += 1
                time.sleep(0.01)
            raise AssertionError("nobody stopped it")

    scorer, track = Slow(), []
    ours = scoring(scorer)
    ours.add([(track, clip(1))])
    ours.add([(track, clip(2))])
    while scorer.steps < 2:
        time.sleep(0.01)
    ours.close()
    ours.close()
    assert scorer.begun == 1
    assert scorer.steps < 6000
    assert not track
    assert not left()


def test_nothing_is_held_after_an_error():
    scorer, track = Grey(fails_at=1), []
    one = clip(1)
    alive = weakref.ref(one)
    ours = scoring(scorer)
    ours.add([(track, one)])
    del one
    gc.disable()
    try:
        with pytest.raises(PluginError):
            ours.finish()
        ours.close()
        assert alive() is None
    finally:
        gc.enable()
