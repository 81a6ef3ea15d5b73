"""Live sessions with quick parts, that are given faults; and what must be whole after each.

The detector finds a face in the middle of every picture, and the scorer finds that it speaks
whenever there is sound.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from strangers import package

import asdkit
from asdkit.core.live.events import LiveEvent
from asdkit.core.live.lines import event_of
from asdkit.core.registry import registry
from asdkit.core.rttm import read_rttm

CODE = """
from dataclasses import dataclass

import numpy as np

import asdkit


@dataclass(frozen=True)
class Config:
    \"\"\"No parameters.\"\"\"


class Middle:
    \"\"\"Finds a face in the middle of every picture.\"\"\"

    def detect(self, images, frames):
        return [self.found(*image.shape[:2]) for image in images]

    def found(self, height, width):
        box = np.array([[width / 4, height / 4, 3 * width / 4, 3 * height / 4]])
        return asdkit.Detections(box, np.ones(1))


class Loud:
    \"\"\"Finds that a face speaks while there is sound.\"\"\"

    def score(self, clips):
        return [self.scored(clip.sound.reshape(len(clip), -1)) for clip in clips]

    def scored(self, sound):
        loud = np.where(np.abs(sound.astype(int)).max(axis=1) > 1000, 2.0, -2.0)
        return asdkit.Scores(np.stack([-loud, loud], 1).astype(np.float32))


@asdkit.hookimpl
def asdkit_components():
    return [
        asdkit.Component("detector", "middle", Config, lambda config, context: Middle()),
        asdkit.Component("scorer", "loud", Config, lambda config, context: Loud()),
    ]
"""
QUICK = [
    *("detector=middle", "scorer=loud", "cutter=none", "detect_every=1"),
    *("writers=[json,rttm]", "live.part_s=1", "live.stall_s=0.5", "live.hop_s=0.2"),
]
"""Options of a session with these parts."""
PATIENCE_S = 30.0


def installed_in(site: Path) -> Path:
    """Make a package of the parts in a folder; the folder."""
    return package(site, "quick_parts", CODE)


@contextmanager
def followed(
    source: Any, folder: Path, *words: str, until: Callable[[LiveEvent], bool] | None = None
) -> Iterator[list[LiveEvent]]:
    """What a session tells to its end, or until it has told something.

    It is an error if that does not come within a generous time.
    """
    told = []
    late = threading.Event()
    with asdkit.live(source, [*QUICK, f"output={folder}", *words]) as session:

        def give_up() -> None:
            late.set()
            session.stop()

        timer = threading.Timer(PATIENCE_S, give_up)
        timer.start()
        try:
            for event in session:
                told.append(event)
                if until is not None and until(event):
                    until = None
                    session.stop()
        finally:
            timer.cancel()
            timer.join()
    assert not late.is_set(), [one for one in told if one.event not in ("faces", "status")][-5:]
    yield told


def whole(folder: Path, *, ended: bool = True) -> list[LiveEvent]:
    """The events that a session left in a folder, where all must be whole.

    Args:
        folder: Its results.
        ended: Whether the session could tell that it ended.
    """
    text = (folder / "events.jsonl").read_text("utf-8")
    assert text.endswith("\n")
    events = [event_of(json.loads(line)) for line in text.splitlines()]
    assert events[0].event == "begun"
    kinds = [event.event for event in events]
    assert kinds.count("begun") == 1
    assert kinds.count("ended") == int(ended)
    assert not ended or kinds[-1] == "ended"
    _alternate(events)
    parts = sorted((folder / "parts").glob("*")) if (folder / "parts").exists() else []
    shown = [part for part in parts if "." not in part.name]
    for part in shown:
        result = asdkit.Result.load(part / "result.json")
        for track in result.tracks:
            assert len(track.boxes) == len(track.logits)
        if (part / "speakers.rttm").stat().st_size:
            read_rttm([part / "speakers.rttm"])
    named = [event.about["folder"] for event in events if event.event == "written"]
    assert set(named) <= {f"parts/{part.name}" for part in shown}
    if ended:
        assert [part.name for part in parts] == [part.name for part in shown], "nothing is left"
        assert len(named) == len(shown)
    turns = folder / "speakers.rttm"
    if turns.exists() and turns.stat().st_size:
        assert turns.read_text("utf-8").endswith("\n")
        read_rttm([turns])
    return events


def _alternate(events: list[LiveEvent]) -> None:
    """Certain events of one track alternate, in order of time."""
    told: dict[int | None, list[LiveEvent]] = defaultdict(list)
    for event in events:
        if event.event in ("speaking", "silent") and event.certain:
            told[event.track].append(event)
    for track, its in told.items():
        kinds = [event.event for event in its]
        assert kinds == (["speaking", "silent"] * len(its))[: len(its)], (track, kinds)
        times = [event.time_s for event in its]
        assert times == sorted(times), (track, times)


def interruptions(events: list[LiveEvent]) -> list[str]:
    """The reasons of all interruptions."""
    return [event.reason or "" for event in events if event.event == "interrupted"]


def known() -> None:
    """Look anew for the components that are installed."""
    registry.cache_clear()
    registry()
