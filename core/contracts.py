"""The contract of each kind of component. Any object with these methods fulfils it.

Of every component is asked: that it leaves the arrays it is given as they are, since others use
them after it; that what it has returned does not change in later calls; and that where any number
of frames, clips, faces or samples is allowed, it may be none. `asdkit.testing` checks all this.
One thread at a time calls a component, but not always the same one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from .labels import LabelledVideo, Measure
from .result import Result
from .types import Clip, Detections, Float32, Int16, Scores, Shot, TrackPiece, UInt8


class Cutter(Protocol):
    """Finds where shots begin. One instance processes one video, or a part of one.

    A cutter that needs later frames has an attribute `lookahead_frames`: each answer is about the
    frame that many frames before the one passed in. At the end of the video the last picture is
    passed in that many more times.

    A cutter that looks at smaller pictures has an attribute `input_side_px`: pictures whose longer
    side is longer are scaled down to it, which costs less than converting whole ones. One that
    looks at none has an attribute `looks` that is False, and is given black ones at no cost.

    A cutter may have an attribute `concurrent` that is True, under the conditions of `Scorer`: then
    it is called in another thread while other components run.
    """

    def starts_shot(self, frame: UInt8, index: int) -> bool:
        """Whether a new shot begins with this frame.

        Args:
            frame: (height, width, 3) uint8, RGB, in stored pixels, perhaps scaled down; frames
                come in order, none left out. Left unchanged.
            index: Grid frame number of `frame`. The first one is above 0 in a part of a video.
        """
        ...


class Detector(Protocol):
    """Finds faces. One instance serves any number of videos, of any size.

    The faces of a picture depend on nothing else: not on the other pictures of the batch, nor on
    earlier ones, nor on the frame's number. A picture that repeats the previous one is not passed
    in again. A detector that does not look at pictures, but knows the faces of each frame
    beforehand, has an attribute `looks` that is False: it is called for every frame, with black
    pictures, its boxes depend on the frame's number alone, and they are in stored pixels, square or
    not. If it says whose face each is (`Detections.ids`), it has an attribute `knows_ids` that is
    True: the tracker is not used then.

    It may have a method `smallest_face_px(height, width) -> float`: about the larger side, in
    pixels, of the smallest face it can find in pictures of this size; none that it finds is less
    than half as large. A note states it if no face is found.

    A detector that gains nothing from batches has an attribute `one_at_a_time` that is True: no
    frames are held in memory to wait for others.

    A detector that looks at smaller pictures should be a `ScalingDetector`, too.
    """

    def detect(self, frames: UInt8, indices: Sequence[int]) -> list[Detections]:
        """Find the faces in each frame.

        Args:
            frames: (n, height, width, 3) uint8, RGB, in square pixels. Left unchanged.
            indices: The n grid frame numbers, rising, perhaps with gaps: not positions in
                `frames`. -1 stands for a picture that is not a frame of the video, such as a
                portrait; a detector that does not look at pictures refuses it with a
                `ConfigError`.

        Returns:
            One `Detections` per frame, in the same order, empty ones included; boxes in pixels of
            `frames`, each at least partly inside the picture, and beyond its edges by no more than
            its longer side. Landmarks, if there are any, are in the same pixels.
        """
        ...


@runtime_checkable
class ScalingDetector(Protocol):
    """A detector that says how large the pictures need to be that it looks at.

    Then pictures are scaled down while they are converted, which costs less than converting whole
    ones. It must find the same with `detect`, which is still used for pictures of other origins.
    """

    def input_side_px(self, height: int, width: int) -> int | None:
        """The longer side, in pixels, to which pictures of this size should be scaled down.

        Returns:
            The side; smaller pictures stay as they are. None asks for whole pictures.
        """
        ...

    def detect_scaled(
        self, frames: UInt8, indices: Sequence[int], size: tuple[int, int]
    ) -> list[Detections]:
        """Find the faces in pictures that are scaled down.

        Args:
            frames: (n, h, w, 3) uint8, RGB, in square pixels, with the longer side asked for.
            indices: The n grid frame numbers, as for `Detector.detect`.
            size: Height and width of the whole pictures.

        Returns:
            As `Detector.detect`; boxes in pixels of the whole pictures.
        """
        ...


class Tracker(Protocol):
    """Joins the faces of successive frames into tracks, within one shot.

    One instance serves one video: a new one, given the same faces, returns the same tracks. A
    track is one face: faces far from each other are in different tracks.

    It may have a method `end(tracks) -> list[TrackPiece]`, which ends the live tracks of these
    numbers before the next frame, and no others, and returns their last pieces; it is called if
    another person has taken their place, whose face then begins a new track. Without this method
    `flush` is called instead, as at the end of a shot.
    """

    def update(self, index: int, found: Detections) -> list[TrackPiece]:
        """Take the faces of the next frame the detector was run on.

        Args:
            index: Grid frame number, higher than the last one, perhaps with a gap.
            found: The faces of that frame. Left unchanged.

        Returns:
            The pieces of tracks that are final now. A new track must be returned at once, its
            first piece beginning with frame `index`, and its pieces must follow each other
            without a gap, as frames are only kept for tracks that have been returned.
        """
        ...

    def flush(self) -> list[TrackPiece]:
        """End all tracks, at the end of a shot; the next `update` starts anew.

        Returns:
            The last piece of every track that was still live. Track numbers are never reused.
        """
        ...


class Scorer(Protocol):
    """Scores how likely each face is the one speaking. One instance serves any number of videos.

    The scores of a clip depend on nothing else: not on the clips beside it, nor on earlier ones.

    A scorer may have an attribute `concurrent` that is True: then it is called in another thread
    while other components run, one call after the other. It must not use or change anything of the
    whole process, such as global random generators, nor anything that another component changes.
    """

    def score(self, clips: Sequence[Clip]) -> list[Scores]:
        """Score clips.

        Args:
            clips: Any number of clips of 1 to `CLIP_FRAMES` (1500) frames each. Left unchanged.

        Returns:
            One `Scores` per clip, in the same order, a row per frame.
        """
        ...


@runtime_checkable
class ShiftingScorer(Protocol):
    """A scorer that scores one face with several sounds.

    What the picture tells it finds once; for the option `sync`. Its component has `shifts=True`.

    It may have an attribute `refuses_sounds` that is True: with a sound of other people its log
    odds fall so far that `sync` can say that it fits nobody; and `sound_early_s`, from -0.2 to 0.2:
    how much earlier than in step it likes sound best.
    """

    def score_shifted(self, clips: Sequence[Clip]) -> list[Scores]:
        """Score one face with several sounds.

        Args:
            clips: Any number of clips, of 1 to `CLIP_FRAMES` (1500) frames each, with the same
                faces; only their sound differs. Left unchanged.

        Returns:
            What `Scorer.score` answers to these clips, up to rounding.
        """
        ...


class FollowedByScorer(Protocol):
    """What a `FollowingScorer` remembers of a face."""

    def score(self, clip: Clip, new: int) -> Scores:
        """Score the last frames of the face.

        Args:
            clip: These frames. Left unchanged.
            new: How many of them, the last ones, were in no clip before, perhaps none. All others
                were, and no clip will begin before this one.

        Returns:
            A row per frame of the clip. Up to rounding, they are what `Scorer.score` answers to
            the clip if it begins with the face, and is scored as one window. Else what it sees of
            frames near the beginning of the clip, and of windows within it, may depend on the
            frames before them.
        """
        ...


@runtime_checkable
class FollowingScorer(Protocol):
    """A scorer that scores a face again and again while it is seen, at little cost.

    For live sessions: what the picture tells it of a frame it finds once.
    """

    def follow(self) -> FollowedByScorer | None:
        """Begin with a face; None if it cannot, with its parameters or on this device."""
        ...


class FaceContext(Protocol):
    """Corrects the scores of a face by what goes on around it: other faces, and what is heard.

    The kind `context`. One instance serves any number of videos; each answer is about a shot alone.
    """

    def rescore(self, shot: Shot) -> list[Scores]:
        """Score the faces of a shot anew.

        Args:
            shot: The faces with their logits, perhaps none. Left unchanged.

        Returns:
            One `Scores` per track, in the same order, a row per frame.
        """
        ...


class Embedder(Protocol):
    """Turns faces into vectors that lie close together for one person.

    One instance serves any number of videos.

    An embedder that wants aligned faces has an attribute `template`, an
    `asdkit.plugin.FaceTemplate`: the side of its pictures, and where eyes, nose and mouth should
    be. Each face is then shifted, rotated and scaled so that its landmarks, as the detector found
    them, come as near to these places as they can. Between two looks of the detector they are
    moved with the box; where it found none, they are assumed at typical places in the box.

    An embedder may have an attribute `identity_distance`, from 0 to 2: the cosine distance up to
    which two faces, or the means of two tracks, are of one person. It is the default of the option
    of this name; without it 0.5 is.
    """

    def embed(self, faces: UInt8) -> Float32:
        """Embed faces, each independently.

        Args:
            faces: (n, 160, 160, 3) uint8, RGB, the box of each face and nothing around it; or
                (n, side, side, 3), aligned faces as its template says. A face may be of one
                colour. Left unchanged.

        Returns:
            (n, d) float32, each row of length 1; d is the same for all faces.
        """
        ...


class VoiceEmbedder(Protocol):
    """Turns speech into vectors that lie close together for one speaker.

    It is the kind `voice`. One instance serves any number of videos.

    Attributes:
        min_s: The shortest sound, in seconds, above 0, that voices are told apart by; no shorter
            one is passed in.
        max_distance: Two voices are one person's up to this cosine distance, from 0 to 2.
    """

    min_s: float
    max_distance: float

    def embed(self, sounds: Sequence[Int16]) -> Float32:
        """Embed sounds, each independently.

        Args:
            sounds: Any number of sounds, each (m,) int16, 16 kHz mono, of `min_s` seconds to about
                20 s: the speech of one person, put together from several places; it may be
                silence. Left unchanged.

        Returns:
            (n, d) float32, a row of length 1 for each sound; d is the same for all sounds.
        """
        ...


class Vad(Protocol):
    """Voice activity detection. One instance processes one sound.

    A detector whose output depends on earlier sound may have an attribute `memory_s`: if a run
    begins within a video, it is first given so many seconds, 0 or more, of the sound before. Sound
    before that may change its output by 0.1 at most.
    """

    def speech(self, sound: Int16) -> Float32:
        """Process the next piece of the sound.

        Args:
            sound: (640 n,) int16, 16 kHz mono, the sound of the next n grid frames; n is a
                multiple of four, except in the last piece. Left unchanged.

        Returns:
            (n,) float32 from 0 to 1: for each frame, the probability that somebody speaks,
            however the sound is divided into pieces.
        """
        ...


class Writer(Protocol):
    """Writes a result in one format."""

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write a result, perhaps one without tracks or without sound.

        Args:
            result: The result. Left unchanged, as other writers share it.
            folder: An existing folder to write into, and nowhere else. A file of the same name is
                replaced. Its place may be another one later.

        Returns:
            The files written, at least one, all complete; a folder stands for all files in it.
        """
        ...


class Dataset(Protocol):
    """Videos with labels.

    Attributes:
        measure: The dataset's default metric.
    """

    measure: Measure

    def videos(self) -> Sequence[LabelledVideo]:
        """The videos, in a fixed order, with unique names.

        Raises:
            AsdError: A file is missing or invalid.
        """
        ...


CONTRACTS: Mapping[str, type] = {
    "cutter": Cutter,
    "detector": Detector,
    "tracker": Tracker,
    "scorer": Scorer,
    "context": FaceContext,
    "embedder": Embedder,
    "vad": Vad,
    "voice": VoiceEmbedder,
    "writer": Writer,
    "dataset": Dataset,
}
"""By kind of component: its contract."""


def methods(kind: str) -> list[str]:
    """The names of the methods that every component of a kind must have."""
    found = vars(CONTRACTS[kind]).items()
    return [name for name, value in found if callable(value) and not name.startswith("_")]
