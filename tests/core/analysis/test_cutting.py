"""Each frame comes with whether a shot begins with it, cut beside the rest or not."""

from __future__ import annotations

import gc
import threading
from contextlib import closing, suppress

import numpy as np
import pytest
from analysing import frames_of

from asdkit.core.analysis.cutting import with_cuts
from asdkit.core.errors import PluginError
from asdkit.core.pictures import Frame
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


def cuts_of(cutter, frames, *, overlap=True):
    images = (np.full((8, 8, 3), k, np.uint8) for k in range(frames))
    return with_cuts(frames_of(images), cutter, Stopwatch(), "The cutter", overlap=overlap)


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
    ("concurrent", "overlap"), [(True, True), (True, False), (False, True), (False, False)]
)
def test_a_cutter_runs_beside_others_only_if_both_allow_it(concurrent, overlap):
    cutter = Late(1, concurrent=concurrent)
    list(cuts_of(cutter, 5, overlap=overlap))
    beside = concurrent and overlap
    assert cutter.threads == {THREAD if beside else threading.current_thread().name}


class Unseen:
    """A picture that must not be converted."""

    height, width = 6, 8


class Blind:
    """A cutter that looks at no pictures."""

    looks = False

    def starts_shot(self, frame, index):
        assert frame.shape == (6, 8, 3)
        assert not frame.any()
        return index == 2


def test_nothing_is_converted_for_a_cutter_that_does_not_look():
    pictures = (Frame(k, Unseen()) for k in range(4))
    found = with_cuts(pictures, Blind(), Stopwatch(), "The cutter", overlap=False)
    assert [frame.index for frame, cut in found if cut] == [2]


def test_what_is_neither_yes_nor_no_is_refused():
    with pytest.raises(PluginError, match="concurrent='perhaps', which must be True or False"):
        cuts_of(Late(1, concurrent="perhaps"), 5)


@pytest.mark.parametrize("concurrent", [True, False])
@pytest.mark.parametrize("fails_at", [3, None])
def test_the_frames_are_closed_however_it_ends(concurrent, fails_at):
    closed = []

    def frames():
        try:
            yield from frames_of(np.full((8, 8, 3), k, np.uint8) for k in range(20))
        finally:
            closed.append(True)

    cutter = Late(0, concurrent=concurrent, fails_at=fails_at)
    gc.disable()
    try:
        cuts = with_cuts(frames(), cutter, Stopwatch(), "x", overlap=True)
        with suppress(PluginError), closing(cuts):
            for frame, _ in cuts:
                if frame.index == 6:
                    break
        assert closed
    finally:
        gc.enable()


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
