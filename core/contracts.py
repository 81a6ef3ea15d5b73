"""What a component of each kind must do. Any object with these methods fits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from .types import Clip, Detections, Result, Scores, TrackPiece, UInt8


class Cutter(Protocol):
    """Finds where shots begin."""

    def starts_shot(self, frame: UInt8, index: int) -> bool:
        """Whether a new shot begins with this frame.

        Args:
            frame: (height, width, 3) uint8, RGB; frames come in order, none left out.
            index: Its grid frame number.
        """
        ...


class Detector(Protocol):
    """Finds faces."""

    def detect(self, frames: UInt8, indices: Sequence[int]) -> list[Detections]:
        """Find the faces in each frame.

        Args:
            frames: (n, height, width, 3) uint8, RGB.
            indices: The n grid frame numbers, rising; some may have been left out.

        Returns:
            One `Detections` per frame, in the same order, empty ones included.
        """
        ...


class Tracker(Protocol):
    """Joins the faces of successive frames into tracks, within one shot."""

    def update(self, index: int, found: Detections) -> list[TrackPiece]:
        """Take the faces of the next frame looked at.

        Args:
            index: Its grid frame number, higher than the last one; some may be left out.
            found: Its faces.

        Returns:
            The pieces of tracks that became certain. A new track is told of at once, and its
            pieces follow each other without a gap: the frames of a track that is not told of
            are not kept.
        """
        ...

    def flush(self) -> list[TrackPiece]:
        """End all tracks, at the end of a shot; the next `update` starts anew.

        Returns:
            The last piece of every track that was still live. Numbers are not used again.
        """
        ...


class Scorer(Protocol):
    """Says how likely each face is the one speaking."""

    def score(self, clips: Sequence[Clip]) -> list[Scores]:
        """Score any number of clips of any length; one `Scores` per clip, a row per frame."""
        ...


class Writer(Protocol):
    """Writes a result in one format."""

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write into `folder`, which exists, and return the files, each of them whole."""
        ...
