"""From Hydra's configuration to a checked plan of what to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

from omegaconf import DictConfig

from ..component import RUN_KINDS
from ..errors import ConfigError
from .chosen import Chosen, choose
from .compose import RUN, settings_of
from .options import AnalysisOptions, Options, make_options
from .schemas import names
from .values import make


@dataclass(frozen=True)
class AnalysisPlan:
    """What is done with any video: everything a run is made of but the video itself.

    Attributes:
        options: The options that belong to no component.
        chosen: The component of each kind but the writer.
        writers: The writers, in the order chosen.
        settings: All of it as plain values, as the result records it: what the scorer's
            parameters leave to its weights filled in.
    """

    options: AnalysisOptions
    chosen: Mapping[str, Chosen]
    writers: tuple[Chosen, ...]
    settings: Mapping[str, Any]

    def for_video(self, video: str, output: str | None = None, **own: Any) -> RunPlan:
        """The plan of a run.

        Args:
            video: The video file.
            output: Folder for the results.
            **own: Other options of this run alone; see `core.config.options.Options`.

        Raises:
            ConfigError: A value is out of range.
        """
        given = {**_DEFAULTS, **own, "video": video, "output": output}
        shared = {name: getattr(self.options, name) for name in names(AnalysisOptions)}
        options: Options = make(Options, {**shared, **given})
        # What comes out is the same whether a run went on or not, and so is what is said of it.
        settings = {**self.settings, **given, "resume": False}
        ordered = {key: settings[key] for key in RUN.keys}
        return RunPlan(options, self.chosen, self.writers, ordered)


@dataclass(frozen=True)
class RunPlan(AnalysisPlan):
    """Everything a run is made of.

    Attributes:
        options: The options that belong to no component, the video among them.
    """

    options: Options


_DEFAULTS = {
    entry.name: entry.default
    for entry in fields(Options)
    if entry.name not in names(AnalysisOptions) and entry.default is not MISSING
}
"""The options of one run alone, where nothing is said of them."""


def make_plan(config: DictConfig) -> RunPlan:
    """Check a composed configuration and find its components.

    Raises:
        ConfigError: A value is missing or out of range.
        PluginError: A component is not there.
    """
    settings = settings_of(RUN, config)
    own = {name: settings[name] for name in (*_DEFAULTS, "video")}
    return analysis_plan_of(settings).for_video(**own)


def analysis_plan_of(settings: Mapping[str, Any]) -> AnalysisPlan:
    """Check settings, and find their components.

    Args:
        settings: The settings of a run as plain values, or of an application that runs many:
            what an analysis does not read is left away.

    Raises:
        ConfigError: A value is missing or out of range.
        PluginError: A component is not there.
    """
    mine = {key: settings[key] for key in (*names(AnalysisOptions), *RUN_KINDS, "writers")}
    chosen = {kind: choose(kind, mine[kind]) for kind in RUN_KINDS}
    if chosen["scorer"].component.settle:
        mine["scorer"] = {**mine["scorer"], **asdict(chosen["scorer"].config)}
    if not isinstance(mine["writers"], dict):
        raise ConfigError(f"writers must be a list such as [json,rttm], got {mine['writers']!r}")
    writers = tuple(
        choose("writer", node, f"writers.{name}") for name, node in mine["writers"].items()
    )
    options = make_options(AnalysisOptions, mine)
    if options.identities and chosen["embedder"].component.name == "none":
        raise ConfigError(
            f"identities={options.identities} needs an embedder, to compare faces by",
            "Use embedder=facenet",
        )
    return AnalysisPlan(options, chosen, writers, mine)
