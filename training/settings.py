"""The options of `asd train`."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from omegaconf import DictConfig

from ..core.analysis.answers import asked
from ..core.config.chosen import Chosen, choose
from ..core.config.compose import settings_of
from ..core.config.options import check_device_name, check_folder
from ..core.config.schemas import App, names
from ..core.config.values import make
from ..core.errors import ConfigError, PluginError
from ..core.evaluation.labelled_faces import FOUND_KINDS
from ..core.registry import registry
from ..core.spelling import one_of
from ..core.trainable import Recipe, Trainable
from .asking import asked_as
from .augment import Augment
from .batches import LEAST_FRAMES

PRECISIONS = ("32", "bf16-mixed", "16-mixed")
"""The precisions of a training, by Lightning Fabric's names."""
LOGS = ("csv", "tensorboard")
"""Where a training logs to."""
NOT_FINITE = (
    "Try a lower learning_rate, or precision=32, in another folder (output=OTHER), from "
    "scorer.weights=last.model of this one if it is there; the same command would come to the same"
)
"""What helps where numbers are not finite: a folder holds a training of one set of options."""
_LEAST = {
    "batch_frames": LEAST_FRAMES,
    **dict.fromkeys(("epochs", "devices", "threads", "patience"), 1),
    **dict.fromkeys(("workers", "seed", "weight_decay"), 0),
}
"""By option: its lowest value, if it is given."""
_ABOVE_0 = (
    ("learning_rate", sys.float_info.max, ""),
    ("decay", 1, ", up to 1"),
    ("validation_part", 1, ", below 1"),
    ("save_every_min", math.inf, ""),
    ("cache_gb", math.inf, ""),
)
"""Options that must be above 0, each with its highest value, and with words for that."""


@dataclass(frozen=True)
class TrainOptions:
    """The options of a training that belong to no component.

    Attributes:
        output: Folder for the weights, the log, the record and the state. A training that was
            stopped there goes on if its settings are the same.
        overwrite: Begin anew, and replace the training that is in that folder.
        from_nothing: Begin with weights drawn at random, not with scorer.weights.
        epochs: How often at most all faces are gone through; the scorer's recipe if not given.
        learning_rate: Of Adam in the first epoch; the scorer's recipe if not given.
        decay: What the learning rate is multiplied by after each epoch, above 0, up to 1; the
            scorer's recipe if not given.
        weight_decay: Each step takes this share, times the learning rate, off every weight (AdamW);
            0 for none; the scorer's recipe if not given.
        batch_frames: About how many face frames a batch has, all its faces together; the scorer's
            recipe if not given. With several devices each has such a batch at a time.
        precision: 32; bf16-mixed or 16-mixed compute in half precision where that does little
            harm, for GPUs. Weights are kept, and validated, in float32 in any case.
        device: auto, cpu, cuda or cuda:N.
        devices: How many GPUs train together, from the one that device names on; with device=cpu,
            how many processes.
        threads: CPU threads a library may use; its own choice if not given.
        workers: Processes that read and prepare faces and sound; 0 does that in between.
        seed: What all random numbers begin with.
        patience: End after so many epochs without a better average precision; null goes on to the
            last epoch.
        validation_part: Which part of the videos is kept apart to validate on, at least one, drawn
            by the seed; not used if there is a validation dataset.
        save_every_min: Within an epoch, save the state after so many minutes, too.
        cache_gb: Faces that are cut from videos are kept for the next training; the oldest are
            removed when more gigabytes than this are kept. A minute of a face takes 0.02.
        logs: Where to log to besides training.json: [csv], [csv,tensorboard] or none, [].
        quiet: Print nothing but errors.
        plugins: Plugins of a single file, such as [my.py], which are run; their components can be
            chosen like all others.
        augment: How faces and sound are changed at random.
    """

    output: str = "asd_training"
    overwrite: bool = False
    from_nothing: bool = False
    epochs: int | None = None
    learning_rate: float | None = None
    decay: float | None = None
    weight_decay: float | None = None
    batch_frames: int | None = None
    precision: str = "32"
    device: str = "auto"
    devices: int = 1
    threads: int | None = None
    workers: int = 2
    seed: int = 0
    patience: int | None = None
    validation_part: float = 0.1
    save_every_min: float = 10.0
    cache_gb: float = 20.0
    logs: list[str] = field(default_factory=lambda: ["csv"])
    quiet: bool = False
    plugins: list[str] | None = None
    augment: Augment = field(default_factory=Augment)

    def __post_init__(self) -> None:
        check_folder(self.output)
        if self.precision not in PRECISIONS:
            raise ValueError(one_of("precision", self.precision, PRECISIONS))
        check_device_name(self.device)
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")
        for name, most, told in _ABOVE_0:
            value = getattr(self, name)
            if value is not None and not 0 < value <= most:
                raise ValueError(f"{name} must be above 0{told}, got {value}")
        if self.validation_part == 1:
            raise ValueError("validation_part must be below 1: the rest is trained on")
        if self.seed >= 2**32:
            raise ValueError(f"seed must be from 0 to 2**32 - 1, got {self.seed}")
        for log in self.logs:
            if log not in LOGS:
                raise ValueError(one_of("logs", log, LOGS))

    def course(self, recipe: Recipe) -> Recipe:
        """The recipe of a scorer with what the user says otherwise."""
        own = {
            name: given
            for name in names(Recipe)
            if (given := getattr(self, name, None)) is not None
        }
        return Recipe(**{**vars(recipe), **own})


_ABOUT = """\
asd train scorer=NAME dataset=NAME [OPTION=VALUE ...]

Trains a scorer on labelled faces, from its published weights or from nothing, and measures the
average precision on other videos after each epoch. The same command goes on where a training was
stopped. To use the weights: asd run FILE scorer=lr_asd scorer.weights=FOLDER/best.model

Several at once: asd train scorer=lr_asd dataset=ava ... --multirun learning_rate=1e-4,1e-3

The detector, the tracker and the cutter find the faces of datasets that do not say where they are.
"""
TRAIN = App(
    "train",
    TrainOptions,
    ("dataset", "scorer", *FOUND_KINDS),
    _ABOUT,
    optional=(("validation", "dataset"),),
)


@dataclass(frozen=True)
class TrainPlan:
    """The plan of a training.

    Attributes:
        options: The options that belong to no component.
        scorer: The scorer and the weights that it starts from.
        dataset: The dataset to train on.
        validation: The dataset to validate on; None for a part of `dataset`.
        finding: The cutter, the detector and the tracker, by kind, for videos of which a dataset
            does not say where faces are.
        settings: The whole configuration as plain values.
    """

    options: TrainOptions
    scorer: Chosen
    dataset: Chosen
    validation: Chosen | None
    finding: Mapping[str, Chosen]
    settings: Mapping[str, Any]

    def trainable(self) -> Trainable:
        """The scorer's network, with the weights that the training starts from.

        Raises:
            PluginError: The scorer has nothing to train, or fails to hand it out as it must.
            AsdError: PyTorch or the weights are not available, or cannot be trained.
        """
        component = self.scorer.component
        if component.trainable is None:
            raise _not_trainable(component.name)
        name = self.scorer.in_words
        with asked(name):
            made = component.trainable(self.scorer.config, self.options.from_nothing)
        if not isinstance(made, Trainable):
            raise PluginError(
                f"{name} must be trained as a Trainable, but was as a {type(made).__name__}"
            )
        return asked_as(name, made)


def _not_trainable(name: str) -> PluginError:
    there = [one.name for one in registry().of_kind("scorer") if one.trainable]
    return PluginError(
        f"scorer={name} cannot be trained",
        f"These can: {', '.join(there)}" if there else "No scorer that is installed can",
    )


def make_train_plan(config: DictConfig) -> TrainPlan:
    """Check a composed configuration and find its components.

    Raises:
        ConfigError: A value is missing or out of range.
        PluginError: A component does not exist, or the scorer cannot be trained.
    """
    return train_plan_of(settings_of(TRAIN, config))


def train_plan_of(settings: Mapping[str, Any]) -> TrainPlan:
    """Check settings, as plain values, and find their components; see `make_train_plan`."""
    scorer = choose("scorer", settings["scorer"])
    if scorer.component.trainable is None:
        raise _not_trainable(scorer.component.name)
    dataset = choose("dataset", settings["dataset"])
    validation = settings["validation"]
    if validation is not None and not isinstance(validation, Mapping):
        raise ConfigError(f"validation names no dataset, got {validation!r}", "As dataset= does")
    own = {name: settings[name] for name in names(TrainOptions)}
    own["augment"] = make(Augment, own["augment"], "augment")
    options = make(TrainOptions, own)
    return TrainPlan(
        options,
        scorer,
        dataset,
        choose("dataset", validation, "validation") if validation is not None else None,
        {kind: choose(kind, settings[kind]) for kind in FOUND_KINDS},
        settings,
    )
