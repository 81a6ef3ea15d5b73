"""Makes what trainings learn from, small."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from asdkit.core.labels import LabelledVideo
from asdkit.core.progress import silent
from asdkit.core.result import VideoInfo
from asdkit.core.types import Clip
from asdkit.training.examples import Example, Face, FacesOfVideo


def counted(number: int, start: int, stop: int) -> Clip:
    """A clip that shows in each frame its number, from 0, and sounds as loud as its face's."""
    frames = np.arange(start, stop)
    faces = np.broadcast_to(frames[:, None, None] % 250, (len(frames), 112, 112))
    sound = np.full(640 * len(frames), 100 * (number + 1))
    return Clip(faces.astype(np.uint8), sound.astype(np.int16))


def example(number: int, frames: int, labels: Sequence[int] | None = None) -> Example:
    """A face of so many frames, which speaks in every second one unless labels are given."""
    own = np.arange(frames) % 2 if labels is None else np.array(labels)
    return Example("talk", f"face {number}", own.astype(np.int8), partial(counted, number))


def arrays_of(clips: Sequence[Clip]) -> tuple[np.ndarray, ...]:
    """The inputs of a network that is shown faces and sound as they are."""
    return np.stack([clip.faces for clip in clips]), np.stack([clip.sound for clip in clips])


class FacesGiven:
    """Faces that need no video; see `asdkit.training.examples.Faces`."""

    def __init__(self, *faces: tuple[int, np.ndarray]) -> None:
        self._faces = faces

    def expect(self, videos: Sequence[LabelledVideo]) -> None:
        """There is room for them."""

    def __call__(self, video: LabelledVideo, progress: Callable = silent) -> FacesOfVideo:
        info = VideoInfo(video.path, 100.0, 96, 64, 25.0, has_sound=True)
        faces = [Face(first, boxes, partial(counted, k)) for k, (first, boxes) in self._of(video)]
        return FacesOfVideo(info, ((0, 2500),), tuple(faces))

    def _of(self, video: LabelledVideo):
        given = self._faces or [(face.first_frame, face.boxes) for face in video.faces]
        return enumerate(given)
