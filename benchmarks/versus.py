"""Two checkouts against each other: `python -m benchmarks.versus OLD NEW [OPTION ...]`.

OLD and NEW are Python interpreters that have an asdkit each, such as old/.venv/bin/python, or
folders that hold one at bin/python, .venv/bin/python or venv/bin/python. For a commit from before:

  git worktree add /tmp/old COMMIT
  python -m venv /tmp/old/.venv && /tmp/old/.venv/bin/pip install -e "/tmp/old[all]"
  python -m benchmarks.versus /tmp/old .venv/bin/python --clip talk.mp4

The same commands run on the same clips in turns, old new new old old new ..., after one run of each
that does not count. What is printed: process time (user and system, with children), wall time and
peak memory of either side as the median of the rounds, and new divided by old, round by round, as
their median and range. Where both sides were asked for the same, their scores are compared, too.
The same interpreter given twice shows what the machine adds by itself.

Clips are made from VIDEO, or from the clip of asd demo, in a temporary folder; the bundle of LR-ASD
by each side's own asd export. Neither is measured.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TextIO

import av
import numpy as np

from .footage import SHAPES, make
from .machine import machine
from .measures import GIVEN, MEASURES, Measure
from .process import CommandError, Used, environment, measured
from .sides import Side, find_side
from .spread import Spread, ratios


@dataclass
class Bench:
    """Runs measures on both sides.

    Attributes:
        sides: The old side and the new one.
        folder: An empty folder for clips, bundles and results.
        clip: The video to make clips from.
        seconds: Length of these.
        weights: What bundles of LR-ASD are exported from.
        bundles: By the name of a side, a bundle that is there already.
        runs: How many commands were run.
    """

    sides: Sequence[Side]
    folder: Path
    clip: Path
    seconds: float
    weights: str
    bundles: dict[str, Path] = field(default_factory=dict)
    runs: int = 0

    def rounds(self, name: str, measure: Measure, rounds: int) -> Rounds:
        """Prepare, run once, and measure a number of rounds.

        Raises:
            CommandError: A command failed; it says which.
        """
        for side in self.sides:
            if measure.prepare:
                self._ask(name, measure, side, measure.prepare)
            self._measure(name, measure, side)
        used: dict[str, list[Used]] = {side.name: [] for side in self.sides}
        outputs: dict[str, Path] = {}
        for number in range(rounds):
            for side in self.sides[:: 1 if number % 2 == 0 else -1]:
                one, outputs[side.name] = self._measure(name, measure, side)
                used[side.name].append(one)
        return Rounds(used["old"], used["new"], outputs["old"], outputs["new"])

    def _measure(self, name: str, measure: Measure, side: Side) -> tuple[Used, Path]:
        words = measure.old if side.name == "old" else measure.new
        used, said, output = self._ask(name, measure, side, words)
        if measure.own_times:
            used = used._replace(**json.loads(said.splitlines()[-1]))
        return used, output

    def _ask(
        self, name: str, measure: Measure, side: Side, words: Sequence[str]
    ) -> tuple[Used, str, Path]:
        output = self.folder / f"output{self.runs}"
        self.runs += 1
        text = " ".join(words)
        places = {
            "clip": self._video(measure.clip),
            "bundle": self._bundle(side) if "{bundle}" in text else "",
            "kept": self.folder / f"{name}.{side.name}",
            "output": output,
        }
        command = [str(side.python), *(word.format(**places) for word in words)]
        try:
            used, said = measured(command, environment(measure.one_thread), self.folder)
        except CommandError as error:
            raise CommandError(f"{name}: the {side.name} side {error}") from error
        return used, said, output

    def _video(self, clip: str) -> Path:
        video = self.clip if clip == GIVEN else self.folder / f"{clip}.mp4"
        if not video.exists():
            try:
                make(self.clip, video, SHAPES[clip], self.seconds)
            except (ValueError, av.FFmpegError) as error:
                raise CommandError(f"{self.clip.name} cannot be used: {error}") from error
        return video

    def _bundle(self, side: Side) -> Path:
        if side.name not in self.bundles:
            bundle = self.folder / f"lr_asd.{side.name}"
            options = ["scorer=lr_asd", f"scorer.weights={self.weights}", f"output={bundle}"]
            command = [str(side.python), "-m", "asdkit", "export", *options]
            try:
                measured(command, environment(one_thread=False), self.folder)
            except CommandError as error:
                raise CommandError(f"asd export of the {side.name} side {error}") from error
            self.bundles[side.name] = bundle
        return self.bundles[side.name]


class Rounds:
    """What the rounds of a measure gave.

    Args:
        old: What each round of the old side used.
        new: The same of the new side.
        old_output: The folder of results of the old side's last round.
        new_output: That of the new side.
    """

    def __init__(
        self, old: Sequence[Used], new: Sequence[Used], old_output: Path, new_output: Path
    ) -> None:
        self.old, self.new = old, new
        self._results = [folder / "result.json" for folder in (old_output, new_output)]

    def lines(self, same_asked: bool) -> Iterator[str]:
        """A line for each quantity, and for the scores if both were asked for the same."""
        yield f"  {'':<14}{'old':>10}{'new':>10}     new / old (range)"
        quantities = (
            (
                "process time",
                "s",
                [[one.process_s for one in side] for side in (self.old, self.new)],
            ),
            ("wall time", "s", [[one.wall_s for one in side] for side in (self.old, self.new)]),
            (
                "peak memory",
                "MiB",
                [[one.peak_bytes / 2**20 for one in side] for side in (self.old, self.new)],
            ),
        )
        for name, unit, (old, new) in quantities:
            digits = 2 if unit == "s" else 0
            medians = "".join(f"{median(side):10.{digits}f}" for side in (old, new))
            yield f"  {name:<14}{medians} {unit:<4}{ratios(old, new)}"
        if same_asked and all(file.exists() for file in self._results):
            yield f"  scores        {compared(*self._results)}"


def compared(old: Path, new: Path) -> str:
    """How far the scores of two files result.json are apart, in words."""
    tracks = [json.loads(file.read_text())["tracks"] for file in (old, new)]
    places = [[(one["first_frame"], len(one["scores"])) for one in side] for side in tracks]
    if places[0] != places[1]:
        return f"of other tracks: {len(places[0])} tracks in old, {len(places[1])} in new"
    scores = [np.concatenate([[], *(one["scores"] for one in side)]) for side in tracks]
    if not scores[0].size:
        return "none: no face was found"
    largest = np.abs(scores[0] - scores[1]).max()
    return f"of {scores[0].size} face frames differ by at most {largest:.1e}"


def main(words: Sequence[str], measures: Mapping[str, Measure] = MEASURES) -> None:
    """Compare, print, and write what was printed to a file if asked."""
    asked = _parser(measures).parse_args(words)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        files = [sys.stdout]
        if asked.output is not None:
            files.append(stack.enter_context(asked.output.open("w")))
        try:
            _compare(asked, measures, folder, files)
        except CommandError as error:
            sys.exit(f"benchmarks.versus: {error}")


def _compare(
    asked: argparse.Namespace, measures: Mapping[str, Measure], folder: Path, files: list[TextIO]
) -> None:
    sides = find_side("old", asked.old), find_side("new", asked.new)
    clip = asked.clip.absolute() if asked.clip else _demo(folder)
    given = {"old": asked.old_bundle, "new": asked.new_bundle}
    bundles = {name: bundle.absolute() for name, bundle in given.items() if bundle is not None}
    bench = Bench(sides, folder, clip, asked.seconds, asked.weights, bundles)
    _say(files, f"$ python -m benchmarks.versus OLD NEW --seconds {asked.seconds:g}")
    _say(files, machine())
    for side in sides:
        _say(files, f"{side.name}: {side.about}")
    _say(files, f"clips of {asked.seconds:g} s made from {clip.name}; rounds: {asked.rounds}")
    for name in bundles:
        _say(files, f"the {name} side was given a bundle that it did not make")
    for name in asked.only or measures:
        measure = measures[name]
        found = bench.rounds(name, measure, asked.rounds)
        _say(files, f"\n{name}: {measure.about}")
        for line in found.lines(measure.old == measure.new):
            _say(files, line)
        if measure.clip in SHAPES and not measure.own_times:
            speed = Spread.of([asked.seconds / one.wall_s for one in found.new])
            _say(files, f"  new: {speed.median:.2f} times real time")


def _demo(folder: Path) -> Path:
    from asdkit.core.demo.clip import make_clip

    make_clip(folder / "demo.mp4")
    return folder / "demo.mp4"


def _say(files: Sequence[TextIO], line: str) -> None:
    for file in files:
        print(line, file=file, flush=True)


def _parser(measures: Mapping[str, Measure]) -> argparse.ArgumentParser:
    table = "\n".join(f"  {name:<10} {measure.about}" for name, measure in measures.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.versus",
        description=__doc__,
        epilog=f"measures:\n{table}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("old", type=Path, metavar="OLD", help="interpreter, or folder with one")
    parser.add_argument("new", type=Path, metavar="NEW", help="interpreter, or folder with one")
    parser.add_argument(
        "--only", nargs="+", metavar="MEASURE", choices=list(measures), help="measure these alone"
    )
    parser.add_argument(
        "--clip", type=_file, metavar="VIDEO", help="a video with faces and sound; default: demo's"
    )
    parser.add_argument(
        "--seconds", type=_positive, default=8.0, help="length of the clips made; default: 8"
    )
    parser.add_argument(
        "--rounds", type=_rounds, default=5, help="runs of either side that count; default: 5"
    )
    parser.add_argument(
        "--weights", default="ava", help="LR-ASD weights, a name or absolute path; default: ava"
    )
    for side in ("old", "new"):
        parser.add_argument(
            f"--{side}-bundle",
            type=Path,
            metavar="FOLDER",
            help=f"a bundle of LR-ASD for the {side} side, such as one that the other side made, "
            "where its own asd export fails with the PyTorch it has",
        )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write what is printed to a file, too"
    )
    return parser


def _file(text: str) -> Path:
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return Path(text)


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be above 0, got {text}")
    return value


def _rounds(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {text}")
    return int(text)


if __name__ == "__main__":
    main(sys.argv[1:])
