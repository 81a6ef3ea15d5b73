"""A live session that tells what it is given, in place of one that follows a stream."""

from __future__ import annotations

from pathlib import Path

from asdkit.core.live.events import LiveEvent, LiveFace
from asdkit.core.live.ticks import Counts

FACE = LiveFace(0, "Zoë", (0.0, 0.0, 9.0, 9.0), 0.9, True, False)
TOLD = (
    LiveEvent("begun", 0.0, about={"name": "camera"}),
    LiveEvent("appeared", 0.2, track=0, name="Zoë"),
    LiveEvent("speaking", 1.0, certain=False, track=0, name="Zoë", probability=0.9),
    LiveEvent("faces", 1.2, faces=(FACE,), delay_s=0.3),
    LiveEvent("speaking", 1.0, track=0, name="Zoë", probability=0.9, delay_s=0.5),
    LiveEvent("silent", 3.0, track=0, name="Zoë", since_s=1.0, delay_s=0.6),
    LiveEvent("ended", 4.0, about={}),
)
SUMMARY = [
    "camera: 0:04.0",
    "spoke: Zoë 2.0 s",
    "delay until it was certain: 0.50 s (median), 0.60 s (worst)",
]


class FakeSession:
    """What the command uses of a session, with the events that it is to tell."""

    def __init__(self, events=TOLD, *, url=None, fails=None):
        self.counts = Counts()
        self.folder = self.url = None
        self.plan = self.results = None
        self.stopped = self.closed = False
        self._events, self._url, self._fails = events, url, fails

    def __call__(self, plan, *, results):
        self.plan, self.results = plan, results
        self._left = self._all()
        return self

    def _all(self):
        self.url = self._url
        output = self.plan.options.output
        self.folder = Path(output) if output else self.results and self.results / "camera"
        if self.folder:
            self.folder.mkdir(parents=True)
            (self.folder / "events.jsonl").touch()
        for event in self._events:
            if self.stopped:
                yield LiveEvent("ended", event.time_s, about={})
                return
            yield event
        if self._fails:
            raise self._fails

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._left)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closed = True

    def stop(self):
        self.stopped = True
