"""Delay, exactness and memory of `asd live`.

python -m benchmarks.live CLIP [--minutes M] [--load N] [OPTION=VALUE ...]

CLIP is a video with its truth beside it, as dataset=dialogue reads it. It is sent over UDP of this
machine in real time, as MPEG-TS, to `asd live` in a process of its own; with --minutes it is
repeated, and --load has so many processes keep the cores busy meanwhile. The same bytes are then
read as a file with pace=fast, and the clip by `asd run`. OPTIONs are for all three, after those of
PARTS, those of live.NAME for the first two; such as scorer=lr_asd_onnx scorer.weights=BUNDLE,
which `asd export scorer=lr_asd` makes.

A delay is from when the picture of the change was sent, with all before it, to when the line could
be read in events.jsonl.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from asdkit.core.result import Result
from asdkit.core.types import GRID_FPS
from asdkit.plugins.datasets.dialogue import read_dialogue

from .live_figures import (
    Told,
    delay_lines,
    difference,
    precision,
    read_lines,
    repeated,
    tenths,
)
from .live_stream import Sender, free_port, is_taken, length_of, write
from .machine import describe
from .process import CommandError, environment, measured

PARTS = ["detector=yunet", "scorer=lr_asd", "detect_every=2"]
_POLL_S = 0.005
_PATIENCE_S = 120.0
_TAIL_S = 3.0
"""The stream goes on for so long after the end that the session is asked for."""
_BUSY = "while True: pass"


class Watched(NamedTuple):
    """A session, watched from outside.

    Attributes:
        told: Its events, each with the time when it could be read.
        memory: (time, bytes) of its process, once a second.
    """

    told: list[Told]
    memory: list[tuple[float, float]]


def watch(process: subprocess.Popen[bytes], events: Path) -> Watched:
    """Follow a session to its end.

    Raises:
        CommandError: It failed.
    """
    import json

    told: list[Told] = []
    memory: list[tuple[float, float]] = []
    place, rest, running = 0, b"", True
    while running:
        running = process.poll() is None
        if events.exists():
            with events.open("rb") as file:
                file.seek(place)
                data = file.read()
            now = time.monotonic()
            place += len(data)
            *whole, rest = (rest + data).split(b"\n")
            told += [Told(json.loads(line), now) for line in whole]
        if running and (not memory or time.monotonic() - memory[-1][0] >= 1):
            memory.append((time.monotonic(), resident(process.pid)))
        time.sleep(_POLL_S)
    if process.returncode:
        raise CommandError(f"asd live ended with exit code {process.returncode}")
    return Watched(told, memory)


def resident(pid: int) -> float:
    """The bytes of memory that a process has now; nan where the system does not tell."""
    try:
        rows = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return float("nan")
    sizes = [row.split()[1] for row in rows if row.startswith("VmRSS:")]
    return 1024.0 * int(sizes[0]) if sizes else float("nan")


def streamed(
    clip: Path, seconds: float, end_s: float, words: Sequence[str], folder: Path
) -> tuple[Watched, Sender]:
    """Send the clip to `asd live`, and watch it.

    Raises:
        CommandError: It failed, or does not listen.
    """
    port = free_port()
    options = [f"end_s={end_s:g}", f"output={folder}", *words]
    command = [sys.executable, "-m", "asdkit", "live", f"udp://127.0.0.1:{port}", *options]
    env = environment(one_thread=False)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=env) as process:
        try:
            limit = time.monotonic() + _PATIENCE_S
            while not is_taken(port):
                if process.poll() is not None or time.monotonic() > limit:
                    raise CommandError("asd live does not listen to its port")
                time.sleep(_POLL_S)
            sender = Sender(clip, seconds, port)
            sender.start()
            watched = watch(process, folder / "events.jsonl")
            sender.join()
        finally:
            process.kill()
    return watched, sender


def results_in(folder: Path) -> list[Result]:
    """The parts of a session's results, in order."""
    return [Result.load(path) for path in sorted(folder.glob("parts/*/result.json"))]


def memory_line(memory: Sequence[tuple[float, float]]) -> str:
    """How the memory of a session went, in a line."""
    early, late = tenths([one for one in memory if not math.isnan(one[1])])  # one may have ended
    return (
        f"memory: {early / 2**20:.1f} MiB in the second tenth, {late / 2**20:.1f} MiB in the last, "
        f"{100 * (late / early - 1):+.1f} %"
    )


def status_lines(told: Sequence[Told]) -> list[str]:
    """What the session measured itself: delays over time, and what was left out."""
    status = [one.line["about"] for one in told if one.line["event"] == "status"]
    lines = []
    for kind in ("frames", "events"):
        rows = [(k, s["delay_s"][kind]["mean"]) for k, s in enumerate(status) if s["delay_s"][kind]]
        if len(rows) > 1:
            early, late = tenths([(float(k), value) for k, value in rows])
            lines.append(
                f"its own delay of {kind}: mean {early:.3f} s in the second tenth, "
                f"{late:.3f} s in the last"
            )
    if status:
        lines.append(", ".join(f"{key} {value}" for key, value in status[-1]["counts"].items()))
    return lines


def measure(clip: Path, minutes: float | None, words: Sequence[str], folder: Path) -> None:
    """Measure, and print what came of it.

    Raises:
        CommandError: A command failed.
    """
    length_s = float(length_of(clip))
    times = 1 if minutes is None else max(1, round(60 * minutes / length_s))
    end_s = times * length_s
    end = round(end_s * GRID_FPS)
    truth = repeated(read_dialogue(clip.with_suffix(".json")), times)
    watched, sender = streamed(clip, end_s + _TAIL_S, end_s, words, folder / "stream")
    for line in delay_lines(watched.told, truth, sender.sent, end):
        print(line)
    print(memory_line(watched.memory))
    for line in status_lines(watched.told):
        print(line)
    print(f"the sender was at most {sender.late_s:.3f} s late", flush=True)
    file = folder / "stream.ts"
    write(clip, end_s + _TAIL_S, str(file), lambda _: None)
    again = [f"end_s={end_s:g}", "pace=fast", f"output={folder / 'file'}", *words]
    _asd("live", str(file), *again)
    lines = read_lines(folder / "file" / "events.jsonl")
    print(
        f"events of the stream and of the file {difference([t.line for t in watched.told], lines)}"
    )
    of_run = [word for word in words if not word.startswith("live.")]
    _asd("run", str(clip), "writers=[json]", f"output={folder / 'run'}", *of_run)
    run = Result.load(folder / "run" / "result.json")
    alone = read_dialogue(clip.with_suffix(".json"))
    print(
        f"average precision: live {precision(results_in(folder / 'stream'), truth, end):.4f}, "
        f"pace=fast {precision(results_in(folder / 'file'), truth, end):.4f}, "
        f"asd run {precision([run], alone, alone.shots[-1][1]):.4f}"
    )


def _asd(*words: str) -> None:
    measured([sys.executable, "-m", "asdkit", *words], environment(one_thread=False))


def main(words: Sequence[str]) -> None:
    """Measure with the machine as it is, or busy."""
    parser = argparse.ArgumentParser("python -m benchmarks.live", description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--load", type=int, default=0, metavar="N")
    asked, options = parser.parse_known_args(words)
    print(describe())
    length = f" for {asked.minutes:g} minutes" if asked.minutes else ""
    print(f"{asked.clip.name}{length}, {asked.load} busy processes beside it, {' '.join(options)}")
    busy: list[subprocess.Popen[Any]] = []
    try:
        busy += [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(asked.load)]
        with tempfile.TemporaryDirectory() as folder:
            measure(asked.clip, asked.minutes, [*PARTS, *options], Path(folder))
    except CommandError as error:
        sys.exit(f"benchmarks.live: {error}")
    finally:
        for process in busy:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
