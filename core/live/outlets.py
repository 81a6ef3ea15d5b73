"""Where the events of a live session go, besides to whoever iterates over it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from ..errors import AsdError
from .delays import Delays
from .events import LiveEvent
from .parts import Recorder
from .serving import LiveServer
from .status import Status


class Outlets:
    """Hands each event to the file, the page and the caller's function, in that order.

    Args:
        on_event: Called with each event; what it raises ends the session.

    Attributes:
        recorder: Writes the events; None if nothing is written.
        server: Serves them; None without a page.
        delays: Knows how late an event is; None if that means nothing.
        status: Is told how late events are; None likewise.
    """

    def __init__(self, on_event: Callable[[LiveEvent], object] | None) -> None:
        self._on_event = on_event
        self.recorder: Recorder | None = None
        self.server: LiveServer | None = None
        self.delays: Delays | None = None
        self.status: Status | None = None
        self._ended = False
        """Whether the last event was told."""

    def __call__(self, event: LiveEvent) -> LiveEvent:
        """Tell an event.

        Returns:
            The event, with its delay.

        Raises:
            OutputError: It cannot be written.
        """
        (told,) = self.each([event])
        return told

    def each(self, events: Iterable[LiveEvent]) -> Iterator[LiveEvent]:
        """Tell events that belong together; all are written before the caller hears of the first.

        Yields:
            The events, with their delays.

        Raises:
            OutputError: One cannot be written.
        """
        for event in [self._recorded(event) for event in events]:
            if self._on_event is not None:
                self._on_event(event)
            yield event

    def _recorded(self, event: LiveEvent) -> LiveEvent:
        """Tell all but the caller."""
        self._ended = self._ended or event.event == "ended"
        if self.delays is not None:
            event = self.delays.timed(event)
        if self.status is not None:
            self.status.event(event.delay_s)
        if self.server is not None:
            self.server.publish(event)
        if self.recorder is not None:
            self.recorder.event(event)
        return event

    def finish(self) -> Iterator[LiveEvent]:
        """Write what is not written yet.

        Yields:
            What was told of that.

        Raises:
            OutputError: It cannot be written.
            PluginError: A writer failed.
        """
        if self.recorder is not None:
            for event in self.recorder.finish():
                yield self(event)

    def last(self, event: LiveEvent) -> None:
        """Write what is not written yet, and tell the last event, whatever fails by now.

        Nothing is told if the last event was: whoever iterates may go away with it.
        """
        if self._ended:
            return
        if self.recorder is not None:
            with suppress(AsdError):
                for written in self.recorder.finish():
                    self._quietly(written)
        self._quietly(event)

    def _quietly(self, event: LiveEvent) -> None:
        if self.server is not None:
            self.server.publish(event)
        if self.recorder is not None:
            with suppress(AsdError):
                self.recorder.event(event)
