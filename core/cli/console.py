"""Console output of the command: a progress line, tables and errors."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..bars import drawn
from ..errors import AsdError
from ..pace import Clock, StageLog
from ..result import Result
from ..results import known_off_screen, printable
from ..types import GRID_FPS, Spans
from ..voice import Voice

if TYPE_CHECKING:
    from rich.table import Table

    from ..decisions.calibration import Calibration


def say(error: AsdError) -> None:
    """Print an error in one line on stderr, if it can be written to."""
    say_line(str(error))


def say_line(line: str) -> None:
    """Print a line on stderr, if it can be written to."""
    with suppress(OSError):
        print(f"asd: {line}", file=sys.stderr, flush=True)


class ProgressLine:
    """A progress line on stderr: stage, frames, frames per second, time left.

    On a terminal the line is redrawn in place; elsewhere, as in a log file, one line is printed
    when a stage begins and one a minute. Write errors, as on a full disk, do not end the run.

    Args:
        quiet: Whether to show nothing.
        clock: The time in seconds, from any beginning.
    """

    def __init__(self, *, quiet: bool = False, clock: Clock = monotonic) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[counts]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._log = StageLog(say_line, clock)
        self._quiet = quiet
        self._stage = ""
        self._task: Any = None
        self._open = ExitStack()

    def __enter__(self) -> ProgressLine:
        if self._console.is_terminal and not self._quiet:
            self._open.enter_context(drawn(self._bars))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show the progress of the run; see `core.progress.Progress`."""
        if self._quiet:
            return
        if not self._console.is_terminal:
            self._log(stage, done, total)
            return
        if stage != self._stage:
            self._stage = stage
            if self._task is not None:
                self._bars.remove_task(self._task)
            self._task = self._bars.add_task(stage, total=total or None, counts="")
        if total:
            speed = self._bars.tasks[0].speed
            rate = f", {speed:.1f} frames/s" if speed else ""
            self._bars.update(self._task, completed=done, counts=f"{done}/{total} frames{rate}")


def print_summary(result: Result) -> None:
    """Print a result's tracks, timings and files on stdout."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    first = result.shots[0][0] if result.shots else 0
    seconds = (result.shots[-1][1] - first) / GRID_FPS if result.shots else 0.0
    console.print(
        Text(f"{result.video.path.name}: {seconds:.1f} s, "),
        f"{_count(len(result.shots), 'shot')}, {_count(len(result.tracks), 'face track')}",
        sep="",
        soft_wrap=True,
    )
    if not result.video.has_sound:
        console.print("There is no sound, so nobody can be said to speak.")
    if result.tracks:
        who = ["who"] if any(track.identity is not None for track in result.tracks) else []
        table = Table("track", *who, "shot", "from s", "to s", "speaks s", "speaking segments")
        for track in result.tracks:
            table.add_row(
                str(track.id),
                *([Text(track.name)] if who else []),
                str(track.shot),
                f"{track.frames.start / GRID_FPS:.2f}",
                f"{track.frames.stop / GRID_FPS:.2f}",
                f"{_seconds(track.speaking):.2f}",
                _shortened([f"{start:.2f}-{end:.2f}" for start, end in track.speaking]),
            )
        print_wide(table)
    else:
        console.print("No face was found, so nobody is seen speaking.")
        console.print(_hint_for_no_face(result), soft_wrap=True)
    if result.speech is not None and result.off_screen is not None:
        known = known_off_screen(result).items()
        told = _shortened([f"{name} {_seconds(spans):.2f} s" for name, spans in known])
        console.print(
            f"speech: {_seconds(result.speech):.2f} s; of no visible face: "
            f"{_seconds(result.off_screen):.2f} s",
            Text(f": {told}" if told else ""),
            sep="",
            soft_wrap=True,
        )
    if result.voices:
        console.print(Text(f"voices: {_shortened([_whose(voice) for voice in result.voices])}"))
    if result.sync is not None:
        console.print(f"{result.sync} (certainty {result.sync.whole.certainty:.2f})")
    total = result.timings_s["total"]
    stages = ", ".join(
        f"{name} {spent:.1f}" for name, spent in result.timings_s.items() if name != "total"
    )
    console.print(
        f"{total:.1f} s, {seconds / total:.2f} times real time ({stages})", soft_wrap=True
    )
    devices = result.provenance.get("devices", {})
    if devices:
        took = ", ".join(f"{kind} on {device}" for kind, device in devices.items())
        console.print(f"device={result.settings['device']}: {took}", soft_wrap=True)
    for path in result.files:
        console.print(Text(str(path)), soft_wrap=True)


def print_wide(table: Table) -> None:
    """Print a table; in a log it may be as wide as necessary."""
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = console.measure(
            table, options=console.options.update(max_width=10_000)
        ).maximum
    console.print(table)


def print_calibration(fitted: Calibration, path: Path) -> None:
    """Print a calibration, and the errors before and after it, on stdout."""
    from ..config.words import typed

    print(f"temperature {fitted.temperature:.4g}, bias {fitted.bias:.4g}, of {fitted.rows} rows")
    for what, change in (
        ("on what it was fitted to", fitted.fitted),
        ("on videos it was not fitted to", fitted.held_out),
    ):
        if change:
            before, after = change["before"], change["after"]
            words = [
                f"{name} {before[key]:.4f} -> {after[key]:.4f}"
                for key, name in (
                    ("expected_calibration_error", "expected calibration error"),
                    ("brier", "Brier score"),
                    ("nll", "negative log likelihood"),
                )
            ]
            print(f"{what}: {', '.join(words)}")
    if fitted.held_out is None:
        print("Too few videos to leave one out: nothing is known of videos it was not fitted to")
    chosen = f"scorer={fitted.scorer}"
    if fitted.weights is not None:
        chosen += f" {typed('scorer.weights', fitted.weights)}"
    print(f"to use it: asd run FILE {chosen} {typed('scorer.calibration', path)}")


def _hint_for_no_face(result: Result) -> str:
    hints = ["rotate=90 (or 180, 270) if the picture lies on its side or upside down"]
    detector = result.settings.get("detector")
    given = detector if isinstance(detector, Mapping) else {}
    least_px = given.get("min_face_px")
    side_px = given.get("longer_side_px") or math.inf
    if given.get("name") == "yunet" and max(result.video.width, result.video.height) > side_px:
        hints.append("detector.longer_side_px=null if they are small, which takes longer")
    elif least_px:
        hints.append(f"detector.min_face_px={least_px / 2:g} if they are small")
    return f"If faces are to be seen, try {', or '.join(hints)}."


def _seconds(spans: Spans) -> float:
    return sum(end - start for start, end in spans)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _whose(voice: Voice) -> str:
    """A voice of a diarization, and whose it is."""
    if voice.person is None:
        return f"{printable(voice.name)} of nobody seen"
    return f"{printable(voice.name)} is {printable(voice.person)} ({voice.confidence:.2f})"


def _shortened(segments: list[str], most: int = 6) -> str:
    shown = ", ".join(segments[:most])
    return f"{shown}, and {len(segments) - most} more" if len(segments) > most else shown
