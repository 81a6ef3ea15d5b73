"""A configuration, looking at the videos of a labelled dataset one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
from ..pipeline import media_of
from ..progress import Progress
from ..provenance import provenance
from ..types import Result
from ..weights import cache_folder
from .cache import Cache
from .seen import Analyser, Computes, VideoOutcome, Viewer

Tell = Callable[[str], None]
"""Is told, in a line, what has been done."""


@dataclass(frozen=True)
class DatasetPlan:
    """What is done with a dataset.

    Attributes:
        app: The application.
        options: Its options.
        dataset: The dataset.
        run: How each video is run; its own video stands for none.
        settings: All of it as plain values.
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

    Raises:
        ConfigError: A value is missing or out of range.
        PluginError: A component is not there.
    """
    settings = {"writers": {}, **own}
    dataset = choose("dataset", settings["dataset"])
    options = make_options(app.options, settings)
    run = analysis_plan_of(settings)
    return DatasetPlan(app, options, dataset, run, {**settings, "scorer": run.settings["scorer"]})


def build(plan: DatasetPlan) -> Dataset:
    """Make the dataset of a plan.

    Raises:
        AsdError: It is not there, or not what it should be.
    """
    dataset: Dataset = plan.dataset.build(Context())
    return dataset


def cache_of(plan: DatasetPlan) -> Cache | None:
    """Where a plan has detections and scores kept; None if it does not."""
    options = plan.options
    return Cache(cache_folder() / "seen", options.cache_gb * 1e9) if options.cache else None


def analyser_of(plan: DatasetPlan, models: Models, progress: Progress) -> Analyser:
    """What computes a plan in this process."""
    return Analyser(models, cache_of(plan), plan.options.faces == "labelled", progress)


def run_of(
    plan: DatasetPlan, video: LabelledVideo, sound: str | None = None, end_s: float | None = None
) -> RunPlan:
    """The plan for one video.

    Args:
        plan: What is done with the dataset.
        video: The video.
        sound: Another file to take the sound from.
        end_s: Where to end; None for the video's own end.
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
    """Look at each video of a dataset.

    Args:
        plan: Says how.
        dataset: The dataset.
        tell: Is told of each video what was computed and what an earlier run has kept.
        progress: Is told how far each has come.
        compute: Computes what is not kept; in this process if not given.
        foreign: Look at each once more with the sound of another.

    Raises:
        AsdError: A video cannot be used, or the dataset has not those that were asked for.
    """
    models = Models(plan.run)
    compute = compute or analyser_of(plan, models, progress)
    viewer = Viewer(models, compute, cache_of(plan), plan.options.faces == "labelled")
    videos = _wanted(dataset.videos(), plan.options.videos)
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
    """The video after this one, in a circle, whose sound belongs to other faces.

    None if this one is not there to be heard otherwise, or there is no other: a dataset that holds
    crops of faces holds their sound with them.
    """
    heard = [one for one in videos if one.path is not None]
    if video.path is None or len(heard) < 2:
        return None
    return heard[(heard.index(video) + 1) % len(heard)]


def foreign_result(
    viewer: Viewer, plan: DatasetPlan, video: LabelledVideo, other: LabelledVideo
) -> Result:
    """What a configuration says of a video with the sound of another, as far as both last.

    Raises:
        AsdError: One of them cannot be used.
    """
    ends_s = [media_of(run_of(plan, one).options).info.duration_s for one in (video, other)]
    return viewer.look(video, run_of(plan, video, str(other.path), min(ends_s))).result


def _wanted(
    videos: Sequence[LabelledVideo], names: Sequence[str] | None
) -> Sequence[LabelledVideo]:
    there = [video.name for video in videos]
    if not videos:
        raise InputError("The dataset holds no video", "Check the folders that dataset. names")
    if names is None:
        return videos
    if unknown := set(names).difference(there):
        raise ConfigError(
            f"videos: the dataset has no {', '.join(sorted(unknown))}; it has {', '.join(there)}"
        )
    return [video for video in videos if video.name in names]


def _said(plan: DatasetPlan, computed: Sequence[str]) -> str:
    """What was computed, by whom."""
    chosen = plan.run.chosen
    detector, scorer = (f"{kind}={chosen[kind].component.name}" for kind in ("detector", "scorer"))
    if not computed:
        return "all kept from an earlier run"
    if "detections" in computed:
        return f"faces found by {detector}, scored by {scorer}"
    origin = "given" if plan.options.faces == "labelled" else "kept from an earlier run"
    return f"faces {origin}, scored by {scorer}"
