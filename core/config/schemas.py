"""The typed schemas that Hydra composes against.

Names, types and defaults are defined only in dataclasses: one for the options of each application,
one for the parameters of each component. Before composition all of them enter a ConfigStore, so
that a plugin's component is chosen and overridden like asdkit's own.
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

from ..component import CALIBRATION, Component
from ..registry import Registry

CONFIG_MODULE = "asdkit.conf"
SHIPPED = "auto"
"""The default of a scorer's `calibration`: the one shipped for its weights, if there is one."""


@dataclass(frozen=True)
class App:
    """A command that is a Hydra application: `asd NAME`, composed from conf/NAME.yaml.

    Attributes:
        name: Name of its configuration, conf/NAME.yaml, and usually of the command.
        options: Dataclass of the options that belong to no component.
        kinds: Kinds of components, of each of which one is chosen.
        about: What the command does, for the head of its help; its first line is the usage, as in
            "asd run FILE [OPTION=VALUE ...]".
        writers: Whether any number of writers can be chosen.
        experiments: Whether an experiment preset can be, where writers can.
        optional: Choices that may be left out: the name of each, and the kind of its components.
    """

    name: str
    options: type
    kinds: tuple[str, ...]
    about: str
    writers: bool = False
    experiments: bool = True
    optional: tuple[tuple[str, str], ...] = ()

    @property
    def kind_of(self) -> dict[str, str]:
        """By the name of each choice of a component, be it optional or not: its kind."""
        return {**{kind: kind for kind in self.kinds}, **dict(self.optional)}

    @property
    def usage(self) -> str:
        """How the command is used, in a line."""
        return self.about.partition("\n")[0]

    @property
    def command(self) -> str:
        """The name of the command."""
        return self.usage.split()[1]

    @property
    def keys(self) -> list[str]:
        """The valid top-level keys of its configuration."""
        return [*names(self.options), *self.kind_of, *(["writers"] if self.writers else [])]

    @property
    def nested(self) -> list[str]:
        """The options that are written with a dot and belong to no component: live.hop_s."""
        hints = get_type_hints(self.options)
        groups = [name for name in names(self.options) if dataclasses.is_dataclass(hints[name])]
        return [f"{group}.{name}" for group in groups for name in names(hints[group])]

    @property
    def offered(self) -> list[str]:
        """What can be set on its command line: its keys, and an experiment preset."""
        return [*self.keys, *(["experiment"] if self.writers and self.experiments else [])]


_HYDRAS_OWN = ("hydra", "_dummy_empty_config_.yaml")
"""The entries that Hydra itself adds to its ConfigStore."""


def names(config: type) -> list[str]:
    """The names of the fields of a dataclass."""
    return [entry.name for entry in dataclasses.fields(config)]


def twin(label: str, config: type, *more: tuple[str, Any, Any]) -> type:
    """A mutable copy of a dataclass, as Hydra cannot override the values of a frozen one."""
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

    The store is separate from Hydra's own, which is shared by all threads of the process and by
    other users of Hydra in it.

    Args:
        app: The application.
        found: The components.
        video: The video, if it is already known; its name may hold any character.
    """
    shared = ConfigStore.instance()
    store = copy.copy(shared)
    # Hydra's own entries are shared, not copied: only launchers' are written to, see
    # core/cli/hydra_app.py.
    store.repo = {name: node for name, node in shared.repo.items() if name in _HYDRAS_OWN}
    choices: list[tuple[str, Any, Any]] = []
    choices += [(kind, Any, field(default=MISSING)) for kind in app.kinds]
    choices += [(name, Any, field(default=None)) for name, _ in app.optional]
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
    for choice, of_kind in app.optional:
        for component in found.of_kind(of_kind):
            store.store(
                group=choice,
                name=component.name,
                node=component_schema(component),
                provider=found.providers[of_kind, component.name].name,
            )
    return store


def chosen_writers(nodes: Mapping[Any, Any]) -> dict[str, Any]:
    """The nodes of the writers that were chosen: a preset may set parameters of others, too."""
    return {
        str(name): node
        for name, node in nodes.items()
        if not isinstance(node, Mapping) or "name" in node
    }


def literal(value: Any) -> Any:
    """Escape `${...}` in plain values, which OmegaConf would take for a reference."""
    if isinstance(value, str):
        return re.sub(r"(\\*)\$\{", lambda match: match[1] * 2 + r"\${", value)
    if isinstance(value, Mapping):
        return {key: literal(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [literal(item) for item in value]
    return value


def offer(offered: Iterable[str]) -> str:
    """A hint that lists the valid keys."""
    listed = ", ".join(offered)
    return f"There are {listed}" if listed else "It has no parameters"
