"""Live sessions that never were: shots, faces and speech, in hops and as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from asdkit.core.config.compose import compose_run
from asdkit.core.config.plan import AnalysisPlan, make_plan
from asdkit.core.live.decided import Decided
from asdkit.core.live.deciding import LiveDecider
from asdkit.core.live.hops import Hop, HopFace
from asdkit.core.live.settings import LiveConfig
from asdkit.core.types import Heard, Track

NOBODY = np.empty((0, 0), np.float32)


@dataclass
class Face:
    """A face, all of it; `looks` are the embeddings of some of its frames."""

    track: int
    shot: int
    begin: int
    odds: np.ndarray
    looks: dict[int, np.ndarray] = field(default_factory=dict)
    source_id: int | None = None

    @property
    def end(self) -> int:
        return self.begin + len(self.odds)

    @property
    def boxes(self) -> np.ndarray:
        left = 100.0 * self.track + np.arange(self.begin, self.end) / 10
        return np.stack([left, left * 0, left + 50, left * 0 + 50], 1)

    @property
    def logits(self) -> np.ndarray:
        return np.stack([self.odds * 0, self.odds], 1).astype(np.float32)

    def as_track(self) -> Track:
        return Track(
            self.track,
            self.shot,
            self.begin,
            self.boxes,
            np.zeros((len(self.odds), 3)),
            self.logits,
            (),
            np.array(list(self.looks), np.int64),
            np.array(list(self.looks.values()), np.float32) if self.looks else NOBODY,
        )


@dataclass
class Session:
    """A session: (first, end) of stretches and of shots, its faces, speech (frames,) if any."""

    stretches: list[tuple[int, int]]
    shots: list[tuple[int, int]]
    faces: list[Face]
    likely: np.ndarray | None = None

    @property
    def heard(self) -> Heard | None:
        """All that was heard: nothing between stretches."""
        if self.likely is None:
            return None
        there = np.zeros(len(self.likely), np.bool_)
        for first, end in self.stretches:
            there[first:end] = True
        return Heard(0, np.where(there, self.likely, 0).astype(np.float32))

    def hops(self, hop: int, lookahead: int, *, noise: float = 3.0) -> Iterator[tuple[Hop, bool]]:
        """Its hops, of so many frames; provisional scores have noise."""
        rng = np.random.default_rng(0)
        told: dict[int, int] = {}

        def noise_of(rows: int) -> np.ndarray:
            return rng.normal(0, 1, rows) * noise

        before = last = 0
        for first, end in self.stretches:
            ends = [k for k in range(first + 1, end) if k % hop == 0]
            last = first
            for stop in [*ends, end]:
                flush = stop == end
                certain = stop if flush else max(before, stop - lookahead)
                yield self._hop(last, stop, certain, flush, told, noise_of), flush
                before, last = certain, stop

    def _hop(self, last, stop, certain, flush, told, noise) -> Hop:
        def over(end):
            return end < stop or (flush and end == stop)

        shots = [
            (number, first, end if over(end) else None)
            for number, (first, end) in enumerate(self.shots)
            if first < stop and end > last - 1
        ]
        faces = []
        for face in self.faces:
            known = told.setdefault(face.track, face.begin)
            if known < 0 or face.begin >= stop:
                continue
            ended = over(face.end)
            upto = min(face.end, stop)
            sure = max(face.end if ended else min(certain, upto), known)
            rows = slice(known - face.begin, upto - face.begin)
            logits = face.logits[rows]
            logits[sure - known :, 1] += noise(upto - sure)
            looks = {k: v for k, v in face.looks.items() if last <= k < stop}
            faces.append(
                HopFace(
                    face.track,
                    face.shot,
                    face.begin,
                    known,
                    face.boxes[rows],
                    np.zeros((upto - known, 3)),
                    logits,
                    sure - known,
                    np.array(list(looks), np.int64),
                    np.array(list(looks.values()), np.float32) if looks else NOBODY,
                    ended,
                    face.source_id,
                )
            )
            told[face.track] = -1 if ended else sure
        heard = None if self.likely is None else Heard(last, self.likely[last:stop])
        return Hop(stop, certain, stop, tuple(shots), tuple(faces), heard=heard)


@cache
def _plan() -> AnalysisPlan:
    return make_plan(compose_run(["device=cpu", "writers=[]"], "x.mp4"))


def plan_of(**options: Any) -> AnalysisPlan:
    """The plan of a run, but for these options; `min_s=0.1` and so on are those of segments."""
    plan = _plan()
    segments = {k: options.pop(k) for k in ("on", "off", "min_s") if k in options}
    speech = {k: options.pop(k) for k in ("off_screen_min_s",) if k in options}
    own = plan.options
    changed = replace(
        own,
        segments=replace(own.segments, **segments),
        speech=replace(own.speech, **speech),
        **options,
    )
    return replace(plan, options=changed)


def decider(
    *,
    people: Any = None,
    distance: float | None = None,
    context: Any = None,
    memory_s: float = 20.0,
    **options: Any,
) -> LiveDecider:
    config = LiveConfig(memory_s=memory_s)
    return LiveDecider(plan_of(**options), config, context, people or {}, distance)


def decided(session: Session, deciding: LiveDecider, hop: int, lookahead: int) -> list[Decided]:
    return [deciding.take(one, flush=flush) for one, flush in session.hops(hop, lookahead)]


def drawn(
    seed: int, *, voice: bool, faces: int = 3, gaps: int = 1, restless: float = 0.3
) -> Session:
    """A session drawn by a seed: people take turns, come and go; shots change, streams break."""
    rng = np.random.default_rng(seed)
    stretches, shots, found, at = [], [], [], int(rng.integers(0, 3))
    for _ in range(gaps + 1):
        begin = at
        for _ in range(int(rng.integers(1, 3))):
            first, at = at, at + int(rng.integers(2, 70))
            for _ in range(int(rng.integers(0, faces + 1))):
                start = first + int(rng.integers(0, at - first))
                end = start + int(rng.integers(1, at - start + 1))
                if rng.random() < 0.5:
                    start, end = first, at
                found.append(Face(0, len(shots), start, wandering(rng, end - start, restless)))
            shots.append((first, at))
        stretches.append((begin, at))
        at += int(rng.integers(1, 30))
    found.sort(key=lambda face: face.begin)
    found = [replace(face, track=number) for number, face in enumerate(found)]
    likely = None
    if voice:
        end = stretches[-1][1]
        likely = 1 / (1 + np.exp(-wandering(rng, end, restless) - 1))
        likely = likely.astype(np.float32)
    return Session(stretches, shots, found, likely)


def wandering(rng: np.random.Generator, frames: int, restless: float) -> np.ndarray:
    """(frames,) log odds that change sign now and then, with noise."""
    signs = np.where(np.cumsum(rng.random(frames) < restless / 2) % 2, 1.0, -1.0)
    return rng.choice([-1, 1]) * signs * rng.uniform(0.2, 3) + rng.normal(0, 0.7, frames)
