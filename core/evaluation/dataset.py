"""Runs a configuration on the videos of a labelled dataset, one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from ..component import Context
from ..config.chosen import Chosen, choose
from ..config.compose import settings_of
from ..config.options import make_options
from ..config.plan import AnalysisPlan, RunPlan, analysis_plan_of
from ..config.schemas import App
from ..contracts import Dataset
from ..errors import ConfigError, InputError
from ..labels import LabelledVideo
from ..models import Models
from ..progress import Progress
from ..provenance import provenance
from ..result import Result
from ..sync import CHECK, OFF
from ..viewing import media_of
from ..voices.files import check_for_each
from ..weights import cache_folder
from .cache import Cache
from .checked_dataset import measure_of, videos_of
from .protocols import check_protocol, with_protocol
from .seen import Analyser, Computes, VideoOutcome, Viewer

Tell = Callable[[str], None]
"""Called with a line of text on each step done."""


@dataclass(frozen=True)
class DatasetPlan:
    """A checked configuration to run on a dataset.

    Attributes:
        app: The application.
        options: The application's options.
        dataset: The dataset.
        run: The plan for each video.
        settings: The whole configuration as plain values.
    """

    app: App
    options: Any
    dataset: Chosen
    run: AnalysisPlan
    settings: Mapping[str, Any]


def make_dataset_plan(app: App, config: DictConfig) -> DatasetPlan:
    """Check a composed configuration, and find its components.

    Raises:
        ConfigError: A value is missing or out of range.
        PluginError: A component is not there.
    """
    return dataset_plan_of(app, settings_of(app, config))


def dataset_plan_of(app: App, own: Mapping[str, Any]) -> DatasetPlan:
    """Check settings, and find their components.

    With a scorer that cannot shift the sound, `sync=check` is `sync=off`, as a sweep may be over
    scorers.

    Raises:
        ConfigError: A value is missing or out of range.
        PluginError: A component is not there.
    """
    settings = with_protocol({"writers": {}, **own})
    if settings["sync"] == CHECK and not choose("scorer", settings["scorer"]).component.shifts:
        settings["sync"] = OFF
    dataset = choose("dataset", settings["dataset"])
    options = make_options(app.options, settings)
    run = analysis_plan_of(settings)
    recorded = {**settings, "scorer": run.settings["scorer"], "quiet": False}
    return DatasetPlan(app, options, dataset, run, recorded)


def build(plan: DatasetPlan) -> Dataset:
    """Build the dataset of a plan.

    Raises:
        AsdError: The dataset's files are missing or not as expected, or it has no such protocol.
    """
    dataset: Dataset = plan.dataset.build(Context())
    measure_of(plan.dataset.in_words, dataset)
    check_protocol(plan.dataset, dataset, plan.options.protocol)
    return dataset


def cache_of(plan: DatasetPlan) -> Cache | None:
    """The cache for a plan's detections and scores; None if the plan uses no cache."""
    options = plan.options
    return Cache(cache_folder() / "seen", options.cache_gb * 1e9) if options.cache else None


def analyser_of(plan: DatasetPlan, models: Models, progress: Progress) -> Analyser:
    """The analyser that computes a plan in this process."""
    return Analyser(models, cache_of(plan), plan.options.faces == "labelled", progress)


def run_of(
    plan: DatasetPlan, video: LabelledVideo, sound: str | None = None, end_s: float | None = None
) -> RunPlan:
    """The plan for one video.

    Args:
        plan: The plan for the dataset.
        video: The video.
        sound: Another file to take the sound from.
        end_s: Second at which to end; None for the end of the video.
    """
    name = str(video.path or video.name)
    return plan.run.for_video(name, sound=sound, end_s=end_s, overwrite=True)


def outcomes_of(
    plan: DatasetPlan,
    dataset: Dataset,
    tell: Tell,
    progress: Progress,
    compute: Computes | None = None,
    *,
    foreign: bool = False,
) -> Iterator[tuple[LabelledVideo, VideoOutcome]]:
    """Run a plan on each video of a dataset.

    Args:
        plan: The plan.
        dataset: The dataset.
        tell: Called for each video with a line on what was computed and what was cached.
        progress: Called with the progress of each video.
        compute: Computes what is not cached; by default in this process.
        foreign: Run each video a second time with the sound of another video.

    Yields:
        Each video with its outcome.

    Raises:
        AsdError: A video cannot be used, or the dataset lacks a requested video.
    """
    models = Models(plan.run)
    compute = compute or analyser_of(plan, models, progress)
    viewer = Viewer(models, compute, cache_of(plan), plan.options.faces == "labelled")
    found = videos_of(plan.dataset.in_words, dataset, plan.options.protocol)
    videos = _wanted(found, plan.options.videos)
    names = [(video.path or Path(video.name)).stem for video in videos]
    check_for_each(plan.run.options.diarization, names)
    for video in videos:
        outcome = viewer.look(video, run_of(plan, video))
        said = _said(plan, outcome.computed)
        if foreign and (other := stranger_to(video, videos)):
            outcome = replace(outcome, foreign=foreign_result(viewer, plan, video, other))
            said += f", again with the sound of {other.name}"
        tell(f"{video.name}: {outcome.frames} frames, {said}")
        origin = provenance(plan.run, outcome.weights, outcome.devices)
        result = replace(outcome.result, provenance=origin, timings_s=outcome.timings_s)
        yield video, replace(outcome, result=result)


def stranger_to(video: LabelledVideo, videos: Sequence[LabelledVideo]) -> LabelledVideo | None:
    """The next video of the dataset (after the last, the first), as a source of foreign sound.

    None if the dataset has only crops of this video, or no other video.
    """
    heard = [one for one in videos if one.path is not None]
    if video.path is None or len(heard) < 2:
        return None
    return heard[(heard.index(video) + 1) % len(heard)]


def foreign_result(
    viewer: Viewer, plan: DatasetPlan, video: LabelledVideo, other: LabelledVideo
) -> Result:
    """Run a plan on a video with the sound of another, up to the end of the shorter one.

    Raises:
        AsdError: One of the videos cannot be used.
    """
    ends_s = [media_of(run_of(plan, one).options).info.duration_s for one in (video, other)]
    return viewer.look(video, run_of(plan, video, str(other.path), min(ends_s))).result


def _wanted(
    videos: Sequence[LabelledVideo], names: Sequence[str] | None
) -> Sequence[LabelledVideo]:
    if not videos:
        raise InputError("The dataset holds no video", "Check the folders that dataset. names")
    wanted = wanted_names([video.name for video in videos], names)
    return [video for video in videos if video.name in wanted]


def wanted_names(there: Sequence[str], names: Sequence[str] | None) -> list[str]:
    """The names of videos that `videos` names, in the dataset's order; all without.

    Raises:
        ConfigError: The dataset lacks one.
    """
    if unknown := set(names or ()).difference(there):
        raise ConfigError(
            f"videos: the dataset has no {', '.join(sorted(unknown))}; it has {', '.join(there)}"
        )
    return [name for name in there if names is None or name in names]


def _said(plan: DatasetPlan, computed: Sequence[str]) -> str:
    """Describe what was computed, and by which components."""
    chosen = plan.run.chosen
    detector, scorer = (f"{kind}={chosen[kind].component.name}" for kind in ("detector", "scorer"))
    if not computed:
        return "all kept from an earlier run"
    if computed == ("voices",):
        return f"voices embedded by voice={chosen['voice'].component.name}, the rest kept"
    if "detections" in computed:
        return f"faces found by {detector}, scored by {scorer}"
    origin = "given" if plan.options.faces == "labelled" else "kept from an earlier run"
    return f"faces {origin}, scored by {scorer}"
