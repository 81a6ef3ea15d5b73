"""Who listens to a live session, and what waits for each; all of it in the server's thread."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..pictures import Picture
from .events import LiveEvent
from .lines import line_of
from .present import Present
from .stills import still

MOST_WAITING = 256
"""Lines that may wait for a client."""
ENDING_S = 1.0
"""So long a client may take to read what waits for it when the server ends."""


class Client:
    """What waits for somebody who listens.

    If they read slowly, pictures are left out first: only the newest one waits. If more than
    `MOST_WAITING` lines wait, all are left out, and a note says how many; what is true at present
    follows it.

    Args:
        present: What is true at present, which a new client is told first.
        wants_pictures: Whether they get pictures.
        drop: Lets go of the connection, whatever they have not read.
    """

    def __init__(self, present: Present, wants_pictures: bool, drop: Callable[[], object]) -> None:
        self.wants_pictures = wants_pictures
        self.drop = drop
        self._present = present
        self._lines: deque[str] = deque()
        self._still: bytes | None = None
        self._lost = 0
        self._ending = False
        self._change = asyncio.Event()
        self._catch_up()

    def tell(self, line: str) -> None:
        """Let a line wait."""
        if self._lost or len(self._lines) >= MOST_WAITING:
            self._lost += len(self._lines) + 1
            self._lines.clear()
        else:
            self._lines.append(line)
        self._change.set()

    def show(self, picture: bytes) -> None:
        """Let a picture wait, instead of one that waits already."""
        self._still = picture
        self._change.set()

    def end(self) -> None:
        """Nothing more will come."""
        self._ending = True
        self._change.set()

    async def next(self) -> str | bytes | None:
        """The next line or picture; None at the end."""
        while True:
            if self._lost:
                lost, self._lost = self._lost, 0
                self._catch_up(lost)
            if self._lines:
                return self._lines.popleft()
            if self._ending:
                return None
            if self._still is not None:
                waiting, self._still = self._still, None
                return waiting
            self._change.clear()
            await self._change.wait()

    def _catch_up(self, lost: int = 0) -> None:
        if lost:
            reason = f"{lost} events were left out, as they were not read in time"
            note = LiveEvent("note", self._present.time_s, reason=reason, about={"lost": lost})
            self._lines.append(line_of(note))
        self._lines.extend(map(line_of, self._present.events()))


class Clients:
    """All who listen.

    Attributes:
        present: What is true at present.
        looking: How many of them want pictures; any thread may read it.
    """

    def __init__(self) -> None:
        self.present = Present()
        self.looking = 0
        self._all: set[Client] = set()
        self._ended = False

    @contextmanager
    def joined(self, wants_pictures: bool, drop: Callable[[], object]) -> Iterator[Client]:
        """A new client, as long as the block runs; see `Client`."""
        client = Client(self.present, wants_pictures, drop)
        if self._ended:
            client.end()
        self._all.add(client)
        self.looking += wants_pictures
        try:
            yield client
        finally:
            self._all.remove(client)
            self.looking -= wants_pictures

    def tell(self, event: LiveEvent) -> None:
        """Tell all of them an event."""
        line = line_of(event)
        self.present.follow(event)
        for client in self._all:
            client.tell(line)

    def show(self, time_s: float, picture: Picture) -> None:
        """Show a picture to those who want it; it is encoded only if there are any."""
        if self.looking:
            made = still(time_s, picture)
            for client in self._all:
                if client.wants_pictures:
                    client.show(made)

    async def end(self) -> None:
        """End all of them, and all who come later; who has not read all by then is dropped."""
        self._ended = True
        for client in self._all:
            client.end()
        clock = asyncio.get_running_loop().time
        latest = clock() + ENDING_S
        while self._all and clock() < latest:
            await asyncio.sleep(0.02)
        for client in self._all:
            client.drop()
