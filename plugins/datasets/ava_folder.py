"""Datasets published as rows in the form of AVA-ActiveSpeaker, with face crops and categories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...core.errors import InputError
from ...core.labels import LabelledVideo
from ...core.spelling import one_of
from .ava import Ava, AvaDatasetConfig

SPLITS = ("train", "val")
_LAYOUT = (
    "Give the folder with csv/train_orig.csv, csv/val_orig.csv, clips_videos and clips_audios, "
    "as it was published"
)


@dataclass(frozen=True)
class AvaFolderConfig:
    """Parameters of such a dataset; its crops are used if nothing else is given.

    Attributes:
        folder: The dataset's folder, with csv, clips_videos and clips_audios.
        split: "val", the one that papers report, or "train".
        videos: Folder of the videos, each named by its video_id, instead of the crops.
        predictions: A CSV of predictions to judge; nothing is run.
        categories: Which videos each category has, as published; None if that is not asked.
    """

    folder: str = "???"
    split: str = field(default="val", metadata={"values": SPLITS})
    videos: str | None = None
    predictions: str | None = None
    categories: str | None = None

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise ValueError(one_of("split", self.split, SPLITS))
        if self.videos is not None and self.predictions is not None:
            raise ValueError("only one of videos and predictions may be given")
        if self.categories is not None and self.predictions is not None:
            raise ValueError("categories are of videos, not of predictions; leave one of them out")


Lists = Mapping[str, Callable[[str], bool]]
"""By category: whether it has the video of a name."""


class AvaFolder(Ava):
    """The videos of one split; see `core.contracts.Dataset`."""

    def __init__(self, config: AvaFolderConfig, read_lists: Callable[[Path], Lists]) -> None:
        """Find the split.

        Args:
            config: What was chosen.
            read_lists: Reads `config.categories`.

        Raises:
            InputError: The folder has no such split.
        """
        truth = Path(config.folder) / "csv" / f"{config.split}_orig.csv"
        if not truth.is_file():
            raise InputError(f"{config.folder} has no csv/{truth.name}", _LAYOUT)
        nothing_else = config.videos is None and config.predictions is None
        super().__init__(
            AvaDatasetConfig(
                truth=str(truth),
                videos=config.videos,
                crops=config.folder if nothing_else else None,
                predictions=config.predictions,
            )
        )
        self._lists_at = None if config.categories is None else Path(config.categories)
        self._read_lists = read_lists

    def videos(self) -> list[LabelledVideo]:
        """The labelled videos with their categories, by name; none if predictions are evaluated.

        Raises:
            InputError: A file is missing or invalid, or the categories are of other videos.
        """
        videos = super().videos()
        if self._lists_at is None or not videos:
            return videos
        lists = self._read_lists(self._lists_at)
        listed = [
            replace(
                video,
                categories=tuple(name for name, has in lists.items() if has(video.name)),
            )
            for video in videos
        ]
        if not any(video.categories for video in listed):
            raise InputError(
                f"{self._lists_at} names none of the videos of {self._truth}, such as "
                f"{videos[0].name}",
                "Give the lists of this dataset and split, or leave dataset.categories away",
            )
        return listed
