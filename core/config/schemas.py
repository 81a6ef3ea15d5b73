"""The typed schemas that Hydra composes against.

The dataclasses are the one home of names, types and defaults: those of an application's options,
those of each component. Before Hydra composes, all of them enter a ConfigStore, so that a
stranger's component is chosen and overridden as one of asdkit's own.
"""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING as NO_DEFAULT
from dataclasses import dataclass, field
from functools import cache
from typing import Any, get_type_hints

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, OmegaConf

from ..component import Component
from ..registry import Registry

CONFIG_MODULE = "asdkit.conf"
CALIBRATION = "calibration"
"""The parameter that every scorer has: a file of `asd calibrate`."""
SHIPPED = "auto"
"""Its default: the calibration that ships for the scorer's weights, if one does."""


@dataclass(frozen=True)
class App:
    """A command that is a Hydra application: `asd NAME`, composed from conf/NAME.yaml.

    Attributes:
        name: Name of the command.
        options: Dataclass of the options that belong to no component.
        kinds: Kinds of components of which one is chosen.
        about: What it does, for the head of its help.
        writers: Whether writers are chosen, any number of them, and experiments: presets of all.
    """

    name: str
    options: type
    kinds: tuple[str, ...]
    about: str
    writers: bool = False

    @property
    def keys(self) -> list[str]:
        """All that can stand at the top level of its configuration."""
        return [*names(self.options), *self.kinds, *(["writers"] if self.writers else [])]


_HYDRAS_OWN = ("hydra", "_dummy_empty_config_.yaml")
"""What Hydra puts into its ConfigStore itself."""


def names(config: type) -> list[str]:
    """The names of the fields of a dataclass."""
    return [entry.name for entry in dataclasses.fields(config)]


def twin(label: str, config: type, *more: tuple[str, Any, Any]) -> type:
    """A dataclass as `config` that Hydra may override; a frozen one would be read-only to it."""
    hints = get_type_hints(config)
    fields: list[tuple[str, Any, Any]] = []
    for entry in dataclasses.fields(config):
        kind = hints[entry.name]
        if dataclasses.is_dataclass(kind) and isinstance(kind, type):
            kind = twin(entry.name, kind)
            fields.append((entry.name, kind, field(default_factory=kind)))
        elif entry.default_factory is not NO_DEFAULT:
            fields.append((entry.name, kind, field(default_factory=entry.default_factory)))
        else:
            default = MISSING if entry.default is NO_DEFAULT else entry.default
            fields.append((entry.name, kind, field(default=default)))
    return dataclasses.make_dataclass(label, [*fields, *more])


@cache
def component_schema(component: Component) -> type:
    """The schema of a component's node: its name, and its parameters with their defaults."""
    label = f"{component.kind}={component.name}"
    own: list[tuple[str, Any, Any]] = [("name", str, field(default=component.name))]
    if component.kind == "scorer":
        own.append((CALIBRATION, str | None, field(default=SHIPPED)))
    return twin(label, component.config, *own)


def store_of(app: App, found: Registry, video: str | None = None) -> ConfigStore:
    """A ConfigStore with the schemas of an application and of all components.

    It is no part of Hydra's own, which belongs to the whole process: to whoever else uses Hydra
    there, and to all its threads.

    Args:
        app: The application.
        found: The components.
        video: The video, if it is already known; its name may hold anything.
    """
    shared = ConfigStore.instance()
    store = copy.copy(shared)
    # Hydra's own are read and never written, but for the launchers: see core/cli/hydra_app.py.
    store.repo = {name: node for name, node in shared.repo.items() if name in _HYDRAS_OWN}
    choices: list[tuple[str, Any, Any]] = []
    choices += [(kind, Any, field(default=MISSING)) for kind in app.kinds]
    if app.writers:
        choices.append(("writers", Any, field(default_factory=dict)))
    schema = OmegaConf.structured(twin(app.name, app.options, *choices))
    if video is not None:
        schema.video = "./???" if video == "???" else literal(video)
    store.store(name=f"{app.name}_schema", node=schema, provider="asdkit")
    for (kind, name), component in found.components.items():
        group = "writers" if kind == "writer" else kind
        package = f"writers.{name}" if kind == "writer" else None
        store.store(
            group=group,
            name=name,
            node=component_schema(component),
            package=package,
            provider=found.providers[kind, name].name,
        )
    return store


def literal(value: Any) -> Any:
    """Plain values as OmegaConf has to be given them to take every text as it stands.

    It would take `${...}` for a reference.
    """
    if isinstance(value, str):
        return re.sub(r"(\\*)\$\{", lambda match: match[1] * 2 + r"\${", value)
    if isinstance(value, Mapping):
        return {key: literal(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [literal(item) for item in value]
    return value


def offer(offered: Iterable[str]) -> str:
    """A hint that lists the keys there are."""
    listed = ", ".join(offered)
    return f"There are {listed}" if listed else "It has no parameters"
