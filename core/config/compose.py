"""Composes configurations with Hydra without changing Hydra's process-wide state.

A caller may be a Hydra application itself, and may compose in any number of threads. So each
composition has its own loader and ConfigStore, and Hydra's singletons stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from hydra import version

# Hydra's public functions compose only with GlobalHydra, a singleton of the process.
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.core.singleton import Singleton
from hydra.core.utils import JobRuntime
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from ..component import RUN_KINDS
from ..errors import AsdError, ConfigError
from ..plugin_files import OPTION, load_named_in
from ..registry import registry
from .options import Options
from .presets import offering
from .refusals import explained, no_option
from .schemas import App, chosen_writers, store_of
from .variants import check_variants, store_with_variants

_ABOUT = """\
asd run FILE [OPTION=VALUE ...]

Finds the faces of a video, follows them, and says of each in every frame how likely it is the one
speaking. The file is a plain argument, whatever its name holds; or video=FILE, for sweeps.

The values are those of this very command line. To see the parameters of another component choose
it, as in: asd run detector=yunet --help
"""
RUN = App("run", Options, RUN_KINDS, _ABOUT, writers=True)

CONFIG_MODULE = "asdkit.conf"
VERSION_BASE = "1.3"
"""Hydra's version_base for the files in conf/."""
_OLDEST_BASE = "1.2"
"""The oldest version_base with the same rules for these files."""
_composing = RLock()
"""Guards Hydra's parser, plugins and version_base, which are shared by the whole process."""
_application = RLock()
"""Only one Hydra application can run in a process at a time."""


def compose_app(
    app: App, overrides: Iterable[str], video: str | None = None, presets: Path | None = None
) -> DictConfig:
    """Compose the configuration of an application; safe in any number of threads.

    Args:
        app: The application.
        overrides: Options as on the command line.
        video: The video, if it was named as a plain argument; its name may hold any character.
        presets: A folder of presets, besides those of installed packages.

    Raises:
        ConfigError: An override is invalid.
        PluginError: There is no such component or preset.
    """
    words = list(overrides)
    check_overrides(app, words)
    if OPTION in app.keys:
        load_named_in(words)
    with _composing, _rules(), offering(app.name, app.keys, presets):
        try:
            loader = ConfigLoaderImpl(create_config_search_path(f"pkg://{CONFIG_MODULE}"))
            schema = loader.repository.get_schema_source()
            store = store_with_variants(store_of(app, registry(), video), registry())
            schema.store = store  # type: ignore[attr-defined]
            config = loader.load_configuration(app.name, words, RunMode.RUN, from_shell=False)
        except AsdError:
            raise
        except Exception as error:  # only Hydra's code runs here, and any override may break it
            raise explained(error, app=app) from error
    with open_dict(config):
        del config["hydra"]
    return config


def check_overrides(app: App, words: Iterable[str]) -> None:
    """Check overrides before Hydra parses them.

    Raises:
        ConfigError: An override is not text, chooses no component or an experiment where there is
            none, adds a folder of configuration files, which would not be checked, or chooses a
            variant that cannot be; see `core.config.variants`.
    """
    words = list(words)
    for word in words:
        if not isinstance(word, str):
            raise ConfigError(f"An override must be text such as device=cpu, got {word!r}")
        key, equals, value = word.partition("=")
        if key in app.kinds and equals and value.strip().lower() in ("", "null"):
            raise ConfigError(
                f"{word} names no component", f"There are {', '.join(registry().choices(key))}"
            )
        bare = key.lstrip("+~")
        if bare == "experiment" and bare not in app.offered:
            raise no_option(bare, app.offered)
        if bare.startswith("hydra.searchpath"):
            raise ConfigError(
                "hydra.searchpath cannot be set", "Name a folder of presets with --config-dir"
            )
    check_variants(app, words)


@contextmanager
def alone(app: App, video: str | None = None, presets: Path | None = None) -> Iterator[ConfigStore]:
    """Set Hydra's singletons aside for an application; restore them at the end.

    So a Hydra application already running in this process goes on unchanged. Applications in
    several threads wait for each other.

    Args:
        app: The application.
        video: The video, if it was named as a plain argument.
        presets: A folder of presets, besides those of installed packages.

    Yields:
        The ConfigStore that the application will use.
    """
    with _composing:
        Plugins.instance()  # finds Hydra's plugins, on the first call
    with _application, offering(app.name, app.keys, presets):
        store = store_with_variants(store_of(app, registry(), video), registry())
        there: dict[type, Any] = Singleton._instances
        own = (GlobalHydra, HydraConfig, JobRuntime, version.VersionBase, ConfigStore)
        before: dict[type, Any] = {kind: there.pop(kind) for kind in own if kind in there}
        there[ConfigStore] = store
        try:
            yield store
        finally:
            for kind in own:
                there.pop(kind, None)
            there.update(before)


@contextmanager
def _rules() -> Iterator[None]:
    """Use the version_base of the files in conf/ while the block runs, then the caller's again."""
    base = version.VersionBase.instance()
    before = base.version_base
    if not version.base_at_least(_OLDEST_BASE):
        version.setbase(VERSION_BASE)
    try:
        yield
    finally:
        base.version_base = before


def compose_run(overrides: Iterable[str], video: str | None = None) -> DictConfig:
    """Compose the configuration of a run.

    Raises:
        ConfigError: An override is invalid.
    """
    return compose_app(RUN, overrides, video)


def node_of(kind: str, name: str) -> dict[str, Any]:
    """The name and parameters, as plain values, of a component by its own name or a preset's.

    Raises:
        ConfigError: The preset is not usable.
        PluginError: There is no such component or preset.
    """
    if (kind, name) not in registry().presets:
        return {"name": name}
    settings = settings_of(RUN, compose_run([f"{kind}={name}"], "-"))
    return dict(settings[kind])


def settings_of(app: App, config: DictConfig) -> dict[str, Any]:
    """A composed configuration as plain values.

    Raises:
        ConfigError: A value is missing, or a key is unknown.
    """
    try:
        settings = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except (OmegaConfBaseException, RecursionError) as error:
        raise explained(error, app=app) from error
    if not isinstance(settings, dict):
        raise TypeError(f"the configuration is a {type(settings).__name__}")
    values = {str(key): value for key, value in settings.items()}
    if isinstance(values.get("writers"), dict):
        values["writers"] = chosen_writers(values["writers"])
    for key in values:
        if key not in app.keys:
            raise no_option(key, app.offered)
    for key in app.keys:
        if key not in values:  # deleted with ~KEY
            raise ConfigError(f"{key} is not set", f"Set it, as in: {key}=VALUE")
    return values
