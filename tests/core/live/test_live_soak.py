"""Memory stays the same, however long a session goes on."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
from enduring import QUICK, installed_in, known, whole
from synth import steady

import asdkit

MINUTES = 4


@pytest.fixture(scope="module", autouse=True)
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Quick parts, found as a stranger's are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(installed_in(tmp_path_factory.mktemp("site")))
        known()
        yield
    known()


@pytest.mark.slow
def test_memory_is_flat(tmp_path):
    """Sound begins and ends every few seconds, and the face goes away every 40 s."""
    feed = asdkit.LiveFeed(live=False)
    face, nobody = steady(0, 96, 64), np.zeros((64, 96, 3), np.uint8)

    def hand_over() -> None:
        for number in range(MINUTES * 60 * 25):
            feed.picture(nobody if number % 1000 < 20 else face, number / 25)
            loud = 5000 * (number % 100 < 60)
            feed.sound(np.full(640, loud, np.int16), 16_000, number / 25)
        feed.end()

    thread = threading.Thread(target=hand_over)
    words = [*QUICK, f"output={tmp_path / 'out'}", "live.part_s=20", "live.memory_s=10"]
    sizes, counts, measured = [], [], 0
    tracemalloc.start()
    try:
        thread.start()
        with asdkit.live(feed, words) as session:
            for event in session:
                # Each time at the same place of what is handed over, and of a part.
                if event.event == "faces" and event.time_s >= 40 * (measured + 1) + 10:
                    gc.collect()
                    sizes.append(tracemalloc.get_traced_memory()[0])
                    counts.append(len(gc.get_objects()))
                    measured += 1
    finally:
        tracemalloc.stop()
        thread.join()
    events = whole(tmp_path / "out")
    assert events[-1].time_s == pytest.approx(MINUTES * 60, abs=0.04)
    assert sum(event.event == "speaking" for event in events) >= MINUTES * 15
    assert len(sizes) == 5
    early, late = sizes[1], np.mean(sizes[-2:])
    assert late <= 1.02 * early + 256 * 1024, sizes  # what waits in the feed differs
    assert np.mean(counts[-2:]) <= 1.02 * counts[1] + 500, counts
