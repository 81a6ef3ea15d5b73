"""Offers the preset folders of plugins and the user to Hydra, and checks presets when loaded.

A preset may hold only options: Hydra would also accept its own settings from any file, and some of
them name code to call. So every preset that is not asdkit's own is checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import yaml
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigLoadError, ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import Container, DictConfig, OmegaConf

from ..component import PRESET_KINDS, RUN_KINDS
from ..errors import ConfigError, one_line
from ..named_files import read_text_file
from ..plugin_files import OPTION
from ..registry import CONF, registry
from ..spelling import guess

MOST_BYTES = 1 << 20
"""Largest size of a preset."""
_FOR_HYDRA = ("hydra/launcher/", "hydra/sweeper/")
"""Settings of Hydra that are allowed, in the user's own folder only, as for a cluster."""
_HEADER = re.compile(r"\s*#\s*@package\s+(\S+)\s*$")
_CHOICE = re.compile(r"\w[\w-]*(@[\w.-]+)?")
"""A component, a preset of one, or a variant; see `core.config.variants`."""
_RESOLVER = re.compile(r"\$\{.*:", re.DOTALL)


@dataclass(frozen=True)
class _Offer:
    """What presets are checked against while Hydra composes an application.

    Attributes:
        app: The name of the application.
        keys: The valid top-level keys of its configuration.
        own: The user's folder of presets, if one was named.
    """

    app: str
    keys: tuple[str, ...]
    own: Path | None


_offer: ContextVar[_Offer | None] = ContextVar("offer", default=None)


@contextmanager
def offering(app: str, keys: Iterable[str], own: Path | None = None) -> Iterator[None]:
    """Let Hydra find presets while the block runs; other Hydra applications never see them.

    Args:
        app: The name of the application.
        keys: The valid top-level keys of its configuration.
        own: The user's folder of presets, if one was named.
    """
    for plugin in (PresetFolders, PresetSource):
        Plugins.instance().register(plugin)
    token = _offer.set(_Offer(app, tuple(keys), own))
    try:
        yield
    finally:
        _offer.reset(token)


class PresetFolders(SearchPathPlugin):
    """Adds the preset folders to Hydra's search path: asdkit's own first, the user's last."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Called by Hydra before it composes."""
        offer = _offer.get()
        if offer is None:
            return
        for folder in dict.fromkeys(file.parents[1] for file in registry().presets.values()):
            if folder != CONF:
                search_path.append("plugin", f"{PresetSource.scheme()}://{folder}")
        if offer.own is not None:
            search_path.append("command-line", f"{PresetSource.scheme()}://{offer.own}")


class PresetSource(ConfigSource):
    """A folder of presets, which are checked when loaded."""

    def __init__(self, provider: str, path: str) -> None:
        super().__init__(provider, path)
        offer = _offer.get()
        assert offer, "no other application's search path has such a folder"
        self._folder = Path(self.path)
        self._offer = offer

    @staticmethod
    def scheme() -> str:
        """The scheme of addresses of preset folders."""
        return "asdkit-presets"

    def load_config(self, config_path: str) -> ConfigResult:
        """Read a preset.

        Raises:
            ConfigError: The preset cannot be read, or holds anything but options.
        """
        file = self._file(config_path)
        if not file.is_file():
            raise ConfigLoadError(f"There is no {file}")
        package, config = _read(file)
        group, _, _ = config_path.rpartition("/")
        if not (self.provider == "command-line" and config_path.startswith(_FOR_HYDRA)):
            _Check(file, group, self._offer)(package, config)
        return ConfigResult(
            provider=self.provider,
            path=f"{self.scheme()}://{self.path}",
            config=config,
            header={"package": package},
        )

    def available(self) -> bool:
        """Whether the folder exists."""
        return self._folder.is_dir()

    def is_group(self, config_path: str) -> bool:
        """Whether the path is a folder of presets."""
        return (self._folder / config_path).is_dir()

    def is_config(self, config_path: str) -> bool:
        """Whether the path is a preset."""
        return self._file(config_path).is_file()

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """The names of the presets and folders in a folder."""
        found: list[str] = []
        for entry in (self._folder / config_path).iterdir():
            if entry.is_dir() or entry.suffix == ".yaml":
                path = f"{config_path}/{entry.name}"
                self._list_add_result(found, path, entry.name, results_filter)
        return sorted(set(found))

    def _file(self, config_path: str) -> Path:
        return self._folder / self._normalize_file_name(config_path)


def _read(file: Path) -> tuple[str | None, Container]:
    """Read a preset: the package named in its header, and its content.

    Raises:
        ConfigError: The preset cannot be read.
    """
    mend = "It should be a preset in YAML, as docs/plugins.md shows"
    try:
        text = read_text_file(file, MOST_BYTES)
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise ConfigError(f"The preset {file} holds references (*NAME)", mend)
        config = OmegaConf.create(text)
    except OSError as error:
        raise ConfigError(f"The preset {file} cannot be read: {error.strerror}", mend) from error
    except (ValueError, yaml.YAMLError, RecursionError, AssertionError) as error:
        said = (
            "it is nested too deep" if isinstance(error, RecursionError) else one_line(f"{error}")
        )
        raise ConfigError(f"The preset {file} cannot be read: {said}", mend) from error
    heads = (_HEADER.match(line) for line in text.splitlines() if line.lstrip().startswith("#"))
    return next((head[1] for head in heads if head), None), config


def first_comment(file: Path) -> str:
    """The first sentence of the comment at the head of a preset; empty if there is none."""
    try:
        lines = read_text_file(file, MOST_BYTES).splitlines()
    except (OSError, ValueError):
        return ""
    head = takewhile(lambda line: line.startswith("#"), lines)
    text = " ".join(line.lstrip("# ").strip() for line in head if not _HEADER.match(line))
    return one_line(re.split(r"(?<=[.:;])\s", text)[0].rstrip(".:;"))


class _Check:
    """Checks that a preset holds only options; errors name the file."""

    def __init__(self, file: Path, group: str, offer: _Offer) -> None:
        self._file = file
        self._group = group
        self._offer = offer

    def __call__(self, package: str | None, config: Container) -> None:
        """Check a preset.

        Args:
            package: The package named in its header.
            config: Its content.

        Raises:
            ConfigError: The preset holds anything but options.
        """
        if self._group not in PRESET_KINDS:
            self._refuse(f"lies in the folder {self._group or '.'}", "Presets lie in experiment/")
        if not isinstance(config, DictConfig):
            self._refuse("is no mapping", "It holds OPTION: VALUE, a line each")
        if self._group == "experiment" and package != "_global_":
            self._refuse("has not the head of an experiment", "It begins with: # @package _global_")
        if self._group != "experiment" and package not in (None, "_group_", self._group):
            self._refuse(f"is for another place ({package})", f"It holds options of {self._group}")
        content: Any = OmegaConf.to_container(config, resolve=False)
        defaults = content.pop("defaults", None) or []
        for item in defaults if isinstance(defaults, list) else [defaults]:
            self._check_default(item)
        if self._group == "experiment":
            for key in content:
                self._check_key(str(key))
        for text in _texts(content):
            if _RESOLVER.search(text):
                self._refuse(
                    f"holds {text!r}", "It may refer to options, as in ${segments.on}, to no more"
                )

    def _check_default(self, item: Any) -> None:
        """Check that a default chooses components or presets only."""
        pairs = item.items() if isinstance(item, dict) else [(self._group, item)]
        for key, value in pairs:
            words = str(key).split(" ")
            kind = words[-1].removeprefix("/")
            names: Sequence[Any] = value if isinstance(value, list) else [value]
            if (
                kind not in (*PRESET_KINDS, "writers")
                or not {"override", "optional"}.issuperset(words[:-1])
                or not all(name is None or _CHOICE.fullmatch(str(name)) for name in names)
            ):
                self._refuse(
                    f"chooses {key}: {value}" if isinstance(item, dict) else f"takes in {value}",
                    f"A preset chooses {', '.join(RUN_KINDS)}, dataset or writers",
                )

    def _check_key(self, key: str) -> None:
        """Check that a key is an option of the application."""
        if key == OPTION:
            self._refuse("names plugins to run", f"Name them on the command line: {OPTION}=[FILE]")
        if key == "hydra":
            self._refuse("sets hydra", "Settings of Hydra belong on the command line")
        if key not in self._offer.keys:
            self._refuse(
                f"sets {key}, which asd {self._offer.app} does not know",
                guess(key, self._offer.keys, f"There are {', '.join(self._offer.keys)}"),
            )

    def _refuse(self, what: str, hint: str) -> None:
        raise ConfigError(f"The preset {self._file} {what}", hint)


def _texts(value: Any) -> Iterator[str]:
    """All strings within plain values."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
