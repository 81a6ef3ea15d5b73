"""What is true at present, for whoever begins to listen in the middle of a session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .events import LiveEvent
from .lines import as_values

_SPEECH = ("speaking", "silent")


class Present:
    """The events that are still true, of all that were told.

    Memory is bounded by the faces in sight. Somebody who was told `events` and then all that is
    told afterwards knows the same as if they had listened from the beginning, but for what is over.
    """

    def __init__(self) -> None:
        self._latest: dict[str, LiveEvent] = {}
        self._in_sight: dict[int, LiveEvent] = {}
        self._certain: dict[int | None, LiveEvent] = {}
        self._told: dict[int | None, LiveEvent] = {}
        self.time_s = 0.0

    def follow(self, event: LiveEvent) -> None:
        """Take an event into account."""
        self.time_s = max(self.time_s, event.time_s)
        if event.event in ("begun", "interrupted", "faces", "status", "ended"):
            self._latest[event.event] = event
        if event.event == "faces":  # it goes on
            self._latest.pop("interrupted", None)
        if event.event in _SPEECH:
            self._follow_speech(event)
        elif event.track is not None:
            self._follow_face(event, event.track)

    def _follow_speech(self, event: LiveEvent) -> None:
        if event.event == "silent" and (event.certain or event.track not in self._certain):
            self._certain.pop(event.track, None)
            self._told.pop(event.track, None)
            return
        self._told[event.track] = event
        if event.certain:
            self._certain[event.track] = event

    def _follow_face(self, event: LiveEvent, track: int) -> None:
        if event.event == "appeared":
            self._in_sight[track] = event
        elif event.event == "left":
            for known in (self._in_sight, self._certain, self._told):
                known.pop(track, None)
        elif event.event == "named":
            for named in (self._in_sight, self._certain, self._told):
                if track in named:
                    named[track] = replace(named[track], name=event.name)

    def events(self) -> list[LiveEvent]:
        """What is still true, in an order in which it could have been told."""
        latest = [self._latest.get(kind) for kind in ("begun", "interrupted")]
        newest = [self._latest.get(kind) for kind in ("faces", "status", "ended")]
        return [
            event
            for event in (*latest, *self._in_sight.values(), *self._speech(), *newest)
            if event is not None
        ]

    def _speech(self) -> list[LiveEvent]:
        """Of each face that it speaks, and what was told of it provisionally since."""
        found = []
        for track, told in self._told.items():
            certain = self._certain.get(track)
            if certain is not None:
                found.append(certain)
            if certain is None or told.event == "silent":
                found.append(told)
        return found

    def values(self) -> dict[str, Any]:
        """The same as JSON types, by kind; None where there is nothing of a kind."""

        def lines(events: Sequence[LiveEvent]) -> list[dict[str, Any]]:
            return [as_values(event) for event in events]

        return {
            **{
                kind: as_values(self._latest[kind]) if kind in self._latest else None
                for kind in ("begun", "interrupted", "faces", "status", "ended")
            },
            "in_sight": lines([*self._in_sight.values()]),
            "speech": lines(self._speech()),
        }
