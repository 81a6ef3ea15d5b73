"""What a dataset says of its videos, and what labels and results say of each face together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import as_array
from .types import Clip, Float32, Float64, Result, Spans, probability

Bool = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class LabelledFace:
    """A face track that a dataset gives, on the 25 fps grid.

    Attributes:
        first_frame: Grid frame of the first box.
        boxes: (n, 4) float64, x1, y1, x2, y2 in source pixels, one per grid frame.
        clips: The crops and the sound of these frames, clips of a minute at most that follow each
            other, where the dataset holds these instead of a video.
    """

    first_frame: int
    boxes: Float64
    clips: Callable[[], Sequence[Clip]] | None = None

    def __post_init__(self) -> None:
        boxes = as_array("LabelledFace.boxes", self.boxes, np.float64, (None, 4))
        object.__setattr__(self, "boxes", boxes)


@dataclass(frozen=True, eq=False)
class Judged:
    """Labelled faces beside what was found of them: a row for each face and labelled moment.

    Attributes:
        person: (n,) str, whom the label is about, as the dataset names them.
        time_s: (n,) float64, seconds from the start of the picture.
        truth: (n,) bool, whether that face speaks.
        logits: (n, 2) float32, the scorer's; (0, -inf) where no face was found.
        decided: (n,) bool, whether the result says that it speaks; False where none was found.
        found: (n,) bool, whether a face was found there.
        face_px: (n,) float64, the larger side of the labelled face, in source pixels; of the
            found one where labels have no size, nan where neither is known.
        on_screen: (n,) int64, how many labelled faces there are at that moment.
        unlabelled: Frames of faces found that no label is about.
    """

    person: NDArray[np.str_]
    time_s: Float64
    truth: Bool
    logits: Float32
    decided: Bool
    found: Bool
    face_px: Float64
    on_screen: NDArray[np.int64]
    unlabelled: int = 0

    def __post_init__(self) -> None:
        n = len(self.truth)
        kinds: dict[str, tuple[Any, tuple[int, ...]]] = {
            "person": (np.str_, (n,)),
            "time_s": (np.float64, (n,)),
            "truth": (np.bool_, (n,)),
            "logits": (np.float32, (n, 2)),
            "decided": (np.bool_, (n,)),
            "found": (np.bool_, (n,)),
            "face_px": (np.float64, (n,)),
            "on_screen": (np.int64, (n,)),
        }
        for name, (dtype, shape) in kinds.items():
            array = as_array(f"Judged.{name}", getattr(self, name), dtype, shape)
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def score(self) -> Float32:
        """(n,) float32, the class-1 logit; -inf where no face was found."""
        return self.logits[:, 1]

    @property
    def probability(self) -> Float32:
        """(n,) float32 from 0 to 1; 0 where no face was found."""
        return probability(self.logits)

    @classmethod
    def pooled(cls, parts: Sequence[Judged]) -> Judged:
        """The rows of several videos as one."""
        arrays = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in cls.__dataclass_fields__
            if name != "unlabelled"
        }
        return cls(**arrays, unlabelled=sum(part.unlabelled for part in parts))


@dataclass(frozen=True, eq=False)
class LabelledVideo:
    """One video of a dataset.

    Attributes:
        name: Its name, unlike any other of the dataset; holds no path separator.
        path: The video; None where the dataset holds face crops and sound alone.
        judge: Holds a result against the labels; None where labels are not about faces.
        faces: The labelled face tracks, to score these instead of what a detector finds.
        speakers: Who speaks when, by name, for who-speaks error; None where that is not known.
        scored: When that is judged; None for the whole video.
    """

    name: str
    path: Path | None
    judge: Callable[[Result], Judged] | None = None
    faces: tuple[LabelledFace, ...] = ()
    speakers: Mapping[str, Spans] | None = None
    scored: Spans | None = None


@dataclass(frozen=True)
class Measure:
    """A number that a dataset is judged by.

    Attributes:
        name: Its key among the metrics of an evaluation, such as "average_precision".
        higher_is_better: Which way is better.
    """

    name: str
    higher_is_better: bool = True
