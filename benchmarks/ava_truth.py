"""AVA's form of labelled dialogues: `python -m benchmarks.ava_truth FOLDER truth.csv`.

FOLDER holds what `asd evaluate dataset=dialogue dataset.folder=FOLDER` reads. The faces are found
by asdkit with `detector=yunet`; each gets a row for each picture of its video, with the label of
the region that it is in at the nearest frame of the 25 fps grid. What this can show is how
evaluations of the same faces differ, and not how well faces are found.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

import asdkit
from asdkit.core.ava_csv import NOT_SPEAKING, SPEAKING_AUDIBLE, TRUTH_COLUMNS
from asdkit.core.files import whole
from asdkit.core.labels import LabelledVideo
from asdkit.core.result import Result
from asdkit.core.types import GRID_FPS
from asdkit.plugins.datasets.dialogue import Dialogue


def ava_rows(video: LabelledVideo, result: Result) -> Iterator[tuple[str | float, ...]]:
    """The rows of AVA's truth of a video, track after track; columns as in `TRUTH_COLUMNS`.

    Args:
        video: A video of `dataset=dialogue`.
        result: Its result, of which the boxes are used.
    """
    assert video.judge
    size = [result.video.width, result.video.height] * 2
    fps = result.video.fps
    for track in result.tracks:
        judged = video.judge(replace(result, tracks=(track,)))
        at = np.round(judged.time_s[judged.found] * GRID_FPS).astype(int)
        speaks = dict(zip(at.tolist(), judged.truth[judged.found].tolist(), strict=True))
        grid = np.array(track.frames)
        for number in range(
            math.ceil(grid[0] * fps / GRID_FPS), math.floor(grid[-1] * fps / GRID_FPS) + 1
        ):
            place = number / fps * GRID_FPS
            if (near := math.ceil(place - 0.5)) not in speaks:
                continue
            box = [np.interp(place, grid, edges) for edges in np.clip(track.boxes / size, 0, 1).T]
            label = SPEAKING_AUDIBLE if speaks[near] else NOT_SPEAKING
            name = f"{video.name}:{track.id}"
            time_s = f"{number / fps + result.video.start_s:.2f}"
            yield (video.name, time_s, *(f"{edge:.6f}" for edge in box), label, name)


def main() -> None:
    """Write the truth of all videos of a folder."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    options = parser.parse_args()
    with whole(options.output) as aside, aside.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(TRUTH_COLUMNS)
        for video in Dialogue(options.folder).videos():
            result = asdkit.run(str(video.path), detector="yunet", scorer="lip_motion")
            rows.writerows(ava_rows(video, result))


if __name__ == "__main__":
    main()
