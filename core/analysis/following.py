"""Passes detected faces to the tracker, and ends tracks that would go on with another person."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, Protocol

from ..contracts import Detector, Tracker
from ..notes import Notes
from ..progress import Stopwatch
from ..types import Detections, TrackPiece
from .answers import Pieces, asked
from .attributes import checked_knows_ids
from .known_tracks import KnownTracks
from .same_person import SamePerson


class Followed(Protocol):
    """The components whose faces are followed; see `core.analysis.parts.Parts`."""

    @property
    def detector(self) -> Detector:
        """The detector."""
        ...

    @property
    def tracker(self) -> Tracker:
        """The tracker."""
        ...

    def name(self, kind: str) -> str:
        """A component in words."""
        ...


def followed(
    parts: Followed, same_person: SamePerson, watch: Stopwatch, notes: Notes, *, detect_every: int
) -> tuple[Follower, dict[int, int]]:
    """What follows faces: their ids if they have some, else the tracker.

    Args:
        parts: The components.
        same_person: Detects where another person has taken the place of a tracker's track.
        watch: Times the stage "track".
        notes: Gets a note if the tracker is not used.
        detect_every: Most frames from one look to the next.

    Returns:
        The follower, and by number of the track its id, where faces have ids; to be taken out when
        the track has begun.
    """
    name = parts.name("detector")
    if not checked_knows_ids(name, parts.detector):
        return Follower(parts.tracker, same_person, watch, parts.name("tracker")), {}
    known = KnownTracks(name, detect_every)
    notes.add(f"Faces are followed by the ids that they have: {parts.name('tracker')} is not used")
    return Follower(known, None, watch, name), known.ids


class Follower:
    """Passes faces to the tracker frame by frame, delayed where later frames are needed.

    Later frames are needed where a face may be another person's; see `SamePerson`.

    Args:
        tracker: The tracker.
        same_person: Detects where another person has taken a track's place; None to believe the
            tracker.
        watch: Times the stage "track".
        name: The tracker in words.
    """

    def __init__(
        self, tracker: Tracker, same_person: SamePerson | None, watch: Stopwatch, name: str
    ) -> None:
        self._tracker = tracker
        self._same_person = same_person
        self._watch = watch
        self._name = name
        self._pieces = Pieces(name)
        self._waiting: deque[tuple[int, Detections]] = deque()

    @property
    def waiting(self) -> int | None:
        """The first frame whose faces the tracker has not been given yet; None if there is none."""
        return self._waiting[0][0] if self._waiting else None

    def add(self, found: Iterable[tuple[int, Detections]]) -> None:
        """Queue the faces of the next detected frames."""
        self._waiting.extend(found)

    def follow(self, end: int, *, final: bool = False) -> list[TrackPiece]:
        """Pass the queued faces to the tracker, up to a frame that needs later ones to decide.

        Args:
            end: The grid frame after the last one received.
            final: Whether the shot ends at `end`, which ends all tracks, too.

        Raises:
            PluginError: The tracker breaks its contract.
        """
        pieces: list[TrackPiece] = []
        while self._waiting:
            index, faces = self._waiting[0]
            replaced: list[int] | None = []
            if self._same_person:
                with self._watch("track"):
                    replaced = self._same_person.replaced(index, faces, end, final=final)
            if replaced is None:
                break
            if replaced:
                pieces += self._ended(replaced, index)
            self._waiting.popleft()
            with self._watch("track"), asked(self._name):
                answer = self._tracker.update(index, faces)
            pieces += self._taken(answer, index + 1)
        if final:
            with self._watch("track"), asked(self._name):
                answer = self._tracker.flush()
            pieces += self._taken(answer, end)
            self._pieces.finish()
        return pieces

    def _ended(self, tracks: list[int], end: int) -> list[TrackPiece]:
        """End these tracks, or all tracks if the tracker cannot end single ones."""
        end_tracks = getattr(self._tracker, "end", None)
        with self._watch("track"), asked(self._name):
            answer = end_tracks(tracks) if end_tracks else self._tracker.flush()
        return self._taken(answer, end)

    def _taken(self, answer: Any, end: int) -> list[TrackPiece]:
        pieces = self._pieces.checked(answer, end)
        if self._same_person:
            with self._watch("track"):
                self._same_person.took(pieces)
        return pieces
