"""Each frame comes with whether a shot begins with it, cut beside the rest or not."""

from __future__ import annotations

import threading
from contextlib import closing

import numpy as np
import pytest
from analysing import frames_of

from asdkit.core.analysis.cutting import with_cuts
from asdkit.core.errors import PluginError
from asdkit.core.progress import Stopwatch

THREAD = "asdkit-ahead"


class Late:
    """A cutter that tells of a frame some frames later."""

    def __init__(self, lookahead, *, cuts=(), concurrent=False, fails_at=None):
        self.lookahead_frames = lookahead
        self.concurrent = concurrent
        self.cuts = cuts
        self.fails_at = fails_at
        self.asked = []
        self.threads = set()

    def starts_shot(self, frame, index):
        self.threads.add(threading.current_thread().name)
        if index == self.fails_at:
            raise RuntimeError("no more")
        self.asked.append((index, frame[0, 0, 0]))
        return index - self.lookahead_frames in self.cuts


def cuts_of(cutter, frames, threads=2):
    images = (np.full((8, 8, 3), k, np.uint8) for k in range(frames))
    return with_cuts(frames_of(images), cutter, Stopwatch(), "The cutter", threads)


@pytest.mark.parametrize("concurrent", [True, False])
@pytest.mark.parametrize("frames", [0, 1, 2, 3, 4, 9])
@pytest.mark.parametrize("lookahead", [0, 1, 3])
def test_the_answer_about_each_frame_comes_with_it(lookahead, frames, concurrent):
    cutter = Late(lookahead, cuts=(2, 5), concurrent=concurrent)
    found = list(cuts_of(cutter, frames))
    assert [frame.index for frame, _ in found] == list(range(frames))
    assert [frame.index for frame, cut in found if cut] == [k for k in (2, 5) if k < frames]
    shown = [(k, min(k, frames - 1)) for k in range(frames + lookahead)] if frames else []
    assert cutter.asked == shown


@pytest.mark.parametrize(
    ("concurrent", "threads", "beside"), [(True, 2, True), (True, 1, False), (False, 2, False)]
)
def test_a_cutter_runs_beside_others_only_if_both_allow_it(concurrent, threads, beside):
    cutter = Late(1, concurrent=concurrent)
    list(cuts_of(cutter, 5, threads))
    assert cutter.threads == {THREAD if beside else threading.current_thread().name}


@pytest.mark.parametrize("concurrent", [True, False])
def test_an_error_comes_after_the_frames_before_it(concurrent):
    cutter = Late(2, concurrent=concurrent, fails_at=6)
    found = []
    with (
        pytest.raises(PluginError, match="The cutter failed: RuntimeError: no more"),
        closing(cuts_of(cutter, 9)) as cuts,
    ):
        found.extend(frame.index for frame, _ in iter(cuts))
    assert cutter.asked[-1][0] == 5
    assert THREAD not in {thread.name for thread in threading.enumerate()}
