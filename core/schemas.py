"""The typed schemas that Hydra composes against, and the user's words for what it refuses.

The dataclasses are the one home of names, types and defaults: those of an application's options,
those of each component. Before Hydra composes, all of them enter its ConfigStore, so that a
stranger's component is chosen and overridden as one of asdkit's own.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import MISSING as NO_DEFAULT
from dataclasses import dataclass, field
from typing import Any, get_type_hints

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import MISSING, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from .components import CONF, Component, Registry, registry
from .errors import AsdError, ConfigError, PluginError

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


_HYDRA_EXTRAS = {"submitit": "slurm", "optuna": "optuna", "tpe": "optuna"}
"""Parts of the names of Hydra's plugins, and the extras of asdkit that bring them."""
_offered: dict[str, list[str]] = {}
"""The keys of each schema, by its name: all that errors of OmegaConf tell of it."""


def names(config: type) -> list[str]:
    """The names of the fields of a dataclass."""
    return [entry.name for entry in dataclasses.fields(config)]


def _twin(label: str, config: type, *more: tuple[str, Any, Any]) -> type:
    """A dataclass as `config` that Hydra may override; a frozen one would be read-only to it."""
    hints = get_type_hints(config)
    fields: list[tuple[str, Any, Any]] = []
    for entry in dataclasses.fields(config):
        kind = hints[entry.name]
        if dataclasses.is_dataclass(kind) and isinstance(kind, type):
            kind = _twin(entry.name, kind)
            fields.append((entry.name, kind, field(default_factory=kind)))
        elif entry.default_factory is not NO_DEFAULT:
            fields.append((entry.name, kind, field(default_factory=entry.default_factory)))
        else:
            default = MISSING if entry.default is NO_DEFAULT else entry.default
            fields.append((entry.name, kind, field(default=default)))
    _offered[label] = names(config)
    return dataclasses.make_dataclass(label, [*fields, *more])


def component_schema(component: Component) -> type:
    """The schema of a component's node: its name, and its parameters with their defaults."""
    label = f"{component.kind}={component.name}"
    own: list[tuple[str, Any, Any]] = [("name", str, field(default=component.name))]
    if component.kind == "scorer":
        own.append((CALIBRATION, str | None, field(default=SHIPPED)))
    schema = _twin(label, component.config, *own)
    _offered[label] += [name for name, *_ in own if name != "name"]
    return schema


class PluginPresets(SearchPathPlugin):
    """Shows Hydra the presets of plugins; asdkit's own come first."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Called by Hydra before it composes."""
        for folder in dict.fromkeys(file.parents[1] for file in registry().presets.values()):
            if folder != CONF:
                search_path.append("asdkit", f"file://{folder}")


def install(app: App, found: Registry, video: str | None = None) -> None:
    """Put the schemas of an application and of all components into Hydra's ConfigStore.

    Args:
        app: The application.
        found: The components.
        video: The video, if it is already known; its name may hold anything.
    """
    Plugins.instance().register(PluginPresets)
    store = ConfigStore.instance()
    choices: list[tuple[str, Any, Any]] = []
    choices += [(kind, Any, field(default=MISSING)) for kind in app.kinds]
    if app.writers:
        choices.append(("writers", Any, field(default_factory=dict)))
    schema = OmegaConf.structured(_twin(app.name, app.options, *choices))
    _offered[app.name] = app.keys
    if video is not None:
        # OmegaConf would take ${...} for a reference and ??? for a missing value.
        escaped = re.sub(r"(\\*)\$\{", lambda match: match[1] * 2 + r"\${", video)
        schema.video = "./???" if video == "???" else escaped
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


def offer(offered: list[str]) -> str:
    """A hint that lists the keys there are."""
    return f"There are {', '.join(offered)}" if offered else "It has no parameters"


def explained(error: Exception) -> AsdError:
    """The user's words for what Hydra or OmegaConf refused."""
    text = " ".join(str(error).split())
    if choice := re.search(r"Could not (?:find|load) '(\w+)/([^']*)'", text):
        group, name = choice[1].removesuffix("s"), choice[2]
        listed = re.search(r"Available options in '[^']*':((?: \S+)+?)(?: Config search|$)", text)
        there = listed[1].split() if listed else [c.name for c in registry().of_kind(group)]
        extra = ""
        if group == "hydra":  # its own choices, such as hydra/launcher=NAME
            group, _, name = f"{group}/{name}".rpartition("/")
            extra = next((extra for part, extra in _HYDRA_EXTRAS.items() if part in name), "")
        hint = f'Install it with: pip install "asdkit[{extra}]"' if extra else ""
        return PluginError(
            f"There is no {group} {name!r}; there are {', '.join(there)}",
            hint or registry().failure_hint(),
        )
    full_key = re.search(r"full_key: (\S+)", text)
    missing = re.search(r"[Mm]issing mandatory value: (\S+)", text)
    unknown = re.search(r"Key '([^']*)' (?:is not in struct|not in '([^']+)')", text)
    value = re.search(r"(Value .+?|Cannot .+?|Invalid .+?) full_key", text)
    if missing:
        key = full_key[1] if full_key else missing[1]
        return ConfigError(
            f"{key} is not set",
            f"Set it, as in: {'asd run FILE' if key == 'video' else f'{key}=VALUE'}",
        )
    if unknown:
        return ConfigError(
            f"There is no option {full_key[1] if full_key else unknown[1]}",
            offer(_offered.get(unknown[2] or "", [])),
        )
    if full_key and value:
        return ConfigError(f"{full_key[1]}: {value[1]}")
    if isinstance(cause := error.__cause__, HydraException | OmegaConfBaseException):
        return explained(cause)
    grammar = re.search(r"mismatched input|no viable alternative|extraneous input|NoViable", text)
    quote = "A value with such characters needs quotes: \"key='value'\""
    return ConfigError(text, quote if grammar else "")
