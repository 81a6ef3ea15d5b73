"""A run's components, loaded once, for many videos and several threads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

from .component import RUN_KINDS
from .config.chosen import Chosen
from .config.compose import RUN, compose_run, settings_of
from .config.plan import (
    ONE_RUN,
    AnalysisPlan,
    analysis_plan_of,
    choose_writer,
    settings_of_writers,
)
from .config.words import Overrides, words_of
from .errors import ConfigError
from .given_writers import GivenWriters, read_writers
from .known_faces import Boxes
from .models import Models
from .pipeline import execute
from .progress import Event, Progress, Teller, silent
from .provenance import WeightsFile
from .result import Result

_ANY_VIDEO = "any video"


@dataclass(frozen=True)
class LoadedModel:
    """A component of a `Pipeline`.

    Attributes:
        kind: Its kind, such as "detector".
        name: Its name, such as "yunet".
        weights: The weights files that it has read, each with its SHA-256; none for a component
            without weights.
        runtime: What computes it, such as "torch", "onnx" or "opencv", if it says so.
        device: The device it runs on, such as "cpu" or "cuda:0", if it can use several.
    """

    kind: str
    name: str
    weights: tuple[WeightsFile, ...] = ()
    runtime: str | None = None
    device: str | None = None


class Pipeline(AbstractContextManager["Pipeline"]):
    """Composes options and loads components once; called on any number of videos.

    Several threads may call one Pipeline at once, each with a video of its own: results are those
    of one call after the other. Decoding, following and writing then run side by side; of the
    detector, the scorer, the context and the embedders there is one each, which one thread calls at
    a time. Several Pipelines, with other options, may be used side by side, too.

    Args:
        overrides: As for `asdkit.run`. `output`, `start_s` and so on are defaults for each call.
        progress: Called while components are loaded.
        cancel: Ends the loading when it is set.
        **options: As for `asdkit.run`.

    Attributes:
        plan: The checked plan for any video: options and components.
        models: The components that are loaded; those named "none" are left out.
        device: The device of the networks, such as "cuda:0"; "cpu" if none uses another.

    Raises:
        AsdError: An option, weights or the device is not usable.
        CancelledError: `cancel` was set.

    Example:
        >>> pipeline = asdkit.Pipeline(detector="yunet", scorer="lr_asd", writers=[])
        >>> results = [pipeline(video) for video in ("a.mp4", "b.mp4")]
    """

    plan: AnalysisPlan
    models: tuple[LoadedModel, ...]
    device: str

    def __init__(
        self,
        overrides: Overrides = (),
        *,
        progress: Progress = silent,
        cancel: Event | None = None,
        **options: Any,
    ) -> None:
        words = words_of(overrides, options)
        settings = settings_of(RUN, compose_run(words, _ANY_VIDEO))
        if settings["video"] != _ANY_VIDEO:
            raise ConfigError(
                f"A Pipeline is for any video, but its options name {settings['video']}",
                "Leave video out, and call the pipeline with it",
            )
        self.plan = analysis_plan_of(settings)
        self._own = {name: settings[name] for name in ONE_RUN}
        self.plan.for_video(_ANY_VIDEO, **self._own)  # checks their ranges
        tell = Teller(progress, cancel)
        models = Models(self.plan, shared=True)
        models.parts(tell=lambda: tell("loading", 0, 0))
        tell("loading", 0, 0)
        for kind in ("context", "voice"):
            models.part(kind)
        _ = models.people
        for chosen in self.plan.writers:
            chosen.build(models.context)
        self._models: Models | None = models
        self.models = _loaded(self.plan, models)
        self.device = next((device for device in models.devices.values() if device != "cpu"), "cpu")

    @property
    def settings(self) -> Mapping[str, Any]:
        """All options as plain values, by name, as results record them."""
        return self.plan.settings

    def __call__(
        self,
        video: str | os.PathLike[str],
        *,
        sound: str | os.PathLike[str] | None = None,
        output: str | os.PathLike[str] | None = None,
        writers: GivenWriters | None = None,
        start_s: float | None = None,
        end_s: float | None = None,
        overwrite: bool | None = None,
        resume: bool | None = None,
        boxes: Boxes | None = None,
        progress: Progress = silent,
        cancel: Event | None = None,
    ) -> Result:
        """Find out who speaks when in a video, and write the results.

        Args:
            video: The file.
            sound: Another file to take the sound from. None here and below: as the Pipeline has it.
            output: Folder for the results.
            writers: Names of writers, some in a dict with parameters, such as
                `["rttm", {"name": "annotated", "crf": 30}]`, or a dict of parameters by name, such
                as `{"rttm": None, "annotated": {"crf": 30}}`; those that are not given are the
                Pipeline's. [] writes nothing.
            start_s: Process from this second on.
            end_s: Process up to this second, excluded.
            overwrite: Replace results that are already in the output folder.
            resume: Go on with what a run that was stopped has found.
            boxes: Faces found beforehand, to use in place of the detector.
            progress: As for `asdkit.run`.
            cancel: As for `asdkit.run`; afterwards the Pipeline can be used as before.

        Raises:
            AsdError: The video, an option or the output folder is not usable, or the Pipeline is
                closed.
            CancelledError: `cancel` was set. Nothing is left of the run.
        """
        models = self._models
        if models is None:
            raise ConfigError("This Pipeline is closed", "Make another one")
        given = {
            "sound": None if sound is None else os.fspath(sound),
            "output": None if output is None else os.fspath(output),
            "start_s": start_s,
            "end_s": end_s,
            "overwrite": overwrite,
            "resume": resume,
        }
        own = {name: value for name, value in given.items() if value is not None}
        plan = self.plan.for_video(os.fspath(video), **{**self._own, **own})
        if writers is not None:
            chosen = self._writers(writers)
            named = settings_of_writers(chosen)
            plan = replace(plan, writers=chosen, settings={**plan.settings, "writers": named})
        return execute(plan, progress, models=models, boxes=boxes, cancel=cancel)

    def close(self) -> None:
        """Let go of the components, and so of their memory; calls on their way go on."""
        self._models = None

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        names = ", ".join(f"{one.kind}={one.name}" for one in self.models)
        return f"<Pipeline {names} on {self.device}{'' if self._models else ', closed'}>"

    def _writers(self, writers: GivenWriters) -> tuple[Chosen, ...]:
        """Writers by name, with the Pipeline's own parameters where none are given."""
        known = self.plan.settings["writers"]
        return tuple(
            choose_writer(name, {**known.get(name, {}), **own})
            for name, own in read_writers(writers).items()
        )


def _loaded(plan: AnalysisPlan, models: Models) -> tuple[LoadedModel, ...]:
    return tuple(
        LoadedModel(
            kind,
            plan.chosen[kind].component.name,
            models.weights.get(kind, ()),
            models.runtimes.get(kind),
            models.devices.get(kind),
        )
        for kind in RUN_KINDS
        if plan.chosen[kind].component.name != "none"
    )
