"""What `asd live` shows: a line for each certain change, one line of what is now, a summary."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from ..bars import drawn
from ..durations import clock
from ..errors import one_line
from ..live.events import LiveEvent, LiveFace
from ..live.ticks import Counts
from ..results import PARTS, printable
from ..types import OFF_SCREEN

if TYPE_CHECKING:
    from rich.text import Text

_CHANGES = {
    "appeared": "{who} appears",
    "left": "{who} is out of sight",
    "named": "{before} is {who}",
    "speaking": "{who} speaks",
    "silent": "{who} is silent, after {spoken}",
    "interrupted": "interrupted: the stream {reason}",
    "note": "note: {reason}",
}
"""The events that a line is printed of, and that line."""
_MOST_NAMES = 100
"""Of so many people it is kept who spoke for how long; of those who spoke least, only the sum."""
_MOST_SHOWN = 6
"""So many people are named in a line."""
_OTHERS = "others"


def moment(time_s: float) -> str:
    """A time as m:ss.s, or as h:mm:ss.s from an hour on; cut off, not rounded."""
    tenths = round(time_s * 100) // 10
    return f"{clock(tenths // 10)}.{tenths % 10}"


class Changes:
    """What is printed of events; it remembers what those in sight are called there."""

    def __init__(self) -> None:
        self._called: dict[int, str] = {}

    def __call__(self, event: LiveEvent) -> str | None:
        """The line of an event; None if it is no certain change that people look for.

        That a face appears is told once, certain or not.
        """
        change = _CHANGES.get(event.event)
        if change is None or not (event.certain or event.event == "appeared"):
            return None
        who, before = _who(event), ""
        if event.track is not None:
            before = self._called.get(event.track, f"track_{event.track}")
            self._called[event.track] = who
            if event.event == "left":
                del self._called[event.track]
        if event.event == "named" and before == who:
            return None
        spoken = f"{_spoken_s(event):.1f} s"
        told = change.format(who=who, before=before, spoken=spoken, reason=event.reason)
        return f"{moment(event.time_s)}  {_shown(told)}"


def _who(event: LiveEvent) -> str:
    if event.track is not None:
        return event.name or f"track_{event.track}"
    known = event.name not in (None, OFF_SCREEN)
    return f"{event.name}, off screen," if known else "somebody off screen"


def _spoken_s(event: LiveEvent) -> float:
    """For silent: for how long somebody had spoken."""
    return event.time_s - (event.time_s if event.since_s is None else event.since_s)


def _shown(text: str) -> str:
    """A text that does nothing to a terminal, whatever names it holds."""
    return one_line(printable(text))


class Tally:
    """What a session comes to: who spoke for how long, and how late that was known.

    It takes no more memory after a day than after an hour.
    """

    def __init__(self) -> None:
        self._end_s = 0.0
        self._has_sound = True
        self._names: dict[int, str] = {}
        self._seconds: dict[int, float] = defaultdict(float)  # of tracks in sight
        self._by_name: dict[str, float] = defaultdict(float)  # of those that have left
        self._off_screen_s = 0.0
        self._delays: Counter[int] = Counter()  # in hundredths of a second

    def __call__(self, event: LiveEvent) -> None:
        """Take an event."""
        self._end_s = max(self._end_s, event.time_s)
        if event.event == "begun":
            self._has_sound = (event.about or {}).get("has_sound", True)
        if not event.certain:
            return
        if event.event in ("speaking", "silent") and event.delay_s is not None:
            self._delays[round(event.delay_s * 100)] += 1
        if event.track is None:
            if event.event == "silent":
                self._off_screen_s += _spoken_s(event)
            return
        if event.name is not None:
            self._names[event.track] = event.name
        if event.event == "silent":
            self._seconds[event.track] += _spoken_s(event)
        if event.event == "left":
            self._settle(event.track)

    def lines(self, name: str, counts: Counts) -> Iterator[str]:
        """The summary, in lines.

        Args:
            name: What the session is called.
            counts: What was counted.
        """
        for track in list(self._seconds):
            self._settle(track)
        breaks = f", interrupted {_times(counts.breaks)}" if counts.breaks else ""
        yield f"{_shown(name)}: {moment(self._end_s)}{breaks}"
        most_first = sorted(self._by_name.items(), key=lambda item: -item[1])
        spoke = [f"{_shown(who)} {spent:.1f} s" for who, spent in most_first]
        more = len(spoke) - _MOST_SHOWN
        spoke[_MOST_SHOWN:] = [f"and {more} more"] if more > 0 else []
        if spoke:
            yield f"spoke: {', '.join(spoke)}"
        elif self._has_sound:
            yield "nobody in sight spoke"
        else:
            yield "there is no sound, so nobody can be said to speak"
        if self._off_screen_s:
            yield f"spoken off screen: {self._off_screen_s:.1f} s"
        if self._delays:
            yield (
                f"delay until it was certain: {self._median_s():.2f} s (median), "
                f"{max(self._delays) / 100:.2f} s (worst)"
            )
        if counts.left_out or counts.skipped:
            skipped = f", and {counts.skipped} were skipped" if counts.skipped else ""
            yield (
                f"too slow: {counts.left_out} of {counts.frames + counts.skipped} frames were left "
                f"out{skipped}. Cheaper: detect_every=4, live.hop_s=0.4"
            )
        if counts.lost:
            yield f"{counts.lost} frames were thrown away: they came faster than they were taken"
        if counts.silent:
            yield f"no sound came for {counts.silent} of {counts.frames} frames"

    def _settle(self, track: int) -> None:
        """Put what a track has spoken to its name; of too many names, the least to others."""
        name = self._names.pop(track, f"track_{track}")
        if seconds := self._seconds.pop(track, 0.0):
            self._by_name[name] += seconds
        if len(self._by_name) > _MOST_NAMES:
            rest = self._by_name.keys() - {_OTHERS}
            least = min(rest, key=self._by_name.__getitem__)
            self._by_name[_OTHERS] += self._by_name.pop(least)

    def _median_s(self) -> float:
        before = 0
        for hundredths in sorted(self._delays):
            before += self._delays[hundredths]
            if 2 * before >= sum(self._delays.values()):
                break
        return hundredths / 100


def files_of(folder: Path) -> Iterator[str]:
    """The lines that name what a session has written: its files, and how many parts."""
    for entry in sorted(folder.iterdir()):
        if entry.is_file():
            yield str(entry)
        elif entry.name == PARTS:
            parts = len(list(entry.iterdir()))
            yield f"{entry}{os.sep}: {parts} part{'' if parts == 1 else 's'}"


class NowLine:
    """Lines of certain changes on a terminal, and below them one of what is now.

    Args:
        counts: Called for what was counted so far.
    """

    def __init__(self, counts: Callable[[], Counts]) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._counts = counts
        self._changes = Changes()
        self._off_screen = False
        self._open = ExitStack()

    def __enter__(self) -> NowLine:
        self._open.enter_context(drawn(self._live))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def __call__(self, event: LiveEvent) -> None:
        """Show an event."""
        from rich.text import Text

        if line := self._changes(event):
            self._console.print(Text(line), soft_wrap=True)
        if event.track is None and event.event in ("speaking", "silent"):
            self._off_screen = event.event == "speaking"
        if event.event == "faces":
            now = line_of_now(event, self._counts(), off_screen=self._off_screen)
            self._live.update(now, refresh=True)


def line_of_now(event: LiveEvent, counts: Counts, *, off_screen: bool) -> Text:
    """Who speaks and who is in sight: what may change yet is dimmed.

    Args:
        event: All faces of a moment.
        counts: What was counted so far.
        off_screen: Whether somebody who is not seen speaks.
    """
    from rich.text import Text

    faces = event.faces or ()
    speakers = [_as_text(face) for face in faces if face.speaking]
    speakers += [Text("somebody off screen")] if off_screen else []
    others = [_as_text(face) for face in faces if not face.speaking]
    parts = [Text(moment(event.time_s))]
    for title, those in (("speaks", speakers), ("in sight", others)):
        if those:
            parts.append(Text(f"{title}: ") + Text(", ").join(those))
    if not faces:
        parts.append(Text("nobody in sight"))
    if event.delay_s is not None:
        parts.append(Text(f"delay {event.delay_s:.2f} s"))
    if counts.left_out or counts.skipped:
        parts.append(Text(f"{counts.left_out} left out, {counts.skipped} skipped"))
    line = Text("  |  ").join(parts)
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _as_text(face: LiveFace) -> Text:
    from rich.text import Text

    style = ("bold green" if face.certain else "dim green") if face.speaking else ""
    return Text(_shown(face.name), style)


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
