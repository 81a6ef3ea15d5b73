"""The labelled videos that the commands of `asd data` work on, from a dataset or from results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from ..component import Context
from ..config.chosen import choose
from ..config.compose import settings_of
from ..config.schemas import App
from ..config.values import make
from ..contracts import Dataset
from ..errors import ConfigError, InputError
from ..evaluation.checked_dataset import videos_of
from ..evaluation.labelled_faces import crops_info
from ..files import expanded
from ..labels import LabelledVideo
from ..media.container import Media
from ..media.of_result import media_of
from ..media.probe import probe
from ..result import Result
from .corrected import (
    check_own_files,
    corrected_turns,
    labels_of_result,
    own_file,
    read_result,
    results_in,
)
from .labelled import Labels, labels_of
from .settings import LabelOptions


@dataclass(frozen=True, eq=False)
class Video:
    """A labelled video that has been opened.

    Attributes:
        media: The video; None if there are only crops of its faces.
        labels: Its labels.
        size: Width and height of the picture, in pixels; (0, 0) if there are only crops.
    """

    media: Media | None
    labels: Labels
    size: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Source:
    """A labelled video that has not been opened.

    Attributes:
        name: Its name, unique among those that are worked on together.
        path: The file; None if there are only crops of its faces.
        open: Opens it, and reads its labels.
    """

    name: str
    path: Path | None
    open: Callable[[], Video]


@dataclass(frozen=True)
class DataPlan:
    """What a command of `asd data` works on.

    Attributes:
        options: The options of the command.
        settings: All of its configuration, as plain values.
        sources: The videos, by name.
    """

    options: Any
    settings: dict[str, Any]
    sources: tuple[Source, ...]


def make_data_plan(app: App, config: DictConfig, *, with_dataset: bool) -> DataPlan:
    """Check a composed configuration, and find the videos.

    Args:
        app: The application.
        config: Its configuration.
        with_dataset: Whether the labels are a dataset's, whatever `results` says.

    Raises:
        ConfigError: A value is missing or out of range.
        AsdError: The dataset or the results cannot be read.
    """
    if not with_dataset:
        config = OmegaConf.masked_copy(config, [str(key) for key in config if key != "dataset"])
        app = replace(app, kinds=())
    settings = settings_of(app, config)
    given = {key: value for key, value in settings.items() if key not in app.kinds}
    options: LabelOptions = make(app.options, given)
    results = results_in(options.files)
    if with_dataset:
        if options.names or options.turns:
            raise ConfigError(
                "names and turns correct results, but the labels here are a dataset's",
                "Leave out dataset=, or both of these",
            )
        sources = _of_dataset(settings["dataset"], results or None)
    elif results:
        sources = _of_results(results, options)
    else:
        raise ConfigError(f"{app.command} got neither a dataset nor results", f"Use: {app.usage}")
    return DataPlan(options, settings, tuple(sources))


def _of_dataset(node: Any, results: dict[str, Path] | None) -> list[Source]:
    chosen = choose("dataset", node)
    dataset: Dataset = chosen.build(Context())
    videos = videos_of(chosen.in_words, dataset)
    if not videos:
        raise InputError("The dataset holds no video", "Check the folders that dataset. names")
    if results is None:
        if not any(one.faces for one in videos):
            raise InputError(
                f"{chosen.in_words} does not say where faces are",
                "Find them with asd batch, and name its folder as well: results=FOLDER",
            )
        return [Source(one.name, one.path, partial(_open, one)) for one in videos]
    lacking = [one.name for one in videos if one.name not in results]
    if lacking:
        raise InputError(
            f"There is no result of {', '.join(lacking[:5])}",
            "Find the faces of all videos of the dataset with asd batch, and name its folder",
        )
    return [
        Source(one.name, one.path, partial(_open_found, one, results[one.name])) for one in videos
    ]


def _open(video: LabelledVideo) -> Video:
    """A video whose faces the dataset gives."""
    if video.path is None:
        return Video(None, labels_of(video, crops_info(video)), (0, 0))
    media = probe(video.path, allow_silent=True)
    return Video(media, labels_of(video, media.info), (media.info.width, media.info.height))


def _open_found(video: LabelledVideo, path: Path) -> Video:
    """A video of a dataset with the faces of a result."""
    result = Result.load(path, video.path)
    media = media_of(result)
    return Video(media, labels_of(video, media.info, result), (media.info.width, media.info.height))


def _of_results(results: dict[str, Path], options: LabelOptions) -> list[Source]:
    if options.names and len(results) > 1 and not expanded(options.names).is_dir():
        raise ConfigError(
            f"names={options.names} is one file, but there are {len(results)} results",
            "Name a folder of NAME.json, each called like the folder of its result",
        )
    check_own_files(options.names, results, ".json")
    check_own_files(options.turns, results, ".rttm")
    return [
        Source(name, path, partial(_open_result, name, path, options))
        for name, path in sorted(results.items())
    ]


def _open_result(name: str, path: Path, options: LabelOptions) -> Video:
    result = read_result(path, own_file(options.names, name, ".json"))
    file = own_file(options.turns, name, ".rttm")
    turns = None if file is None else corrected_turns(file, result)
    media = media_of(result)
    return Video(media, labels_of_result(result, turns), (media.info.width, media.info.height))
