"""Plugins of a single file, which an option names: `plugins=[my.py]`."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from . import hookspecs
from .component_checks import check_component
from .errors import ConfigError, PluginError, one_line
from .files import expanded
from .registry import Provider, Registry, registry

OPTION = "plugins"
"""The option that names the files."""
_SHOWN_DIGITS = 12
"""How much of a file's SHA-256 stands for its version."""


def load_plugin_files(paths: Any) -> None:
    """Add the components of Python files to those of this process; each file is read once.

    The files are run as any module is: they can do whatever the user can.

    Args:
        paths: A list of files, or None.

    Raises:
        ConfigError: It is no list of files, or one is not there.
        PluginError: A file fails, has no hook, or one of its components cannot be used or is
            called like one that there is.
    """
    if paths is None:
        return
    if not isinstance(paths, Sequence) or isinstance(paths, str):
        raise ConfigError(f"{OPTION} must be a list of files, got {paths!r}", "As in [my.py]")
    for path in paths:
        _load(expanded(str(path)).resolve(), registry())


def load_named_in(words: Iterable[str]) -> None:
    """Do the same for the files that the option names among overrides; see there for errors."""
    named = [word for word in words if word.partition("=")[0].lstrip("+") == OPTION]
    if not named:
        return
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    for word in named:
        try:
            value: Any = OverridesParser.create().parse_override(word).value()
        except HydraException as error:
            raise ConfigError(f"{word} cannot be understood", "As in plugins=[my.py]") from error
        load_plugin_files([str(one) for one in value] if isinstance(value, list) else value)


def used_files(keys: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """The path and the SHA-256 of the files that provide some of these components.

    Args:
        keys: Kind and name of each component.
    """
    found = registry()
    providers = {id(found.providers.get(key)) for key in keys}
    return [
        {"path": str(path), "sha256": digest}
        for path, (digest, provider) in found.files.items()
        if id(provider) in providers
    ]


def _load(path: Path, found: Registry) -> None:
    if path in found.files:
        return
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"The plugin {path} cannot be read: {error.strerror}",
            f"{OPTION} takes Python files, as in {OPTION}=[my.py]",
        ) from error
    digest = hashlib.sha256(content).hexdigest()
    provider = Provider(path.name, digest[:_SHOWN_DIGITS])
    try:
        module = _module(path, digest)
        manager = pluggy.PluginManager(hookspecs.PROJECT)
        manager.add_hookspecs(hookspecs)
        manager.register(module, name=path.name)
        manager.check_pending()  # raises for misspelt hooks, which would never be called
        components = _list_of(manager.hook.asdkit_components.get_hookimpls())
        for component in components:
            check_component(component)
        folders: list[Any] = [one.function() for one in manager.hook.asdkit_presets.get_hookimpls()]
    except (Exception, SystemExit) as error:  # a stranger's code can fail in any way
        raise PluginError(
            f"The plugin {path}{_line(error, path)} failed: {type(error).__name__}: "
            f"{one_line(str(error))}",
            "ASDKIT_DEBUG=1 shows where",
        ) from error
    if not components and not folders:
        raise PluginError(
            f"The plugin {path} has no hook of asdkit",
            "It needs a function asdkit_components with @asdkit.hookimpl; see docs/plugins.md",
        )
    for key in ((one.kind, one.name) for one in components):
        if key in found.providers:
            raise PluginError(
                f"{path} provides {'='.join(key)}, as {found.providers[key].name} does",
                "Choose another name for it",
            )
    found.add_all(components, provider)
    for folder in folders:
        found.add_presets(folder, provider)
    found.files[path] = (digest, provider)


def _module(path: Path, digest: str) -> ModuleType:
    """Run a file as a module; it is found by its name afterwards, as dataclasses need it."""
    name = f"asdkit_plugin_file_{digest[:_SHOWN_DIGITS]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("it is not called NAME.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _list_of(implementations: Iterable[Any]) -> list[Any]:
    """What the hook returns, as a list."""
    found: list[Any] = []
    for implementation in implementations:
        answer = implementation.function()
        if not isinstance(answer, Iterable):
            raise TypeError(f"asdkit_components must return a list, but returned {answer!r}")
        found += answer
    return found


def _line(error: BaseException, path: Path) -> str:
    """The line of the file where an error arose, as ", line 3,"; empty if it arose elsewhere."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f", line {error.lineno},"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame.lineno for frame in frames if frame.filename == str(path)]
    return f", line {own[-1]}," if own else ""
