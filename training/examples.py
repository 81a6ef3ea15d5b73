"""What a training learns from: labelled stretches of faces with their sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError
from ..core.labels import Judged, LabelledVideo
from ..core.numbered import numbered, numbers_of
from ..core.progress import Progress, silent
from ..core.result import Result, VideoInfo
from ..core.types import GRID_FPS, Clip, Float64

Int8 = NDArray[np.int8]
UNKNOWN = -1
"""The label of frames that do not count."""
MOST_REACH_FRAMES = GRID_FPS // 2
"""How far from a label, in grid frames, another frame may get it, however sparse labels are."""
_ROUNDED = 0.25
"""By so much, in grid frames, the distance of two labels whose times are rounded to 0.01 s may be
smaller than it is on average."""
_USUAL = 0.1
"""This quantile of the distances of labels is the usual one: larger ones are gaps."""


@dataclass(frozen=True, eq=False)
class Example:
    """A stretch of one face with its sound, and with labels.

    Attributes:
        video: The video's name in the dataset.
        person: Whose face it is, as named in the dataset.
        labels: (n,) int8, for each grid frame 1 if the face speaks, 0 if it does not, -1 if that
            is unknown and the frame does not count.
        clip: Returns the clip of the frames from the first to the second number, end excluded,
            counted from the begin of the face. It can be pickled.
        first: Which frame of the face is the first of the stretch.
    """

    video: str
    person: str
    labels: Int8
    clip: Callable[[int, int], Clip]
    first: int = 0

    def __len__(self) -> int:
        return len(self.labels)

    def read(self) -> Clip:
        """The faces and the sound of the whole stretch, of any length.

        Raises:
            AsdError: They are not there any more, or cannot be read.
        """
        return self.clip(self.first, self.first + len(self))

    def part(self, start: int, stop: int) -> Example:
        """The frames from `start` to `stop`, end excluded, counted from the stretch's first."""
        return replace(self, labels=self.labels[start:stop], first=self.first + start)


@dataclass(frozen=True, eq=False)
class Face:
    """A face of a video, whose pictures can be read.

    Attributes:
        first_frame: Grid frame of the first box.
        boxes: (n, 4) float64 in source pixels, one per grid frame.
        clip: See `Example.clip`.
    """

    first_frame: int
    boxes: Float64
    clip: Callable[[int, int], Clip]


@dataclass(frozen=True, eq=False)
class FacesOfVideo:
    """The faces of a video that a training may learn from.

    Attributes:
        info: The video.
        shots: (first, end) grid frames of each shot, end excluded.
        faces: The faces.
    """

    info: VideoInfo
    shots: tuple[tuple[int, int], ...]
    faces: tuple[Face, ...]


class Faces(Protocol):
    """Gives the faces of labelled videos; see `training.faces`."""

    def expect(self, videos: Sequence[LabelledVideo]) -> None:
        """Check, before anything is read, that there is room for the faces of all videos.

        Raises:
            ConfigError: There is not.
        """

    def __call__(self, video: LabelledVideo, progress: Progress) -> FacesOfVideo:
        """The faces of a video.

        Raises:
            AsdError: The video cannot be used.
        """


def examples_of(
    videos: Sequence[LabelledVideo], faces: Faces, progress: Progress = silent
) -> list[Example]:
    """All labelled faces of a dataset, video by video.

    Pictures and sound of crops that a dataset holds are read when an example is; faces of videos
    are cut before, see `training.faces`.

    Which frames are labelled, and how, the dataset's own judge says: it is shown the faces, with
    scores that tell it apart from all others. A frame without a label of its own gets the nearest
    one, if that is no further away than half the usual distance of the face's labels, and half a
    second at most; otherwise it does not count. So labels of 24 a second leave no gaps on the grid
    of 25, but what is not labelled among labels of each frame stays so. Faces without any label are
    left out.

    Args:
        videos: The videos of the dataset.
        faces: Gives the faces of each.
        progress: Called with the progress of each video.

    Raises:
        InputError: Labels of a video are not about faces, no face has a label, or a video or its
            crops cannot be read.
        ConfigError: There is no room for the faces of all videos.
        PluginError: The dataset breaks its contract.
    """
    for video in videos:
        if video.judge is None:
            raise InputError(
                f"The dataset does not label faces of {video.name}: a training needs to know of "
                "each face when it speaks, not who is heard when",
                "Use labels of faces, such as those of dataset=ava, columbia, dialogue or results",
            )
    faces.expect(videos)
    examples = [one for video in videos for one in _examples(video, faces(video, progress))]
    if not examples:
        raise InputError(
            f"No face of the {len(videos)} videos has a label",
            "Look with asd evaluate at what the labels say and which faces are found",
        )
    return examples


def _examples(video: LabelledVideo, seen: FacesOfVideo) -> Iterator[Example]:
    """The examples of one video."""
    if not seen.faces or video.judge is None:
        return
    judged = video.judge(_result(seen))
    for face, (person, labels) in zip(
        seen.faces, _labels(video.name, judged, seen.faces), strict=True
    ):
        if person is not None:
            yield Example(video.name, person, labels, face.clip)


def _result(seen: FacesOfVideo) -> Result:
    """A result to be judged, whose tracks are the faces; see `core.numbered`."""
    tracks = []
    for number, face in enumerate(seen.faces):
        shot = next((k for k, (_, end) in enumerate(seen.shots) if face.first_frame < end), 0)
        tracks.append(numbered(number, shot, face.first_frame, face.boxes))
    return Result(seen.info, seen.shots, tuple(tracks), settings={}, timings_s={})


def _labels(video: str, judged: Judged, faces: Sequence[Face]) -> Iterator[tuple[str | None, Int8]]:
    """For each face its person, None without any label, and its labels (n,)."""
    number, place = numbers_of(video, judged, [len(face.boxes) for face in faces])
    number, place = number[judged.found], place[judged.found]
    person, truth = judged.person[judged.found], judged.truth[judged.found]
    firsts = np.array([face.first_frame for face in faces])
    frame = judged.time_s[judged.found] * GRID_FPS - firsts[number]
    off = frame - place
    at = place + off.clip(-0.5, 0.5)  # the label's own time, but within the frame that has it
    # By face and frame; of several labels of a frame the nearest in time comes first.
    order = np.lexsort((np.abs(off), place, number))
    bounds = np.searchsorted(number[order], np.arange(len(faces) + 1))
    for face, begin, end in zip(faces, bounds[:-1], bounds[1:], strict=True):
        rows = order[begin:end]
        if not len(rows):
            yield None, np.empty(0, np.int8)
            continue
        names, counts = np.unique(person[rows], return_counts=True)
        places, first = np.unique(place[rows], return_index=True)
        timed = rows[np.argsort(at[rows], kind="stable")]
        labels = _spread(at[timed], truth[timed], len(face.boxes))
        labels[places] = truth[rows[first]]
        yield str(names[counts.argmax()]), labels


def _spread(at: Float64, speaks: NDArray[np.bool_], frames: int) -> Int8:
    """The labels (frames,) of all frames, from those of some moments.

    Args:
        at: (m,) when labels are, in grid frames from the face's first, rising.
        speaks: (m,) whether the face speaks then.
        frames: How many frames there are.
    """
    usual = float(np.quantile(np.diff(at), _USUAL)) if len(at) > 1 else 0.0
    reach = min(max(usual, 1.0) / 2 + _ROUNDED, MOST_REACH_FRAMES)
    every = np.arange(frames)
    after = np.searchsorted(at, every).clip(0, len(at) - 1)
    before = np.maximum(after - 1, 0)
    earlier = np.abs(at[before] - every) <= np.abs(at[after] - every)
    nearest = np.where(earlier, before, after)
    near = np.abs(at[nearest] - every) <= reach
    return np.where(near, speaks[nearest], UNKNOWN).astype(np.int8)
