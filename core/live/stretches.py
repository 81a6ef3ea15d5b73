"""Collects what a live session has decided, and makes results of stretches of it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..decisions.segments import stretches
from ..types import Heard, Spans, Track
from .decided import Decided, DecidedRows

_BY_ROW = ("boxes", "smoothed", "logits", "uncalibrated", "speaking")
"""What `DecidedRows` holds for each grid frame."""


@dataclass(frozen=True, eq=False)
class Stretch:
    """What was decided of a stretch of time.

    Attributes:
        first: Its first grid frame, of the session.
        end: The grid frame after its last one.
        shots: (first, end) grid frames of each shot, as far as it lies in the stretch.
        tracks: The faces, as far as they do, by first frame. Their numbers are those of the
            session, and so the same in every stretch.
        speech: When anybody speaks; None without voice activity detection.
        off_screen: When there is speech, but no visible face speaks; None likewise.
        heard: The detected speech; None likewise.
    """

    first: int
    end: int
    shots: tuple[tuple[int, int], ...]
    tracks: tuple[Track, ...]
    speech: Spans | None
    off_screen: Spans | None
    heard: Heard | None


class Collected:
    """What was decided and not taken yet.

    Attributes:
        first: The grid frame up to which it was taken.
        stop: The grid frame up to which it is decided.
    """

    def __init__(self) -> None:
        self.first = self.stop = 0
        self._shots: dict[int, tuple[int, int | None]] = {}
        self._rows: dict[int, list[DecidedRows]] = {}
        self._speech = _Row()
        self._off_screen = _Row()
        self._heard = _Row()

    def add(self, decided: Decided) -> None:
        """Take what a hop has decided."""
        self.stop = decided.stop
        for number, first, end in decided.shots:
            self._shots[number] = (first, end)
        for rows in decided.rows:
            self._rows.setdefault(rows.track, []).append(rows)
        self._speech.add(decided.first, decided.speech)
        self._off_screen.add(decided.first, decided.off_screen)
        if decided.heard is not None:
            self._heard.add(decided.heard.first_frame, decided.heard.probabilities)

    def take(self, end: int) -> Stretch:
        """What was decided before a grid frame, at most `stop`, and was not taken yet.

        A face, a shot and a turn that go on are cut there.
        """
        first, self.first = self.first, end
        numbers, shots = self._take_shots(first, end)
        speech, off_screen, heard = (
            row.take(first, end) for row in (self._speech, self._off_screen, self._heard)
        )
        return Stretch(
            first,
            end,
            shots,
            self._take_tracks(first, end, numbers),
            None if speech is None else stretches(speech.astype(bool), first, 0.0),
            None if off_screen is None else stretches(off_screen.astype(bool), first, 0.0),
            None if heard is None else Heard(first, heard.astype(np.float32)),
        )

    def _take_shots(
        self, first: int, end: int
    ) -> tuple[dict[int, int], tuple[tuple[int, int], ...]]:
        """By number of a shot its place among those of the stretch; and their frames."""
        places: dict[int, int] = {}
        shots: list[tuple[int, int]] = []
        for number, (begin, stop) in sorted(self._shots.items()):
            own = max(begin, first), end if stop is None else min(stop, end)
            if own[0] < own[1]:
                places[number] = len(shots)
                shots.append(own)
        self._shots = {
            number: shot for number, shot in self._shots.items() if shot[1] is None or shot[1] > end
        }
        return places, tuple(shots)

    def _take_tracks(self, first: int, end: int, shots: Mapping[int, int]) -> tuple[Track, ...]:
        tracks = []
        for number, chunks in list(self._rows.items()):
            rows = _joined(chunks)
            own = _between(rows, first, end)
            if len(own.boxes):
                tracks.append(_track(own, shots[own.shot]))
            rest = _between(rows, end, sys.maxsize)  # it may be embedded before it is decided
            self._rows[number] = [rest]
            if not len(rest.boxes) and not len(rest.embedded):
                del self._rows[number]
        return tuple(sorted(tracks, key=lambda track: (track.first_frame, track.id)))


class _Row:
    """A value for each grid frame, in pieces; 0 where there is none; nothing if there never was."""

    def __init__(self) -> None:
        self._pieces: list[tuple[int, NDArray[Any]]] = []
        self._is_there = False

    def add(self, first: int, piece: NDArray[Any] | None) -> None:
        if piece is not None:
            self._is_there = True
            self._pieces.append((first, piece))

    def take(self, first: int, end: int) -> NDArray[np.float32] | None:
        """The values from one frame to another, (end - first,); earlier ones are forgotten."""
        if not self._is_there:
            return None
        row = np.zeros(end - first, np.float32)
        rest = []
        for begin, piece in self._pieces:
            own = piece[max(0, first - begin) : max(0, end - begin)]
            place = max(0, begin - first)
            row[place : place + len(own)] = own
            if begin + len(piece) > end:
                rest.append((begin, piece))
        self._pieces = rest
        return row


def _joined(chunks: Sequence[DecidedRows]) -> DecidedRows:
    """The rows of a track together, called as it is called last."""
    full = [chunk for chunk in chunks if len(chunk.boxes)] or chunks[:1]
    embedded = [chunk for chunk in chunks if len(chunk.embedded)] or chunks[:1]
    by_row: dict[str, Any] = {
        name: np.concatenate([getattr(chunk, name) for chunk in full]) for name in _BY_ROW
    }
    return replace(
        chunks[-1],
        **by_row,
        first_frame=full[0].first_frame,
        embedded=np.concatenate([chunk.embedded for chunk in embedded]),
        embeddings=np.concatenate([chunk.embeddings for chunk in embedded]),
    )


def _between(rows: DecidedRows, first: int, end: int) -> DecidedRows:
    """The rows, and what was embedded, of the grid frames from one to another."""
    own = slice(max(0, first - rows.first_frame), max(0, end - rows.first_frame))
    embedded = (first <= rows.embedded) & (rows.embedded < end)
    by_row: dict[str, Any] = {name: getattr(rows, name)[own] for name in _BY_ROW}
    return replace(
        rows,
        **by_row,
        first_frame=max(first, rows.first_frame),
        embedded=rows.embedded[embedded],
        embeddings=rows.embeddings[embedded],
    )


def _track(rows: DecidedRows, shot: int) -> Track:
    return Track(
        id=rows.track,
        shot=shot,
        first_frame=rows.first_frame,
        boxes=rows.boxes,
        smoothed=rows.smoothed,
        logits=rows.logits,
        speaking=stretches(rows.speaking, rows.first_frame, 0.0),
        embedded=rows.embedded,
        embeddings=rows.embeddings,
        identity=rows.name,
        uncalibrated=rows.uncalibrated,
        source_id=rows.source_id,
    )
