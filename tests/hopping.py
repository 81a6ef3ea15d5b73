"""Runs the live pass over pictures, holds its hops against their contract, and joins their rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from asdkit.core.live.hops import Hop
from asdkit.core.pictures import Frame
from asdkit.core.types import Scores


class OneFrame:
    """A scorer that looks at each frame alone: how bright it is, and how loud."""

    def __init__(self):
        self.clips = []

    def score(self, clips):
        self.clips.append([len(clip) for clip in clips])
        return [
            Scores(
                np.stack([clip.faces.mean((1, 2)), clip.sound.reshape(-1, 640).mean(1)], 1).astype(
                    np.float32
                )
            )
            for clip in clips
        ]


class Numbers:
    """Sound whose every sample is the number of its frame; knows what it may forget."""

    def __init__(self):
        self.kept_from = 0
        self.read_to = 0

    def read(self, first, stop):
        assert max(first, 0) >= self.kept_from, "this sound was forgotten"
        self.read_to = max(self.read_to, stop)
        return (np.arange(first, stop) // 640).clip(0).astype(np.int16)

    def forget(self, sample):
        self.kept_from = max(self.kept_from, sample)


@dataclass
class Joined:
    """The certain rows of a track, hop by hop."""

    begin: int
    shot: int
    source_id: int | None
    boxes: list[np.ndarray] = field(default_factory=list)
    smoothed: list[np.ndarray] = field(default_factory=list)
    logits: list[np.ndarray] = field(default_factory=list)
    embedded: list[int] = field(default_factory=list)
    embeddings: list[np.ndarray] = field(default_factory=list)
    ended: bool = False

    @property
    def end(self) -> int:
        return self.begin + sum(map(len, self.logits))


def hops_of(
    live, frames: Iterable[Frame], begin_at: Iterable[int] = (0,), late: Iterable[int] = ()
) -> list[Hop]:
    """The hops of frames; a stretch begins with each of these frames, and the last one is ended."""
    begin_at, late, hops = set(begin_at), set(late), []
    for number, frame in enumerate(frames):
        begins = frame.index in begin_at
        if begins and number:
            hops.append(live.end_stretch())
        hop = live.take(frame, begins, late=frame.index in late)
        if hop:
            hops.append(hop)
    return [*hops, live.end_stretch()]


def joined(hops: Iterable[Hop]) -> dict[int, Joined]:
    """The tracks of a session; all that `core.live.hops` promises is held against it."""
    tracks: dict[int, Joined] = {}
    told: set[int] = set()
    dropped: set[int] = set()
    end = certain_to = 0
    for hop in hops:
        assert end <= hop.end
        assert certain_to <= hop.certain_to <= hop.scored_to <= hop.end
        end, certain_to = hop.end, hop.certain_to
        assert len({face.track for face in hop.faces}) == len(hop.faces)
        told |= {face.track for face in hop.faces}
        for face in hop.faces:
            _take(tracks, face, hop)
        for number in hop.dropped:
            assert number in told
            assert not tracks.pop(number).logits
            dropped.add(number)
        assert not dropped & {face.track for face in hop.faces}
        here = {face.track for face in hop.faces}
        for number, track in tracks.items():
            assert track.ended or number in here or track.end >= certain_to
    assert certain_to == end
    assert all(track.ended for track in tracks.values())
    assert told == set(range(len(told))), "numbers are given in order, none left out"
    return tracks


def _take(tracks, face, hop) -> None:
    rows = len(face.boxes)
    assert face.boxes.shape == (rows, 4)
    assert face.smoothed.shape == (rows, 3)
    assert face.logits.shape == (rows, 2)
    assert face.logits.dtype == np.float32
    assert len(face.embedded) == len(face.embeddings)
    track = tracks.setdefault(face.track, Joined(face.begin, face.shot, face.source_id))
    assert not track.ended
    assert (face.begin, face.shot, face.source_id) == (track.begin, track.shot, track.source_id)
    assert face.first_frame == track.end
    assert face.first_frame + rows <= hop.scored_to
    assert face.certain_to == min(hop.certain_to, face.first_frame + rows) or not face.certain
    assert face.certain_to >= min(hop.certain_to, face.first_frame + rows)
    certain = slice(face.certain)
    if face.certain:
        track.boxes.append(face.boxes[certain])
        track.smoothed.append(face.smoothed[certain])
        track.logits.append(face.logits[certain])
    track.embedded += face.embedded.tolist()
    track.embeddings += list(face.embeddings)
    track.ended = face.ended
    if face.ended:
        assert face.certain == rows
