"""What presets cost and give: `python -m benchmarks.presets FOLDER NAME[,OPTION=VALUE...] ...`.

FOLDER holds clips with truth, as for benchmarks.clips; each further word is a preset with the
options it needs, such as "fast" or "offline,detect_every=3"; "default" is none. Every preset runs
in a process of its own on every clip, and the presets take turns. Nothing is written.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from .clips import average_precision
from .machine import describe

_RUN = """
import json, resource, sys
import asdkit
from asdkit.benchmarks.clips import judged
from asdkit.core.segments import mask

video, *overrides = sys.argv[1:]
result = asdkit.run(video, [*overrides, "writers=[]"])
truth = json.load(open(video.rsplit(".", 1)[0] + ".json"))
scores, spoken = judged(result, truth)
said = judged(result, truth, lambda track: mask(track.speaking, track.first_frame, len(track)))[0]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
frames = sum(end - start for start, end in result.shots)
per_frame = [array.tolist() for array in (scores, spoken, said)]
print(json.dumps([*per_frame, dict(result.timings_s), frames, peak]))
"""


def main(words: list[str]) -> None:
    """Run every preset on every clip and print the table."""
    if len(words) < 2:
        sys.exit("python -m benchmarks.presets FOLDER NAME[,OPTION=VALUE...] ...")
    folder, *presets = words
    rows: dict[str, list[list]] = {preset: [] for preset in presets}
    for truth in sorted(Path(folder).glob("*.json")):
        for preset in presets:
            name, *overrides = preset.split(",")
            done = subprocess.run(
                [
                    *(sys.executable, "-c", _RUN, str(truth.with_suffix(".mp4"))),
                    *([] if name == "default" else [f"experiment={name}"]),
                    *overrides,
                ],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            rows[preset].append(json.loads(done.stdout.splitlines()[-1]))
    print(describe())
    heads = "".join(f" {name:>7}" for name in ("AP", "right", "detect", "score", "listen", "all"))
    print(f"{'':<10}{heads} ms/frame")
    for preset, runs in rows.items():
        scores, truths, said = (np.concatenate([run[k] for run in runs]) for k in range(3))
        quality = average_precision(scores, truths.astype(bool)), np.mean(said == truths)
        frames = sum(run[4] for run in runs)

        def spent(stage: str, runs: list[list] = runs, frames: int = frames) -> float:
            return 1000 * sum(run[3].get(stage, 0.0) for run in runs) / frames

        costs = [spent(stage) for stage in ("detect", "score", "listen")]
        costs.append(spent("total") - spent("load"))
        print(
            f"{preset.partition(',')[0]:<10}"
            + "".join(f" {value:7.3f}" for value in quality)
            + "".join(f" {value:7.1f}" for value in costs)
            + f"  loading {np.mean([run[3]['load'] for run in runs]):.1f} s,"
            + f" {max(run[5] for run in runs) / 1024:.0f} MiB"
        )
    print("\nAP: pooled average precision. right: part of the frames decided rightly.")
    print("all: everything but loading; 40 ms is real time.")
    print("\n".join(preset.replace(",", " ") for preset in presets))


if __name__ == "__main__":
    main(sys.argv[1:])
