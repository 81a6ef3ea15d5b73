"""Labelled videos of a dataset, and labels side by side with a result."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import as_array, checked_boxes, probability
from .ava_csv import AvaRows
from .result import Result
from .types import Clip, Float32, Float64, Spans

Bool = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class LabelledFace:
    """A face track that a dataset gives, on the 25 fps grid.

    Attributes:
        first_frame: Grid frame of the first box, 0 or more.
        boxes: (n, 4) float64, finite, x1 <= x2 and y1 <= y2, in source pixels; one per grid frame,
            at least one.
        clips: Returns the crops and sound of these frames as successive clips of at most a minute;
            for datasets that hold crops instead of a video.
        crops: Returns (m, 3) float64, the time in seconds from the first picture, the width and the
            height in pixels of each crop that such a dataset holds of this person.
    """

    first_frame: int
    boxes: Float64
    clips: Callable[[], Sequence[Clip]] | None = None
    crops: Callable[[], Float64] | None = None

    def __post_init__(self) -> None:
        boxes = checked_boxes("LabelledFace.boxes", self.boxes)
        if not len(boxes):
            raise ValueError("LabelledFace.boxes must hold at least one box")
        if not isinstance(self.first_frame, int | np.integer) or self.first_frame < 0:
            raise ValueError(
                f"LabelledFace.first_frame must be a grid frame, but is {self.first_frame!r}"
            )
        object.__setattr__(self, "boxes", boxes)


@dataclass(frozen=True, eq=False)
class Judged:
    """Labels with the matching scores and decisions: a row for each face and labelled moment.

    Attributes:
        person: (n,) str, the person the label is about, as named in the dataset.
        time_s: (n,) float64, finite, seconds from the start of the picture.
        truth: (n,) bool, whether the labelled face speaks.
        logits: (n, 2) float32, the scorer's, not nan; (0, -inf) if no face was found.
        decided: (n,) bool, the result's decision that the face speaks; False if none was found.
        found: (n,) bool, whether a face was found for the label.
        face_px: (n,) float64, the larger side in source pixels of the labelled face, or of the
            found one if labels have no size; nan if neither is known.
        on_screen: (n,) int64, number of labelled faces at that moment.
        unlabelled: Number of frames of found faces without a label.
        ranked_by: (n,) float64, not nan: what rows are ranked by; None for the class-1 logit.
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
    ranked_by: Float64 | None = None

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
        if not np.isfinite(self.time_s).all():
            raise ValueError("Judged.time_s must be finite")
        if np.isnan(self.logits).any():
            raise ValueError("Judged.logits must not be nan")
        if self.ranked_by is not None:
            ranked = as_array("Judged.ranked_by", self.ranked_by, np.float64, (n,))
            if np.isnan(ranked).any():
                raise ValueError("Judged.ranked_by must not be nan")
            object.__setattr__(self, "ranked_by", ranked)

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def score(self) -> Float32 | Float64:
        """(n,) what rows are ranked by: `ranked_by`, or the class-1 logit; -inf if not found."""
        return self.logits[:, 1] if self.ranked_by is None else self.ranked_by

    @property
    def probability(self) -> Float32:
        """(n,) float32 from 0 to 1; 0 if no face was found."""
        return probability(self.logits)

    def part(self, which: Bool) -> Judged:
        """The rows that a (n,) mask names, without the number of those `unlabelled`."""
        values: dict[str, Any] = {
            name: None if value is None else value[which]
            for name, value in vars(self).items()
            if name != "unlabelled"
        }
        return Judged(**values)

    @classmethod
    def pooled(cls, parts: Sequence[Judged]) -> Judged:
        """Concatenate the rows of several videos."""
        arrays = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in cls.__dataclass_fields__
            if name not in ("unlabelled", "ranked_by")
        }
        ranked = None
        if any(part.ranked_by is not None for part in parts):
            ranked = np.concatenate([part.score for part in parts]).astype(np.float64)
        unlabelled = sum(part.unlabelled for part in parts)
        return cls(**arrays, unlabelled=unlabelled, ranked_by=ranked)


@dataclass(frozen=True, eq=False)
class Published:
    """How the published evaluation of a dataset looks at one of its videos.

    Attributes:
        judge: Holds a result against the labels by the rules of that evaluation.
        faces: The labelled faces that it scores, with clips, which may be of a frame for each label
            at the labels' own rate (`LabelledClip`); then so are the boxes. None
            if it finds faces itself.
        rows: The truth of these faces in AVA's form, for predictions.csv: one row for each that
            `judge` returns, in the same order. None if the truth has another form.
        source: The video that the clips of `faces` are cut from; None for stored crops.
    """

    judge: Callable[[Result], Judged]
    faces: tuple[LabelledFace, ...] = ()
    rows: AvaRows | None = None
    source: Path | None = None

    def __post_init__(self) -> None:
        if any(face.clips is None for face in self.faces):
            raise ValueError("Published.faces must have clips")


@dataclass(frozen=True, eq=False)
class LabelledVideo:
    """One video of a dataset.

    Attributes:
        name: Its name, unique in the dataset, without path separators.
        path: The video; None if the dataset has only face crops and sound.
        judge: Matches a result with the labels; None if labels are not about faces.
        faces: The labelled face tracks, to score instead of detected faces.
        speakers: By name: when this person speaks, for the who-speaks error; None if unknown.
        scored: The spans in which the who-speaks error counts; None for the whole video.
        off_screen: (n,) bool, for each grid frame from 0 on, whether somebody speaks whom no
            labelled face shows, be it alone or while others speak; None if unknown. Later frames
            are not judged.
        categories: The categories of the dataset that the video belongs to, each with a name of
            its own, such as "noisy"; metrics are reported for each.
        published: How the published evaluation of the dataset looks at it, if the dataset says with
            an attribute `protocol` that it has one.
    """

    name: str
    path: Path | None
    judge: Callable[[Result], Judged] | None = None
    faces: tuple[LabelledFace, ...] = ()
    speakers: Mapping[str, Spans] | None = None
    scored: Spans | None = None
    off_screen: Bool | None = None
    categories: tuple[str, ...] = ()
    published: Published | None = None

    def __post_init__(self) -> None:
        if not _is_file_name(self.name):
            raise ValueError(
                f"LabelledVideo.name must be a name without path separators, but is {self.name!r}"
            )
        if self.path is not None and not isinstance(self.path, Path):
            raise ValueError(f"LabelledVideo.path must be a Path or None, but is {self.path!r}")
        if not all(isinstance(face, LabelledFace) for face in self.faces):
            raise ValueError("LabelledVideo.faces must be a tuple of LabelledFace")
        if self.path is None and any(face.clips is None for face in self.faces):
            raise ValueError("LabelledVideo.faces must have clips where there is no video")
        for name, spans in (self.speakers or {}).items():
            _check_spans(f"LabelledVideo.speakers[{name!r}]", spans)
        _check_spans("LabelledVideo.scored", self.scored or ())
        if self.off_screen is not None:
            told = as_array("LabelledVideo.off_screen", self.off_screen, np.bool_, (None,))
            object.__setattr__(self, "off_screen", told)
        if not all(isinstance(one, str) and one for one in self.categories):
            raise ValueError(f"LabelledVideo.categories must be names, but are {self.categories!r}")


def _is_file_name(name: Any) -> bool:
    return (
        isinstance(name, str)
        and name not in ("", ".", "..")
        and "\0" not in name
        and Path(name).name == name
    )


def _check_spans(what: str, spans: Any) -> None:
    """Check spans of time.

    Raises:
        ValueError: One is not a pair of finite numbers in order.
    """
    for span in spans:
        start_s, end_s = span
        if not (math.isfinite(start_s) and math.isfinite(end_s) and start_s <= end_s):
            raise ValueError(f"{what} must be pairs (start_s, end_s) in order, but one is {span}")


@dataclass(frozen=True)
class Measure:
    """The main metric of a dataset.

    Attributes:
        name: Its key among the metrics of an evaluation, such as "average_precision".
        higher_is_better: Whether higher values are better.
    """

    name: str
    higher_is_better: bool = True
