"""Memory stays the same, however long a session goes on.

All repeats every ten seconds, and is measured at the same moment of it.
"""

from __future__ import annotations

import gc
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from enduring import QUICK, installed_in, known, whole
from synth import steady

import asdkit

PERIOD = 250
"""Frames. In so many a face goes and comes back, two turns begin and end, two parts are written."""
STATM = Path("/proc/self/statm")


@pytest.fixture(scope="module", autouse=True)
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Quick parts, found as a stranger's are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(installed_in(tmp_path_factory.mktemp("site")))
        known()
        yield
    known()


@pytest.fixture
def measured(tmp_path, monkeypatch) -> Callable[[int, Callable[[], object]], list]:
    """Runs a session of so many periods; what is measured in each but for the first two."""
    # Nothing runs ahead: what waits would be measured, too.
    monkeypatch.setattr("asdkit.core.live.handed.MOST_BYTES", 100_000)

    def run(periods: int, measure: Callable[[], object]) -> list:
        feed = asdkit.LiveFeed(live=False)
        face, nobody = steady(0, 96, 64), np.zeros((64, 96, 3), np.uint8)

        def hand_over() -> None:
            for number in range(periods * PERIOD):
                feed.picture(nobody if number % PERIOD < 20 else face, number / 25)
                loud = 5000 * (number % 125 < 75)
                feed.sound(np.full(640, loud, np.int16), 16_000, number / 25)
            feed.end()

        thread = threading.Thread(target=hand_over)
        words = [*QUICK, f"output={tmp_path / 'out'}", "live.part_s=5", "live.memory_s=10"]
        found, due_s = [], 27.0
        with asdkit.live(feed, words) as session:
            thread.start()
            for event in session:
                if event.event == "faces" and event.time_s >= due_s:
                    due_s += PERIOD / 25
                    gc.collect()
                    found.append(measure())
        thread.join()
        events = whole(tmp_path / "out")
        assert events[-1].time_s == periods * PERIOD / 25
        assert sum(e.event == "speaking" and e.certain for e in events) == 2 * periods
        assert sum(event.event == "written" for event in events) == 2 * periods
        assert len(found) == periods - 2
        return found

    return run


@pytest.mark.slow
def test_memory_is_flat(measured):
    """The bytes that Python's objects take."""
    tracemalloc.start()
    try:
        first, *later = measured(5, lambda: tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert max(later) <= 1.02 * first, (first, later)


@pytest.mark.slow
def test_nothing_adds_up(measured):
    """The number of objects, and the memory of the process, which FFmpeg's frames are part of."""

    def measure() -> tuple[int, int]:
        return len(gc.get_objects()), int(STATM.read_text().split()[1]) if STATM.exists() else 0

    (objects, pages), *later = measured(12, measure)
    assert max(count for count, _ in later) <= objects + 50, (objects, later)
    assert max(size for _, size in later) <= 1.02 * pages, (pages, later)
