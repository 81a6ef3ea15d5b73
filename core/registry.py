"""Finds components and presets through the entry points of installed packages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path
from threading import RLock
from typing import Any

import pluggy

from . import hookspecs
from .component import KINDS, PRESET_KINDS, Component
from .component_checks import check_component
from .errors import PluginError
from .spelling import guess
from .version import __version__

CONF = Path(__file__).parents[1] / "conf"
"""The folder of asdkit's own presets."""


@dataclass(frozen=True)
class Provider:
    """The installed package behind a component or a preset."""

    name: str
    version: str


class Registry:
    """The components and presets found, and the plugins that failed to load."""

    def __init__(self) -> None:
        self.components: dict[tuple[str, str], Component] = {}
        self.presets: dict[tuple[str, str], Path] = {}
        """By kind ("experiment" for several kinds) and name: the YAML file."""
        self.providers: dict[tuple[str, str], Provider] = {}
        self.failures: dict[str, str] = {}
        """By package, its version and entry point, or by a damaged package's folder: the reason."""
        self.files: dict[Path, tuple[str, Provider]] = {}
        """By plugin of a single file: its SHA-256, and what stands for its package."""

    def add(self, component: Component, provider: Provider) -> None:
        """Add a component.

        Raises:
            PluginError: Another package already provides this kind and name.
            TypeError, ValueError: It is not usable; see `core.component_checks.check_component`.
        """
        check_component(component)
        key = (component.kind, component.name)
        self._claim(key, provider)
        self.components[key] = component

    def add_all(self, components: Iterable[Component], provider: Provider) -> None:
        """Add several components, or none if one is not usable; see `add`."""
        if not isinstance(components, Iterable):
            raise TypeError(f"asdkit_components must return a list, but returned {components!r}")
        given = list(components)
        for component in given:
            check_component(component)
        for component in given:
            self.add(component, provider)

    def add_presets(self, folder: Path, provider: Provider) -> None:
        """Add the presets of a folder.

        Raises:
            PluginError: Another package already provides one of this kind and name.
            TypeError: It is no `Path`.
            ValueError: The folder holds no presets, or one in a folder of no kind.
        """
        if not isinstance(folder, Path):
            raise TypeError(f"asdkit_presets must return a Path, but returned {folder!r}")
        files = sorted(folder.glob("*/*.yaml"))
        if not files:
            raise ValueError(f"{folder} holds no preset, such as experiment/NAME.yaml")
        for file in files:
            key = (file.parent.name, file.stem)
            if key[0] not in PRESET_KINDS:
                raise ValueError(
                    f"{file} is in no folder of presets; there are {', '.join(PRESET_KINDS)}"
                )
            if key in self.components and self.providers[key] == provider:
                raise ValueError(f"a component and a preset are both called {'='.join(key)}")
            self._claim(key, provider)
            self.presets[key] = file

    def _claim(self, key: tuple[str, str], provider: Provider) -> None:
        if key in self.providers:
            raise PluginError(
                f"Two packages provide {'='.join(key)}: "
                f"{self.providers[key].name} and {provider.name}",
                "Uninstall one of them",
            )
        self.providers[key] = provider

    def choices(self, kind: str) -> list[str]:
        """The names of the components and presets of a kind, or of "experiment"."""
        return sorted(name for of_kind, name in self.providers if of_kind == kind)

    def of_kind(self, kind: str) -> list[Component]:
        """The components of a kind, by name."""
        return [self.components[key] for key in sorted(self.components) if key[0] == kind]

    def find(self, kind: str, name: str) -> Component:
        """The component of this kind and name.

        Raises:
            PluginError: It does not exist; the error lists the components of this kind.
        """
        if (kind, name) in self.components:
            return self.components[kind, name]
        if kind not in KINDS:
            raise PluginError(
                f"There is no kind {kind!r}; there are {', '.join(KINDS)}", guess(kind, KINDS)
            )
        names = [component.name for component in self.of_kind(kind)]
        raise PluginError(
            f"There is no {kind} {name!r}; there are {', '.join(names)}",
            guess(name, names, self.failure_hint()),
        )

    def in_words(self, component: Component) -> str:
        """A component by its option and package, such as "detector=yunet (asdkit 0.1.0)"."""
        words = f"{component.kind}={component.name}"
        # A component created in Python code has no package.
        provider = self.providers.get((component.kind, component.name))
        return f"{words} ({provider.name} {provider.version})" if provider else words

    def failure_hint(self) -> str:
        """A hint that names the plugins that failed to load; empty if none failed."""
        if not self.failures:
            return ""
        return f"Failed to load: {', '.join(self.failures)} (asd plugins says why)"


def load_registry() -> Registry:
    """Find all components and presets, asdkit's own and those of other installed packages.

    A plugin that fails to load is noted in `failures` and does not stop the others.

    Raises:
        PluginError: Two packages provide a component or preset of the same kind and name.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    registry = Registry()
    providers = {}
    for provider, entry in _entry_points(registry.failures):
        label = f"{provider.name} {provider.version} ({entry.name})"
        providers[label] = provider
        try:
            plugin = entry.load()
            manager.register(plugin, name=label)
            manager.check_pending()  # raises for misspelt hooks, which would never be called
        except (Exception, SystemExit) as error:  # plugins may raise anything
            registry.failures[label] = f"{type(error).__name__}: {error}"
            if manager.has_plugin(label):
                manager.unregister(name=label)
    registry.add_presets(CONF, Provider("asdkit", __version__))
    hooks: list[tuple[Any, Callable[[Any, Provider], None]]] = [
        (manager.hook.asdkit_components, registry.add_all),
        (manager.hook.asdkit_presets, registry.add_presets),
    ]
    for hook, add in hooks:
        for implementation in hook.get_hookimpls():
            label = implementation.plugin_name
            try:
                add(implementation.function(), providers[label])
            except PluginError:
                raise
            except (Exception, SystemExit) as error:
                registry.failures[label] = f"{type(error).__name__}: {error}"
    return registry


def _entry_points(failures: dict[str, str]) -> list[tuple[Provider, EntryPoint]]:
    """The entry points of the group, asdkit's own first, each once, with their packages.

    Args:
        failures: Gets the packages of which this cannot be read; see `Registry.failures`.
    """
    found: dict[tuple[bool, str, str], tuple[Provider, EntryPoint]] = {}
    for distribution in distributions():
        try:
            entries = distribution.entry_points.select(group=hookspecs.PROJECT)
            provider = _provider(distribution) if entries else None
        except Exception as error:  # files of a package that was not wholly installed or removed
            place = getattr(distribution, "_path", distribution.locate_file(""))
            failures[str(place)] = f"{type(error).__name__}: {error}"
            continue
        for entry in entries:
            assert provider
            # An editable install can be listed twice.
            key = (provider.name != "asdkit", provider.name, entry.name)
            found.setdefault(key, (provider, entry))
    return [found[key] for key in sorted(found)]


def _provider(distribution: Distribution) -> Provider:
    """The package of a distribution.

    Raises:
        ValueError: It has no name or no version.
    """
    name, version = distribution.metadata["Name"], distribution.metadata["Version"]
    if not name or not version:
        raise ValueError("there are entry points for asdkit, but no METADATA with name and version")
    return Provider(name, version)


@cache
def registry() -> Registry:
    """The components of this installation, searched once, by one thread at a time."""
    with _finding:
        return load_registry()


_finding = RLock()
