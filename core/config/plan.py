"""Turns Hydra's configuration into a checked plan of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

from omegaconf import DictConfig

from ..component import RUN_KINDS
from ..errors import ConfigError
from ..given_writers import check_called
from ..registry import registry
from ..sync import OFF
from ..voices.files import check_given
from .chosen import Chosen, choose
from .compose import RUN, settings_of
from .options import AnalysisOptions, Options, make_options
from .schemas import names
from .values import make


@dataclass(frozen=True)
class AnalysisPlan:
    """The plan for any video: everything that defines a run, except the video itself.

    Attributes:
        options: The options that belong to no component.
        chosen: By kind: the component, except writers.
        writers: The writers, in the order chosen.
        settings: The whole plan as plain values, as recorded in the result, with all parameters
            of the writers, and with the scorer's that depend on its weights filled in.
    """

    options: AnalysisOptions
    chosen: Mapping[str, Chosen]
    writers: tuple[Chosen, ...]
    settings: Mapping[str, Any]

    def for_video(self, video: str, output: str | None = None, **own: Any) -> RunPlan:
        """The plan for one video.

        Args:
            video: The video file.
            output: Folder for the results.
            **own: Other options that only a single run has; see `core.config.options.Options`.

        Raises:
            ConfigError: A value is out of range.
        """
        given = {**ONE_RUN, **own, "video": video, "output": output}
        shared = {name: getattr(self.options, name) for name in names(AnalysisOptions)}
        options: Options = make(Options, {**shared, **given})
        # Neither resuming a run nor silence changes its results, so the recorded settings stay.
        settings = {**self.settings, **given, "resume": False, "quiet": False}
        ordered = {key: settings[key] for key in RUN.keys}
        return RunPlan(options, self.chosen, self.writers, ordered)


@dataclass(frozen=True)
class RunPlan(AnalysisPlan):
    """The complete plan of a run.

    Attributes:
        options: The options that belong to no component, including the video.
    """

    options: Options


ONE_RUN = {
    entry.name: entry.default
    for entry in fields(Options)
    if entry.name not in names(AnalysisOptions) and entry.default is not MISSING
}
"""The options that only a single run has, but for the video, with their defaults."""


def make_plan(config: DictConfig) -> RunPlan:
    """Check a composed configuration and find its components.

    Raises:
        ConfigError: A value is missing or out of range.
        PluginError: A component does not exist.
    """
    settings = settings_of(RUN, config)
    own = {name: settings[name] for name in (*ONE_RUN, "video")}
    return analysis_plan_of(settings).for_video(**own)


def analysis_plan_of(settings: Mapping[str, Any]) -> AnalysisPlan:
    """Check settings, and find their components.

    Args:
        settings: The settings, as plain values, of a run or of an application that runs many
            videos; keys that no analysis uses are ignored.

    Raises:
        ConfigError: A value is missing or out of range.
        InputError: There are no turns where `diarization` says.
        PluginError: A component does not exist.
    """
    mine = {key: settings[key] for key in (*names(AnalysisOptions), *RUN_KINDS, "writers")}
    choose("context", mine["context"])  # before a scorer is calibrated in it
    chosen = {kind: choose(kind, mine[kind], context=mine["context"]) for kind in RUN_KINDS}
    if chosen["scorer"].component.settle:
        mine["scorer"] = {**mine["scorer"], **asdict(chosen["scorer"].config)}
    writers = writers_of(mine)
    mine["writers"] = settings_of_writers(writers)  # a preset may set some parameters alone
    options = make_options(AnalysisOptions, mine)
    _check_together(options, chosen)
    return AnalysisPlan(options, chosen, writers, mine)


def writers_of(settings: Mapping[str, Any]) -> tuple[Chosen, ...]:
    """The writers that settings choose, in their order.

    Raises:
        ConfigError: They are no list of writers, or a parameter is unknown or out of range.
        PluginError: There is no such writer.
    """
    nodes = settings["writers"]
    if not isinstance(nodes, dict):
        raise ConfigError(f"writers must be a list such as [json,rttm], got {nodes!r}")
    writers = tuple(choose("writer", node, f"writers.{name}") for name, node in nodes.items())
    for name, chosen in zip(nodes, writers, strict=True):
        check_called(name, chosen.component.name)
    return writers


def choose_writer(name: str, parameters: Mapping[str, Any]) -> Chosen:
    """A writer by its name, with those of its parameters that are not to have their defaults.

    Raises:
        ConfigError: A parameter is unknown or out of range.
        PluginError: There is no such writer.
    """
    return choose("writer", {**parameters, "name": name}, f"writers.{name}")


def settings_of_writers(writers: Iterable[Chosen]) -> dict[str, Any]:
    """Writers with all their parameters, as settings record them."""
    return {
        one.component.name: {"name": one.component.name, **asdict(one.config)} for one in writers
    }


def _check_together(options: AnalysisOptions, chosen: Mapping[str, Chosen]) -> None:
    """Check that what was asked for can be done with the components chosen.

    Raises:
        ConfigError: It cannot, or the file of a diarization is not there.
    """
    if options.identities and chosen["embedder"].component.name == "none":
        raise ConfigError(
            f"identities={options.identities} needs an embedder, to compare faces by",
            "Use embedder=mobilefacenet, or embedder=facenet",
        )
    voice, quiet = (chosen[kind].component.name for kind in ("voice", "vad"))
    if voice != "none" and quiet == "none" and chosen["embedder"].component.name != "none":
        raise ConfigError(
            f"voice={voice} has nothing to name: faces are compared by an embedder, and without "
            "voice activity detection no speech is off screen",
            "Use vad=silero or vad=energy, or embedder=none",
        )
    if options.diarization is not None:
        check_given(options.diarization)
        if voice != "none":
            raise ConfigError(
                f"diarization={options.diarization} and voice={voice} "
                "both say whose voice is heard",
                "Leave one of them out",
            )
    if options.sync != OFF and not chosen["scorer"].component.shifts:
        able = [one.name for one in registry().of_kind("scorer") if one.shifts]
        raise ConfigError(
            f"sync={options.sync} needs a scorer that can score one face with several sounds, "
            f"which {chosen['scorer'].in_words} cannot",
            f"Use {', '.join(f'scorer={name}' for name in able)}, or sync=off",
        )
