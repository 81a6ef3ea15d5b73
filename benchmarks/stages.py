"""Milliseconds per frame of each stage: `python -m benchmarks.stages FILE [OPTION=VALUE ...]`.

Runs with experiment=offline and, so that each stage costs what it does by itself, in one thread,
unless told otherwise; everything is written, to a temporary folder.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator

import asdkit
from asdkit.core.result import Result

from .machine import describe


def main(words: list[str]) -> None:
    """Run on a file and print the table."""
    if not words:
        sys.exit("python -m benchmarks.stages FILE [OPTION=VALUE ...]")
    video, *overrides = words
    overrides = ["threads=1", *(overrides or ["experiment=offline"])]
    with tempfile.TemporaryDirectory() as folder:
        result = asdkit.run(video, [*overrides, f"output={folder}/out"])
    print(describe())
    print(f"{result.video.path.name} {' '.join(overrides)}")
    print(*table(result), sep="\n")


def table(result: Result) -> Iterator[str]:
    """A line for each stage of a run, and how much it had to do."""
    frames = sum(end - start for start, end in result.shots)
    faces = sum(len(track) for track in result.tracks)
    yield f"{frames} frames at 25 fps, {faces} face frames"
    yield f"{'stage':<8} {'s':>8} {'ms/frame':>9}"
    for stage, seconds in result.timings_s.items():
        yield f"{stage:<8} {seconds:8.2f} {1000 * seconds / frames:9.2f}"


if __name__ == "__main__":
    main(sys.argv[1:])
