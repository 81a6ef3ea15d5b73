"""A configuration, looking at the videos of a labelled dataset one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from omegaconf import DictConfig

from ..components import Context
from ..config import Chosen, Plan, choose, make_options, plan_of, settings_of
from ..contracts import Dataset
from ..errors import ConfigError, InputError
from ..labels import LabelledVideo
from ..models import Models
from ..pipeline import provenance
from ..progress import Progress
from ..schemas import App
from ..weights import cache_folder
from .cache import Cache
from .seen import Analyser, Computes, Sight, Viewer

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
    run: Plan
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
    run = plan_of({**settings, "output": None, "overwrite": True}, video="none")
    return DatasetPlan(app, options, dataset, run, settings)


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


def run_of(plan: DatasetPlan, video: LabelledVideo) -> Plan:
    """The plan for one video."""
    name = str(video.path or video.name)
    return replace(
        plan.run,
        options=replace(plan.run.options, video=name),
        settings={**plan.run.settings, "video": name},
    )


def sights(
    plan: DatasetPlan,
    dataset: Dataset,
    tell: Tell,
    progress: Progress,
    compute: Computes | None = None,
) -> Iterator[tuple[LabelledVideo, Sight]]:
    """Look at each video of a dataset.

    Args:
        plan: Says how.
        dataset: The dataset.
        tell: Is told of each video what was computed and what an earlier run has kept.
        progress: Is told how far each has come.
        compute: Computes what is not kept; in this process if not given.

    Raises:
        AsdError: A video cannot be used, or the dataset has not those that were asked for.
    """
    models = Models(plan.run)
    compute = compute or analyser_of(plan, models, progress)
    viewer = Viewer(models, compute, cache_of(plan), plan.options.faces == "labelled")
    for video in _wanted(dataset.videos(), plan.options.videos):
        sight = viewer.look(video, run_of(plan, video))
        tell(f"{video.name}: {sight.frames} frames, {_said(plan, sight.computed)}")
        origin = provenance(plan.run, sight.weights, sight.devices)
        result = replace(sight.result, provenance=origin, timings_s=sight.timings_s)
        yield video, replace(sight, result=result)


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
