"""The options of `asd evaluate` and `asd calibrate`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..component import RUN_KINDS
from ..config.options import AnalysisOptions
from ..config.schemas import App
from ..spelling import one_of
from ..sync import CHECK, OFF
from .protocols import NONE, PROTOCOLS

FACES = ("found", "labelled")
MOST_RESAMPLES = 100_000
MOST_MOMENTS = 500
"""A page with more would be large: each takes about 30 kB."""


def check_bootstrap(resamples: int) -> None:
    """Check a number of resamples.

    Raises:
        ValueError: It gives no interval: 95 % of fewer than 100 say little.
    """
    if resamples and not 100 <= resamples <= MOST_RESAMPLES:
        raise ValueError(f"bootstrap must be 0 or from 100 to {MOST_RESAMPLES}, got {resamples}")


@dataclass(frozen=True, kw_only=True)
class DatasetOptions(AnalysisOptions):
    """What all that is done with a labelled dataset shares.

    Attributes:
        videos: Names of the dataset's videos to look at, such as [talk,news]; all if not given.
        faces: found: the detector and the tracker find the faces, and who is missed counts as
            never speaking; labelled: the faces that the dataset gives are scored, which judges
            the scorer alone.
        protocol: The evaluation that papers print, with all its rules, for datasets that have it:
            ava, of labelled face tracks, each scored whole, row by row; columbia, of faces that
            are found. none judges results as `asd run` gives them.
        cache: Keep detections and scores, and take them up again when the video and all settings
            that matter to them are the same.
        cache_gb: The oldest are removed when more gigabytes than this are kept.
    """

    _SYNC: ClassVar[tuple[str, ...]] = (OFF,)
    """The values that `sync` may have."""
    videos: list[str] | None = None
    faces: str = "found"
    protocol: str = NONE
    cache: bool = True
    cache_gb: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sync not in self._SYNC:
            raise ValueError(
                f"sync must be {' or '.join(self._SYNC)} here, got {self.sync}: a dataset's sound "
                "counts as it is"
            )
        if self.faces not in FACES:
            raise ValueError(one_of("faces", self.faces, FACES))
        if self.protocol not in PROTOCOLS:
            raise ValueError(one_of("protocol", self.protocol, PROTOCOLS))
        if self.videos is not None and not self.videos:
            raise ValueError("videos names none")
        if self.cache_gb <= 0:
            raise ValueError(f"cache_gb must be more than 0, got {self.cache_gb}")


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(DatasetOptions):
    """The options of `asd evaluate` that belong to no component.

    Attributes:
        output: Folder for evaluation.json, frames.csv and the plots, and a folder for each video
            with what the writers write.
        overwrite: Replace an evaluation that is in that folder.
        measure: The metric that sweepers look at and comparisons sort by, such as f1 or brier;
            the dataset's own if not given.
        plots: Draw precision over recall, and reliability.
        collar_s: With datasets that tell who speaks when: seconds around each change of speaker
            that do not count.
        foreign_sound: Score the faces once more with the sound of another video, with which nobody
            speaks: how many are said to speak nevertheless. Takes the scorer's time again.
        bootstrap: How many times the videos, or where these are few the faces, are drawn anew for
            the 95 % intervals of the measure and the main metrics; 0 for none.
        gallery: How many of the worst false alarms, and of the worst misses, to show in
            gallery.html, with faces, scores and the sound's level; 0 for no such page.
    """

    _SYNC: ClassVar[tuple[str, ...]] = (OFF, CHECK)
    output: str = "asd_evaluation"
    overwrite: bool = False
    measure: str | None = None
    plots: bool = True
    collar_s: float = 0.0
    foreign_sound: bool = True
    bootstrap: int = 1000
    gallery: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bootstrap(self.bootstrap)
        if not 0 <= self.gallery <= MOST_MOMENTS:
            raise ValueError(f"gallery must be from 0 to {MOST_MOMENTS}, got {self.gallery}")
        if self.collar_s < 0:
            raise ValueError(f"collar_s must not be negative, got {self.collar_s}")


@dataclass(frozen=True, kw_only=True)
class CalibrateOptions(DatasetOptions):
    """The options of `asd calibrate` that belong to no component.

    Attributes:
        output: The file to write, for scorer.calibration=FILE.
        overwrite: Replace that file.
        prior: For few videos: each person counts once, however long, and so does doubt that
            anything is to be corrected. How far the logarithm of the temperature and the bias are
            thought to be from 0, such as 0.5; null fits the frames alone.
    """

    output: str = "calibration.json"
    overwrite: bool = False
    prior: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.prior is not None and self.prior <= 0:
            raise ValueError(f"prior must be more than 0, got {self.prior}")


_ABOUT_EVALUATE = """\
asd evaluate dataset=NAME [OPTION=VALUE ...]

Runs a configuration on a labelled dataset: how well it finds who speaks, and what that costs.
With --multirun it tries all combinations, finding faces once for each detector, and ends with one
table: asd evaluate dataset.folder=DIR --multirun detector=mtcnn,yunet scorer=lr_asd,light_asd
"""
EVALUATE = App("evaluate", EvaluateOptions, ("dataset", *RUN_KINDS), _ABOUT_EVALUATE, writers=True)
_ABOUT_CALIBRATE = """\
asd calibrate dataset=NAME scorer=NAME [OPTION=VALUE ...]

Fits temperature and bias to a labelled dataset, so that of all frames with probability 0.8 four
fifths are of someone who speaks, and writes them to a file: asd run FILE scorer.calibration=FILE
"""
CALIBRATE = App("calibrate", CalibrateOptions, ("dataset", *RUN_KINDS), _ABOUT_CALIBRATE)
