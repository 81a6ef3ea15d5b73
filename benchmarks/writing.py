"""The annotated video alone, by whatever asdkit the interpreter has; `benchmarks.versus` runs it.

`python -I writing.py keep VIDEO KEPT` analyses a video and keeps its result with what probing
found; `python -I writing.py write KEPT FOLDER` writes annotated.mp4 from it on one thread, and
prints the seconds of processor and of clock that this took: without imports and analysis.
"""

import json
import pickle
import resource
import sys
import time
from pathlib import Path

import asdkit

ANALYSIS = ["detector=yunet", "scorer=lip_motion", "detect_every=3", "writers=[json]", "threads=1"]


def keep(video: str, kept: str) -> None:
    """Analyse and keep."""
    result = asdkit.run(video, [*ANALYSIS, f"output={kept}.run"])
    Path(kept).write_bytes(pickle.dumps(result))


def write(kept: str, folder: str) -> None:
    """Write the video and print what that took."""
    result = pickle.loads(Path(kept).read_bytes())
    writer = asdkit.load("writer", "annotated", threads=1)
    Path(folder).mkdir()
    process_s, wall_s = _process_s(), time.perf_counter()
    writer.write(result, Path(folder))
    used = {"process_s": _process_s() - process_s, "wall_s": time.perf_counter() - wall_s}
    print(json.dumps(used))


def _process_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    {"keep": keep, "write": write}[sys.argv[1]](*sys.argv[2:])
