"""Variants of components, NAME@VALUE: a component with a value of its main parameter.

`scorer=lr_asd@ava` is `scorer=lr_asd scorer.weights=ava` in one word. So a sweep can try one
component with several values beside components that have no such values, and a preset can choose
it. To Hydra each is a configuration of its own, made when it is asked for, that takes in the one
of the component (or preset) and sets the parameter: what is composed, and recorded, holds the plain
component and its parameter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.config_store import ConfigNode, ConfigStore
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import OmegaConf

from ..component import KINDS, Component
from ..errors import ConfigError
from ..registry import Registry, registry
from .schemas import literal, names

if TYPE_CHECKING:
    from .schemas import App

SIGN = "@"
"""What stands between the name and the value."""
_KINDS = tuple(kind for kind in KINDS if kind != "writer")
"""The kinds of components of which one is chosen by `kind=name`."""


def parted(text: str) -> tuple[str, str]:
    """The name of a component or preset, and the value of its main parameter, or an empty text."""
    name, _, value = text.partition(SIGN)
    return name, value


class VariantStore(ConfigStore):
    """A ConfigStore that also has the variants of the components it has.

    Made by `store_with_variants`: called, it would be a singleton, as ConfigStore is.
    """

    found: Registry

    def get_type(self, path: str) -> ObjectType:
        """What a path is of; called by Hydra."""
        there = super().get_type(path)
        return ObjectType.CONFIG if there is ObjectType.NOT_FOUND and _variant(path) else there

    def load(self, config_path: str) -> ConfigNode:
        """The configuration at a path; called by Hydra.

        Raises:
            ConfigError: The component has no variants.
        """
        variant = _variant(config_path)
        if variant is None:
            return super().load(config_path)
        kind, name, value = variant
        parameter = main_parameter(self.found, kind, name)
        # The one of the component comes first: its types hold, and errors of its name are of Hydra.
        node = OmegaConf.create({"defaults": [name, "_self_"], parameter: literal(value)})
        return ConfigNode(config_path, node, kind, None, "asdkit")


def store_with_variants(store: ConfigStore, found: Registry) -> VariantStore:
    """A store of the same configurations, and of variants of components.

    Args:
        store: The store; its configurations are shared with the new one.
        found: The components.
    """
    more: VariantStore = object.__new__(VariantStore)
    more.repo = store.repo
    more.found = found
    return more


def main_parameter(found: Registry, kind: str, name: str) -> str:
    """The parameter that the value of a variant is of.

    Args:
        found: The components and presets.
        kind: Kind of component.
        name: Its name, or that of a preset for it.

    Raises:
        ConfigError: The component has no such parameter.
    """
    component = component_of(found, kind, name)
    if component is None:  # the user's own preset, or no component at all, which Hydra tells
        return Component.variant
    if component.variant not in names(component.config):
        able = [one.name for one in found.of_kind(kind) if one.variant in names(one.config)]
        others = f"These have variants: {', '.join(able)}" if able else "Name it without"
        raise ConfigError(
            f"{kind}={name} has no variants: it has no parameter {component.variant}", others
        )
    return component.variant


def component_of(found: Registry, kind: str, name: str) -> Component | None:
    """The component of a name, or that which a preset of this name is for, as far as is known."""
    seen: set[str] = set()
    while (kind, name) in found.presets and name not in seen:
        seen.add(name)
        name = _chosen_by(found.presets[kind, name]) or name
    return found.components.get((kind, name))


def _chosen_by(preset: Path) -> str | None:
    """What the preset of a component takes in first."""
    content: Any = OmegaConf.to_container(OmegaConf.load(preset))
    defaults = content.get("defaults", ()) if isinstance(content, dict) else ()
    return next((str(one) for one in defaults if isinstance(one, str) and one != "_self_"), None)


def _variant(path: str) -> tuple[str, str, str] | None:
    """The kind, name and value of a variant by its path in a store; None if it is none."""
    kind, _, file = path.rpartition("/")
    name, value = parted(file.removesuffix(".yaml"))
    return (kind, name, value) if kind in _KINDS and name and value else None


def check_variants(app: App, words: Collection[str]) -> None:
    """Check the variants that overrides choose, before Hydra composes.

    Raises:
        ConfigError: One lacks its value, has a path for it, or its parameter is set elsewhere, too.
    """
    given = {word.partition("=")[0] for word in words}
    for word in words:
        key, _, text = word.partition("=")
        if key not in app.kinds or SIGN not in text:
            continue
        for choice in _choices(word):
            name, value = parted(choice)
            if SIGN not in choice:
                continue
            parameter = main_parameter(registry(), key, name)
            long = f"{key}={name or 'NAME'} {key}.{parameter}={value or 'VALUE'}"
            if not name or not value:
                raise ConfigError(
                    f"{key}={choice} lacks what stands {'before' if not name else 'after'} {SIGN}",
                    f"A variant is NAME{SIGN}VALUE, short for: {long}",
                )
            if "/" in value or "\\" in value:
                raise ConfigError(
                    f"{key}={choice}: the value of a variant is a name, and no path", f"Use: {long}"
                )
            if f"{key}.{parameter}" in given:
                raise ConfigError(
                    f"{key}={choice} sets {key}.{parameter}, which is given as well",
                    "Leave one of them out",
                )


def _choices(word: str) -> Iterable[str]:
    """The names that an override chooses, one or several to try."""
    try:
        return list(_values(OverridesParser.create().parse_override(word)))
    except HydraException:
        return ()  # Hydra will report the error


def _values(override: Override) -> Iterator[str]:
    if override.is_sweep_override():
        if override.is_choice_sweep():
            yield from (str(one).strip("'\"") for one in override.sweep_string_iterator())
    else:
        yield str(override.value())
