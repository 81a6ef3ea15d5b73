"""The work of a live session: from frames, hop by hop, to events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from ..errors import InputError
from ..notes import Notes
from ..types import GRID_FPS
from .deciding import LiveDecider
from .events import LiveEvent
from .feed import Feed
from .hops import Hop
from .outlets import Outlets
from .passing import LivePass
from .results import LiveResults
from .ticks import Gap, Notice, Tick

ENDED, LONG_ENOUGH = "the stream ended", "end_s was reached"
"""Why a session ended, if nothing failed."""


@dataclass
class Working:
    """Takes a stream frame by frame, and tells what comes of it.

    Attributes:
        feed: The stream on the grid.
        passing: Scores the faces.
        decider: Decides who speaks.
        notes: What was chosen or left out; each sentence is told once.
        tell: Tells events.
        results: Is told the size of the pictures.
        check: Called between frames, and while nothing comes; what it raises ends the work.
        end_s: Up to which time to work; None for the end of the stream.
        why: Why it ended, once it did.
        failed: The error of the stream that ended it, if one did.
    """

    feed: Feed
    passing: LivePass
    decider: LiveDecider
    notes: Notes
    tell: Outlets
    results: LiveResults
    check: Callable[[], None]
    end_s: float | None
    why: str = ENDED
    failed: InputError | None = None
    _end: int = 0
    _in_stretch: bool = False
    _noted: int = 0

    @property
    def time_s(self) -> float:
        """The time up to which frames were taken."""
        return self._end / GRID_FPS

    def events(self) -> Iterator[LiveEvent]:
        """Work to the end of the stream; all is decided then.

        Yields:
            What was told.
        """
        for item in self._items():
            if isinstance(item, Tick):
                yield from self._tick(item)
            elif isinstance(item, Gap):
                yield from self._end_stretch()
                yield self.tell(LiveEvent("interrupted", item.end / GRID_FPS, reason=item.reason))
            elif isinstance(item, Notice):
                yield self.tell(LiveEvent("interrupted", self.time_s, reason=item.reason))
            yield from self._measured()
        yield from self._end_stretch()
        yield from self._measured()

    def _items(self) -> Iterator[Tick | Gap | Notice | None]:
        """What the feed brings, as long as it is wanted."""
        items = iter(self.feed)
        while True:
            self.check()
            try:
                item = next(items)
            except StopIteration:
                return
            except InputError as error:  # what came before stands
                self.why, self.failed = error.what, error
                return
            if isinstance(item, Tick) and self._is_late(item.frame.index):
                self.why = LONG_ENOUGH
                return
            yield item

    def _is_late(self, index: int) -> bool:
        return self.end_s is not None and index >= self.end_s * GRID_FPS - 0.5

    def _tick(self, tick: Tick) -> Iterator[LiveEvent]:
        frame, tell = tick.frame, self.tell
        self.results.size = frame.picture.width, frame.picture.height
        self._end, self._in_stretch = frame.index + 1, True
        if tell.delays is not None:
            tell.delays.came(frame.index, tick.at_s)
        if tell.server is not None and not tick.left_out:
            tell.server.show(frame.index / GRID_FPS, frame.picture)
        hop = self.passing.take(frame, tick.begins, late=tick.left_out)
        if hop is not None:
            yield from self._decided(hop, flush=False)
        if tell.status is not None:
            tell.status.frame(tick.at_s)

    def _end_stretch(self) -> Iterator[LiveEvent]:
        if self._in_stretch:
            self._in_stretch = False
            yield from self._decided(self.passing.end_stretch(), flush=True)

    def _decided(self, hop: Hop, *, flush: bool) -> Iterator[LiveEvent]:
        decided = self.decider.take(hop, flush=flush)
        recorder, status = self.tell.recorder, self.tell.status
        if recorder is not None:
            recorder.take(decided)  # before anything is told: whoever iterates may go away
        if status is not None:
            status.faces(sum(len(rows.boxes) for rows in decided.rows))
        yield from self.tell.each(decided.events)
        if recorder is not None:
            for event in recorder.write():
                yield self.tell(event)

    def _measured(self) -> Iterator[LiveEvent]:
        """What is told besides: notes, and once a second the status."""
        for sentence in list(islice(self.notes, self._noted, None)):
            self._noted += 1
            yield self.tell(LiveEvent("note", self.time_s, reason=sentence))
        if self.tell.status is not None and (about := self.tell.status.told()) is not None:
            yield self.tell(LiveEvent("status", self.time_s, about=about))
