"""What a component of each kind must do. Any object with these methods fits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from .labels import LabelledVideo, Measure
from .types import Clip, Detections, Float32, Int16, Result, Scores, TrackPiece, UInt8


class Cutter(Protocol):
    """Finds where shots begin.

    One that has to see what follows has an attribute `lookahead_frames`: its answer is for the
    frame so many before the one it is given. After the last frame it is given that picture as
    many times more.
    """

    def starts_shot(self, frame: UInt8, index: int) -> bool:
        """Whether a new shot begins with this frame.

        Args:
            frame: (height, width, 3) uint8, RGB, in stored pixels; frames come in order, none
                left out.
            index: Its grid frame number.
        """
        ...


class Detector(Protocol):
    """Finds faces. One instance serves any number of videos.

    It is not asked again about a picture that stands still. One that does not look at pictures,
    but knows the faces of each frame beforehand, has an attribute `looks` that is False: it is
    asked about every frame, and its boxes are in stored pixels, square or not.
    """

    def detect(self, frames: UInt8, indices: Sequence[int]) -> list[Detections]:
        """Find the faces in each frame.

        Args:
            frames: (n, height, width, 3) uint8, RGB, in square pixels.
            indices: The n grid frame numbers, rising; some may have been left out. -1 stands for
                a picture that is no frame of the video, such as a portrait.

        Returns:
            One `Detections` per frame, in the same order, empty ones included; boxes in pixels of
            `frames`.
        """
        ...


class Tracker(Protocol):
    """Joins the faces of successive frames into tracks, within one shot.

    It may have a method `end(tracks) -> list[TrackPiece]`, which ends some of its tracks before
    the next frame and returns their last pieces: another person has taken their place. One that
    has none is flushed instead, as at the end of a shot.
    """

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
    """Says how likely each face is the one speaking. One instance serves any number of videos."""

    def score(self, clips: Sequence[Clip]) -> list[Scores]:
        """Score any number of clips of any length; one `Scores` per clip, a row per frame."""
        ...


class Embedder(Protocol):
    """Turns faces into vectors that lie close together for one person.

    One instance serves any number of videos.
    """

    def embed(self, faces: UInt8) -> Float32:
        """Embed faces, each by itself.

        Args:
            faces: (n, 160, 160, 3) uint8, RGB, the box of each face and nothing around it.

        Returns:
            (n, d) float32, each row of length 1; d is the same for all faces.
        """
        ...


class Vad(Protocol):
    """Voice activity detection: hears where somebody speaks. One instance hears one sound.

    A detector whose answer depends on what it heard before may say so in an attribute `memory_s`,
    seconds: where a run begins within a video, it is handed so much of the sound before that.
    """

    def speech(self, sound: Int16) -> Float32:
        """Listen to the next piece of the sound.

        Args:
            sound: (640 n,) int16, 16 kHz mono, the sound of the next n grid frames; n is a
                multiple of four, except in the last piece.

        Returns:
            (n,) float32 from 0 to 1, one for each frame: how likely somebody speaks.
        """
        ...


class Writer(Protocol):
    """Writes a result in one format."""

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write into `folder`, which exists, and return the files, each of them whole."""
        ...


class Dataset(Protocol):
    """Videos with labels.

    Attributes:
        measure: What the dataset is judged by, unless told otherwise.
    """

    measure: Measure

    def videos(self) -> Sequence[LabelledVideo]:
        """The videos, in a fixed order.

        Raises:
            AsdError: A file is missing or is not what it should be.
        """
        ...
