"""Where the events of a live session go, besides to whoever iterates over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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

    def __call__(self, event: LiveEvent) -> LiveEvent:
        """Tell an event.

        Returns:
            The event, with its delay.

        Raises:
            OutputError: It cannot be written.
        """
        if self.delays is not None:
            event = self.delays.timed(event)
        if self.status is not None:
            self.status.event(event.delay_s)
        if self.server is not None:
            self.server.publish(event)
        if self.recorder is not None:
            self.recorder.event(event)
        if self._on_event is not None:
            self._on_event(event)
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
        """Write what is not written yet, and tell the last event, whatever fails by now."""
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
