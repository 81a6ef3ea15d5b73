"""Scores a dataset's own labelled faces instead of those of a detector and tracker."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..analysis.answers import asked, checked_scores
from ..analysis.crops import centre_and_half_size
from ..analysis.square_pixels import Square
from ..contracts import Scorer
from ..labelled_clip import read_by
from ..labels import LabelledFace, LabelledVideo
from ..progress import Progress, Stopwatch
from ..result import VideoInfo
from ..types import GRID_FPS, Detections, Track, TrackPiece, UInt8
from ..viewing import Seen


class _OneShot:
    """A cutter that never cuts, so that given tracks stay whole; see `core.contracts.Cutter`."""

    looks = False

    def starts_shot(self, frame: UInt8, index: int) -> bool:
        return False


class _Blind:
    """A detector that finds no faces; see `core.contracts.Detector`."""

    looks = False

    def detect(self, frames: UInt8, indices: Sequence[int]) -> list[Detections]:
        return [Detections.none() for _ in indices]


class _Given:
    """A tracker that returns given faces, frame by frame; see `core.contracts.Tracker`."""

    def __init__(self, faces: Sequence[LabelledFace], square: Square) -> None:
        self._square = square
        self._coming = sorted(enumerate(faces), key=lambda item: -item[1].first_frame)
        """(number, face) of tracks that have not begun, the next one last."""
        self._live: list[tuple[int, LabelledFace]] = []
        self._next = 0
        """The first grid frame whose boxes have not been returned."""

    def update(self, index: int, found: Detections) -> list[TrackPiece]:
        while self._coming and self._coming[-1][1].first_frame <= index:
            self._live.append(self._coming.pop())
        pieces, live = [], []
        for number, face in self._live:
            first = max(self._next, face.first_frame) - face.first_frame
            boxes = self._square.boxes(face.boxes[first : index + 1 - face.first_frame])
            goes_on = face.first_frame + len(face.boxes) > index + 1
            status: Literal["live", "kept"] = "live" if goes_on else "kept"
            pieces.append(TrackPiece(number, face.first_frame + first, boxes, status))
            if goes_on:
                live.append((number, face))
        self._live = live
        self._next = index + 1
        return pieces

    def flush(self) -> list[TrackPiece]:
        return [
            TrackPiece(number, self._next, np.empty((0, 4)), "kept") for number, _ in self._live
        ]


FOUND_KINDS = ("cutter", "detector", "tracker")
"""The kinds of components that `parts_for` replaces."""


def parts_for(faces: Sequence[LabelledFace], pixel_aspect: float = 1.0) -> dict[str, Any]:
    """Components, by kind, that make a pass use only given faces; needs `detect_every` 1.

    Args:
        faces: The faces, with boxes in stored pixels.
        pixel_aspect: Width of a stored pixel over its height.
    """
    given = _Given(faces, Square.of(pixel_aspect))
    return dict(zip(FOUND_KINDS, (_OneShot(), _Blind(), given), strict=True))


def crops_seen(
    video: LabelledVideo, scorer: Scorer, name: str, watch: Stopwatch, progress: Progress
) -> Seen:
    """Score the face crops of a dataset that has no video file.

    Args:
        video: The labelled video, each of its faces with clips.
        scorer: The scorer.
        name: The scorer in words.
        watch: Times the stages "decode" and "score".
        progress: Called with the progress.

    Raises:
        InputError: A crop or a sound cannot be read.
        PluginError: The dataset or the scorer breaks its contract.
    """
    tracks = []
    frames = sum(len(face.boxes) for face in video.faces)
    done = 0
    for number, face in enumerate(video.faces):
        assert face.clips is not None
        with watch("decode"):
            clips = face.clips()
        with watch("score"), asked(name):
            answer = scorer.score(read_by(scorer, clips))
        scores = checked_scores(name, answer, clips)
        smoothed = centre_and_half_size(face.boxes)
        logits = np.concatenate([found.logits for found in scores])
        tracks.append(Track(number, 0, face.first_frame, face.boxes, smoothed, logits, ()))
        done += len(face.boxes)
        progress("scoring", done, frames)
    return Seen(_stretches(video.faces), tuple(tracks), None)


def crops_info(video: LabelledVideo) -> VideoInfo:
    """The properties of a video of which the dataset holds only face crops."""
    end_s = _end(video) / GRID_FPS
    return VideoInfo(Path(video.name), end_s, 0, 0, GRID_FPS, has_sound=True)


def _stretches(faces: Sequence[LabelledFace]) -> tuple[tuple[int, int], ...]:
    """The runs of grid frames with a face, as (first, end), end excluded."""
    found: list[tuple[int, int]] = []
    for first, end in sorted((f.first_frame, f.first_frame + len(f.boxes)) for f in faces):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((first, end))
    return tuple(found)


def _end(video: LabelledVideo) -> int:
    """The grid frame after the last labelled face."""
    return max(face.first_frame + len(face.boxes) for face in video.faces)
