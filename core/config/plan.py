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
from .options import Options, make_options


@dataclass(frozen=True)
class Plan:
    """Everything a run is made of.

    Attributes:
        options: The options that belong to no component.
        chosen: The component of each kind but the writer.
        writers: The writers, in the order chosen.
        settings: All of it as plain values, as the result records it: what the scorer's
            parameters leave to its weights filled in.
    """

    options: Options
    chosen: Mapping[str, Chosen]
    writers: tuple[Chosen, ...]
    settings: Mapping[str, Any]


def make_plan(config: DictConfig) -> Plan:
    """Check a composed configuration and find its components.

    Raises:
        ConfigError: A value is missing or out of range.
        PluginError: A component is not there.
    """
    return plan_of(settings_of(RUN, config))


def plan_of(settings: Mapping[str, Any], **own: Any) -> Plan:
    """Check settings, and find their components.

    Args:
        settings: The settings of a run as plain values, or of an application that runs many:
            what a run does not read is left away.
        **own: Options of this run alone, such as its video.

    Raises:
        ConfigError: A value is missing or out of range.
        PluginError: A component is not there.
    """
    defaults = {f.name: f.default for f in fields(Options) if f.default is not MISSING}
    given = {**defaults, **settings, **own}
    mine = {key: given[key] for key in RUN.keys}
    chosen = {kind: choose(kind, mine[kind]) for kind in RUN_KINDS}
    if chosen["scorer"].component.settle:
        mine["scorer"] = {**mine["scorer"], **asdict(chosen["scorer"].config)}
    if not isinstance(mine["writers"], dict):
        raise ConfigError(f"writers must be a list such as [json,rttm], got {mine['writers']!r}")
    writers = tuple(
        choose("writer", node, f"writers.{name}") for name, node in mine["writers"].items()
    )
    options = make_options(Options, mine)
    if options.identities and chosen["embedder"].component.name == "none":
        raise ConfigError(
            f"identities={options.identities} needs an embedder, to compare faces by",
            "Use embedder=facenet",
        )
    # What comes out is the same whether a run went on or not, and so is what is said of it.
    return Plan(options, chosen, writers, {**mine, "resume": False})
