"""How much of what is said goes to whom it belongs, by perfect turns and by a diarizer's.

python -m benchmarks.turns FOLDER [OPTION=VALUE ...]

FOLDER holds videos with their truth, as dataset=dialogue reads them. The turns are made from the
truth: no diarizer runs. Options are those of asd run.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

import asdkit
from asdkit.core.result import Result
from asdkit.core.rttm import merged
from asdkit.core.types import GRID_FPS, Spans
from asdkit.core.voice import Voice
from asdkit.core.voices.assigning import assigned

PARTS = ["detector=yunet", "scorer=lr_asd", "writers=[]"]
JITTER_S = 0.3
"""How far the boundaries of simulated turns are off, at most."""
SEEDS = 100

Turns = Mapping[str, Spans]
"""By name: when this person, or this voice, speaks."""


def truth_of(path: Path, result: Result) -> tuple[Turns, dict[str, str]]:
    """Who speaks when in a video, and the name of each person's track.

    Args:
        path: The truth, as dataset=dialogue reads it.
        result: The result for the video.
    """
    known = json.loads(path.read_text("utf-8"))
    truth: dict[str, Spans] = {}
    names = {}
    for person, frames in known["speaking"].items():
        edges = np.flatnonzero(np.diff(frames, prepend=0, append=0)).reshape(-1, 2) / GRID_FPS
        truth[person] = tuple((float(a), float(b)) for a, b in edges)
        x1, y1, x2, y2 = known["regions"][person]
        seen = {}
        for track in result.tracks:
            x, y = (track.boxes[:, :2] + track.boxes[:, 2:]).mean(0) / 2
            if x1 <= x < x2 and y1 <= y < y2:
                seen[track.name] = sum(frames[track.frames.start : track.frames.stop])
        names[person] = max(seen, key=lambda name: seen[name])
    return truth, names


def split(turns: Turns, rng: np.random.Generator) -> dict[str, Spans]:
    """Divide one voice in two at some moment within the middle of its time."""
    found = dict(turns)
    name = str(rng.choice(sorted(turns)))
    spans = found.pop(name)
    moment_s = spans[0][0] + (spans[-1][1] - spans[0][0]) * rng.uniform(0.3, 0.7)
    found[f"{name}_a"] = tuple((a, min(b, moment_s)) for a, b in spans if a < moment_s)
    found[f"{name}_b"] = tuple((max(a, moment_s), b) for a, b in spans if b > moment_s)
    return found


def jittered(turns: Turns, rng: np.random.Generator, most_s: float = JITTER_S) -> dict[str, Spans]:
    """Move each boundary by up to `most_s` either way; turns that vanish are left out."""
    found = {}
    for name, spans in turns.items():
        moved = np.array(spans) + rng.uniform(-most_s, most_s, (len(spans), 2))
        kept = [(max(float(a), 0.0), float(b)) for a, b in moved if a < b and b > 0]
        if kept:
            found[name] = merged(kept)
    return found


def joined(turns: Turns, one: str, other: str) -> dict[str, Spans]:
    """Make one voice, called BOTH, of two."""
    rest = {name: spans for name, spans in turns.items() if name not in {one, other}}
    return {"both": merged([*turns[one], *turns[other]]), **rest}


def given(
    voices: Iterable[Voice], truth: Turns, names: Mapping[str, str]
) -> tuple[float, float, float]:
    """Of what is said within the voices' turns: seconds given to the right person, to nobody, all.

    Args:
        voices: The assigned voices.
        truth: By person: when they speak, nobody while another does.
        names: By person: the name of their track.
    """
    right_s = nobody_s = all_s = 0.0
    for start_s, end_s, name in (part for voice in voices for part in voice.parts()):
        for person, spans in truth.items():
            said_s = sum(max(0.0, min(end_s, b) - max(start_s, a)) for a, b in spans)
            all_s += said_s
            right_s += said_s * (name == names[person])
            nobody_s += said_s * (name is None)
    return right_s, nobody_s, all_s


def simulated(
    result: Result, truth: Turns, names: Mapping[str, str], seeds: Iterable[int] = range(SEEDS)
) -> tuple[float, float, float]:
    """`given`, summed over simulations with one voice split and all boundaries off."""
    found = np.zeros(3)
    for seed in seeds:
        rng = np.random.default_rng(seed)
        turns = jittered(split(truth, rng), rng)
        found += given(assigned(turns, result.tracks, result.shots), truth, names)
    right_s, nobody_s, all_s = found.tolist()
    return right_s, nobody_s, all_s


def main(words: Sequence[str]) -> None:
    """Print a line for each video."""
    folder, *options = words
    sums = np.zeros((3, 3))
    for path in sorted(Path(folder).glob("*.json")):
        video = next(p for p in sorted(path.parent.glob(f"{path.stem}.*")) if p.suffix != ".json")
        result = asdkit.run(video, [*PARTS, *options])
        truth, names = truth_of(path, result)
        one, other = sorted(truth)[:2]
        rows = [
            given(assigned(truth, result.tracks, result.shots), truth, names),
            simulated(result, truth, names),
            given(assigned(joined(truth, one, other), result.tracks, result.shots), truth, names),
        ]
        sums += rows
        _print(path.stem, rows)
    _print("all", sums.tolist())


def _print(name: str, rows: Iterable[Sequence[float]]) -> None:
    kinds = ("perfect", f"one split, {JITTER_S:g} s off", "two merged")
    for kind, (right_s, nobody_s, all_s) in zip(kinds, rows, strict=True):
        print(f"{name}: {kind}: right {right_s / all_s:.3f}, nobody {nobody_s / all_s:.3f}")


if __name__ == "__main__":
    main(sys.argv[1:])
