"""The turns of a live session as lines of RTTM, written as they end."""

from __future__ import annotations

from ..rttm_lines import fields, rttm_line
from ..types import OFF_SCREEN
from .events import LiveEvent
from .whole_lines import WholeLines

_MOST_SPEAKERS = 1000
"""Of so many speakers it is remembered what they are called in the file: those who spoke last."""


class TurnFile:
    """A file of RTTM to which the turns are added, by their ends.

    Args:
        lines: The file.
        name: The file field, which says what the lines are about.
    """

    def __init__(self, lines: WholeLines, name: str) -> None:
        self._lines, self._name = lines, name
        self._speakers: dict[str, str] = {}
        self._begun: dict[int | None, tuple[float, str]] = {}

    def event(self, event: LiveEvent) -> None:
        """Take an event; write the turn that ends with it, if one does.

        Raises:
            OutputError: It cannot be written.
        """
        if not event.certain or event.name is None:
            return
        if event.event == "speaking":
            self._begun[event.track] = event.time_s, event.name
        elif event.event == "named" and event.track in self._begun:
            self._begun[event.track] = self._begun[event.track][0], event.name
        elif event.event == "silent" and event.track in self._begun:
            self._write(event.track, event.time_s, event.name)

    def finish(self, end_s: float) -> None:
        """Write the turns that go on, up to this time.

        Raises:
            OutputError: They cannot be written.
        """
        for track, (_, name) in sorted(self._begun.items(), key=lambda turn: turn[1]):
            self._write(track, end_s, name)

    def _write(self, track: int | None, end_s: float, name: str) -> None:
        begin_s, _ = self._begun.pop(track)
        speaker = self._speaker(name)
        if begin_s < end_s:
            self._lines.add(rttm_line(self._name, begin_s, end_s - begin_s, speaker))

    def _speaker(self, name: str) -> str:
        """What somebody is called in the file; nobody else is."""
        own = self._speakers.pop(name, None)
        if own is None:
            (own,) = fields([name], [OFF_SCREEN, *self._speakers.values()]).values()
        self._speakers[name] = own
        if len(self._speakers) > _MOST_SPEAKERS:
            del self._speakers[next(iter(self._speakers))]
        return own

    def close(self) -> None:
        """Close the file."""
        self._lines.close()
