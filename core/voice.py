"""A voice of a diarization, and whom it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Voice:
    """A voice of a diarization, assigned to the person who is seen speaking with it, if any.

    Attributes:
        name: Its name in the file.
        turns: When it speaks, in seconds from the start of the picture, sorted and disjoint.
        person: Whose voice it is, named like a track (`Track.name`); None if nobody was seen
            speaking with it.
        confidence: From 0 to 1, how probable `person` is against the next best explanation.
        tracks: Numbers of that person's tracks.
        exceptions: (start_s, end_s, person) of the parts of `turns` in which somebody else is seen
            speaking, in order and disjoint.
        cannot_be: People who are seen silent while it speaks, by first appearance.
    """

    name: str
    turns: tuple[tuple[float, float], ...]
    person: str | None = None
    confidence: float = 0.0
    tracks: tuple[int, ...] = ()
    exceptions: tuple[tuple[float, float, str], ...] = ()
    cannot_be: tuple[str, ...] = ()

    def parts(self) -> Iterator[tuple[float, float, str | None]]:
        """The turns, divided at the exceptions, in order: (start_s, end_s, whose they are)."""
        for start_s, end_s in self.turns:
            for first_s, last_s, other in self.exceptions:
                if start_s <= first_s and last_s <= end_s:
                    if start_s < first_s:
                        yield start_s, first_s, self.person
                    yield first_s, last_s, other
                    start_s = last_s  # noqa: PLW2901 - the rest of the turn
            if start_s < end_s:
                yield start_s, end_s, self.person
