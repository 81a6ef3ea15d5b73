"""Finds the moments at which an evaluation's scores are most wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..labels import Bool, Judged
from ..matching import grid_frame
from ..types import GRID_FPS, Float64, Int64, Track

WINDOW_S = 2.0
"""How much of a moment is shown."""
SHOWN = 8
"""Pictures in that time."""
_JOINED_S = 0.5
"""Wrong rows of a face that lie no further apart are one moment."""
_MOST_ROW_S = 0.2
"""A row stands for no more time than this, as labels may have gaps."""


class Curve(NamedTuple):
    """What was said of a face, and what is true, while a moment is shown; all are (n,).

    Attributes:
        time_s: float64, seconds from the start of the picture, ascending.
        probability: float64, that the face speaks, from 0 to 1.
        truth: bool, whether it does.
        found: bool, whether the face was found.
    """

    time_s: Float64
    probability: Float64
    truth: Bool
    found: Bool

    def part(self, rows: Bool) -> Curve:
        """Those of its rows that a (n,) mask names."""
        return Curve(self.time_s[rows], self.probability[rows], self.truth[rows], self.found[rows])


@dataclass(frozen=True, eq=False)
class Moment:
    """A time for which the score of a face is on the wrong side.

    Attributes:
        video: The video.
        person: Whom the labels are about.
        missed: Whether the face speaks and the score denies it; else it is the other way round.
        start_s: When it begins, in seconds from the start of the picture.
        end_s: When it ends.
        wrong: How wrong the scores are: the time in seconds, each row counting as much as its
            probability is beyond one half.
        from_s: When what is shown begins; it ends `WINDOW_S` later.
        curve: The face's rows in that time.
        labels_s: (n,) when the face has rows, all of them, ascending.
        track: The id of the face track that was found; None if none was.
        boxes: By grid frame in that time: the (4,) box of that track in pixels.
    """

    video: str
    person: str
    missed: bool
    start_s: float
    end_s: float
    wrong: float
    from_s: float
    curve: Curve
    labels_s: Float64
    track: int | None = None
    boxes: Mapping[int, Float64] = field(default_factory=dict)

    @property
    def times_s(self) -> list[float]:
        """The times of the pictures, each in the middle of its part of what is shown."""
        return [self.from_s + (k + 0.5) * WINDOW_S / SHOWN for k in range(SHOWN)]


def moments_of(video: str, rows: Judged, tracks: Sequence[Track], most: int) -> list[Moment]:
    """The moments of a video at which scores are most wrong.

    A row is wrong if its probability is on the other side of one half than its label. Neighbouring
    wrong rows of a face are one moment.

    Args:
        video: The name of the video.
        rows: Its rows.
        tracks: The face tracks that the rows were judged by.
        most: How many false alarms, and how many misses, to return at most.

    Returns:
        False alarms and misses, the worst first.
    """
    found: list[Moment] = []
    for person in np.unique(rows.person):
        own = np.flatnonzero(rows.person == person)
        own = own[np.argsort(rows.time_s[own], kind="stable")]
        found += _of_person(video, str(person), rows, own)
    worst = sorted(found, key=lambda one: (-one.wrong, one.start_s, one.person))
    kept = [
        one for missed in (False, True) for one in [m for m in worst if m.missed == missed][:most]
    ]
    return [_with_boxes(one, rows, tracks) for one in kept]


def _of_person(video: str, person: str, rows: Judged, own: Int64) -> list[Moment]:
    """The moments of one face, whose rows are `own`, in order of time."""
    time_s, truth = rows.time_s[own], rows.truth[own]
    chance = np.where(rows.found[own], rows.probability[own], 0).astype(np.float64)
    curve = Curve(time_s, chance, truth, rows.found[own])
    length_s = np.clip(np.diff(time_s, append=time_s[-1] + 1 / GRID_FPS), 0, _MOST_ROW_S)
    beyond = np.abs(chance - truth) - 0.5
    found = []
    for missed in (False, True):
        wrong = np.flatnonzero((truth == missed) & (beyond > 0))
        if not len(wrong):
            continue
        apart = np.flatnonzero(np.diff(time_s[wrong]) > _JOINED_S) + 1
        for part in np.split(wrong, apart):
            weight = 2 * beyond[part] * length_s[part]
            start_s, end_s = time_s[part[0]], time_s[part[-1]] + length_s[part[-1]]
            from_s = _window(time_s[part], weight, float(start_s), float(end_s))
            inside = (time_s >= from_s) & (time_s <= from_s + WINDOW_S)
            found.append(
                Moment(
                    video,
                    person,
                    missed,
                    float(start_s),
                    float(end_s),
                    float(weight.sum()),
                    from_s,
                    curve.part(inside),
                    time_s,
                )
            )
    return found


def _window(time_s: Float64, weight: Float64, start_s: float, end_s: float) -> float:
    """When what is shown of a moment begins: about a short one, else where it is most wrong."""
    if end_s - start_s <= WINDOW_S:
        return max((start_s + end_s - WINDOW_S) / 2, 0.0)
    sums = np.concatenate([[0.0], np.cumsum(weight)])
    stops = np.searchsorted(time_s, time_s + WINDOW_S)
    return float(time_s[np.argmax(sums[stops] - sums[:-1])])


def _with_boxes(moment: Moment, rows: Judged, tracks: Sequence[Track]) -> Moment:
    """A moment with the boxes of the track by which most of its rows were judged."""
    chosen = _scored_whole(moment, rows, tracks)
    if chosen is None:
        chosen = _of_most_rows(moment, rows, tracks)
    if chosen is None:
        return moment
    (track,) = (track for track in tracks if track.id == chosen)
    frames = (grid_frame(time_s) for time_s in moment.times_s)
    boxes = {k: track.boxes[k - track.first_frame] for k in frames if k in track.frames}
    values = {**vars(moment), "track": chosen, "boxes": boxes}
    return Moment(**values)


def _scored_whole(moment: Moment, rows: Judged, tracks: Sequence[Track]) -> int | None:
    """The track that has a frame for each row of the face, as under a protocol; None without."""
    number = int(np.searchsorted(np.unique(rows.person), moment.person))
    own = np.flatnonzero(rows.person == moment.person)
    if not rows.found[own].all():
        return None
    logits = rows.logits[own[np.argsort(rows.time_s[own], kind="stable")]]
    whole = (track.id for track in tracks if np.array_equal(track.logits, logits))
    return number if number in whole else None


def _of_most_rows(moment: Moment, rows: Judged, tracks: Sequence[Track]) -> int | None:
    """The track that is what most rows shown say at their grid frame; None if there is none."""
    first, last = moment.from_s, moment.from_s + WINDOW_S
    inside = (rows.person == moment.person) & (rows.time_s >= first) & (rows.time_s <= last)
    voters = [
        track.id
        for row in np.flatnonzero(inside & rows.found)
        for frame in [grid_frame(rows.time_s[row])]
        for track in tracks
        if frame in track.frames
        and np.array_equal(track.logits[frame - track.first_frame], rows.logits[row])
    ]
    return max(dict.fromkeys(voters), key=voters.count) if voters else None
