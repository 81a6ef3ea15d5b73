"""From Hydra's configuration to a checked plan of what to run.

The dataclasses are the one home of names, types and defaults: those of the options stand here,
those of each component beside it. Before Hydra composes, all of them enter its ConfigStore, so
that a stranger's component is chosen and overridden as one of asdkit's own.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING as NO_DEFAULT
from dataclasses import dataclass, field
from typing import Any, get_origin, get_type_hints

from hydra import compose, initialize_config_module
from hydra.core.config_store import ConfigStore
from hydra.errors import HydraException
from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from .components import KINDS, Component, Context, Registry, registry
from .errors import AsdError, ConfigError, PluginError
from .segments import SegmentsConfig

CONFIG_MODULE = "asdkit.conf"
CHOSEN_KINDS = tuple(kind for kind in KINDS if kind != "writer")
_DEVICE = re.compile(r"auto|cpu|cuda(:\d+)?")


@dataclass(frozen=True)
class Options:
    """The options of a run that belong to no component.

    Attributes:
        video: The video file.
        sound: Another file to take the sound from; it starts with the picture.
        output: Folder for the results; asd_results/NAME-OF-THE-VIDEO if not given.
        overwrite: Replace results that are already in the output folder.
        start_s: Process from this second of the video on.
        end_s: Process up to this second, excluded; to the end if not given.
        allow_silent: Go on without sound: every face is scored against silence.
        device: auto, cpu, cuda or cuda:N.
        threads: CPU threads a library may use; its own choice if not given.
        detect_every: Look for faces on every so many grid frames; the tracker fills the others.
        batch_frames: Frames handed to the detector at once.
        crop_scale: How much wider than the face the crop is, on the left, the right and below.
        segments: When a face counts as speaking.
    """

    video: str
    sound: str | None = None
    output: str | None = None
    overwrite: bool = False
    start_s: float = 0.0
    end_s: float | None = None
    allow_silent: bool = False
    device: str = "auto"
    threads: int | None = None
    detect_every: int = 1
    batch_frames: int = 8
    crop_scale: float = 0.4
    segments: SegmentsConfig = field(default_factory=SegmentsConfig)

    def __post_init__(self) -> None:
        if self.start_s < 0:
            raise ValueError(f"start_s must not be negative, got {self.start_s}")
        if self.end_s is not None and self.end_s <= self.start_s:
            raise ValueError(
                f"end_s must be after start_s, got start_s={self.start_s} and end_s={self.end_s}"
            )
        if not _DEVICE.fullmatch(self.device):
            raise ValueError(f"device must be auto, cpu, cuda or cuda:N, got {self.device}")
        for name in ("threads", "detect_every", "batch_frames"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if self.crop_scale < 0:
            raise ValueError(f"crop_scale must not be negative, got {self.crop_scale}")


@dataclass(frozen=True)
class Chosen:
    """A component and the parameters it was chosen with."""

    component: Component
    config: Any

    def build(self, context: Context) -> Any:
        """Make it."""
        return self.component.build(self.config, context)


@dataclass(frozen=True)
class Plan:
    """Everything a run is made of.

    Attributes:
        options: The options that belong to no component.
        chosen: The component of each kind but the writer.
        writers: The writers, in the order chosen.
        settings: All of it as plain values, as the result records it.
    """

    options: Options
    chosen: Mapping[str, Chosen]
    writers: tuple[Chosen, ...]
    settings: Mapping[str, Any]


def _schema_fields(config: type) -> list[tuple[str, Any, Any]]:
    """The fields of a dataclass for a twin that Hydra may override.

    A frozen dataclass would be read-only to it. Its errors tell no more than the name of the
    twin, by which `explained` finds what it offers.
    """
    hints = get_type_hints(config)
    fields: list[tuple[str, Any, Any]] = []
    for entry in dataclasses.fields(config):
        kind = hints[entry.name]
        if dataclasses.is_dataclass(kind) and isinstance(kind, type):
            kind = dataclasses.make_dataclass(entry.name, _schema_fields(kind))
            fields.append((entry.name, kind, field(default_factory=kind)))
        elif entry.default_factory is not NO_DEFAULT:
            fields.append((entry.name, kind, field(default_factory=entry.default_factory)))
        else:
            default = MISSING if entry.default is NO_DEFAULT else entry.default
            fields.append((entry.name, kind, field(default=default)))
    return fields


def _component_schema(component: Component) -> type:
    chosen = ("name", str, field(default=component.name))
    label = f"{component.kind}={component.name}"
    return dataclasses.make_dataclass(label, [chosen, *_schema_fields(component.config)])


def install(found: Registry, video: str | None = None) -> None:
    """Put the schemas of all options and components into Hydra's ConfigStore.

    Args:
        found: The components.
        video: The video, if it is already known; its name may hold anything.
    """
    store = ConfigStore.instance()
    choices: list[tuple[str, Any, Any]] = []
    choices += [(kind, Any, field(default=MISSING)) for kind in CHOSEN_KINDS]
    choices.append(("writers", Any, field(default_factory=dict)))
    schema = OmegaConf.structured(
        dataclasses.make_dataclass("options", [*_schema_fields(Options), *choices])
    )
    if video is not None:
        # OmegaConf would take ${...} for a reference and ??? for a missing value.
        escaped = re.sub(r"(\\*)\$\{", lambda match: match[1] * 2 + r"\${", video)
        schema.video = "./???" if video == "???" else escaped
    store.store(name="run_schema", node=schema, provider="asdkit")
    for (kind, name), component in found.components.items():
        group = "writers" if kind == "writer" else kind
        package = f"writers.{name}" if kind == "writer" else None
        store.store(
            group=group,
            name=name,
            node=_component_schema(component),
            package=package,
            provider=found.providers[kind, name].name,
        )


def compose_run(overrides: Iterable[str], video: str | None = None) -> DictConfig:
    """Compose the configuration of a run, as the command line does.

    Raises:
        ConfigError: An override does not fit.
    """
    install(registry(), video)
    try:
        with initialize_config_module(CONFIG_MODULE, version_base="1.3"):
            return compose("run", list(overrides))
    except (HydraException, OmegaConfBaseException) as error:
        raise explained(error) from error


def make_plan(config: DictConfig) -> Plan:
    """Check a composed configuration and find its components.

    Raises:
        ConfigError: A value is missing or out of range.
        PluginError: A component is not there.
    """
    try:
        settings = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise explained(error) from error
    if not isinstance(settings, dict):
        raise TypeError(f"the configuration is a {type(settings).__name__}")
    values = {str(key): value for key, value in settings.items()}
    for key in values:
        if key not in _option_names():
            raise ConfigError(f"There is no option {key}", _offer(_option_names()))
    chosen = {kind: _chosen(kind, kind, values[kind]) for kind in CHOSEN_KINDS}
    writers = tuple(
        _chosen("writer", f"writers.{name}", node) for name, node in values["writers"].items()
    )
    own = {entry.name: values[entry.name] for entry in dataclasses.fields(Options)}
    own["segments"] = _made(SegmentsConfig, own["segments"], "segments")
    return Plan(_made(Options, own, ""), chosen, writers, values)


def load(
    kind: str, name: str, *, device: str = "auto", threads: int | None = None, **parameters: Any
) -> Any:
    """Make one component, to use on its own.

    Args:
        kind: "cutter", "detector", "tracker", "scorer" or "writer".
        name: Its name, as `asd plugins` lists it.
        device: "auto", "cpu", "cuda" or "cuda:N".
        threads: CPU threads it may use; None for the library's own choice.
        **parameters: Its parameters; the defaults are those of its config dataclass.

    Returns:
        The component; see `asdkit.core.contracts` for its methods.

    Raises:
        PluginError: There is no such component.
        ConfigError: A parameter is unknown, of the wrong type or out of range.

    Example:
        >>> detector = asdkit.load("detector", "mtcnn", min_face_px=40)
        >>> faces = detector.detect(frames, indices=[0, 1, 2])
    """
    component = registry().find(kind, name)
    try:
        merged = OmegaConf.merge(OmegaConf.structured(_component_schema(component)), parameters)
        values = OmegaConf.to_container(merged, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise explained(error) from error
    return _chosen(kind, kind, values).build(Context(device, threads))


def _chosen(kind: str, key: str, node: Any) -> Chosen:
    if not isinstance(node, dict) or "name" not in node:
        raise ConfigError(f"{key} names no component", f"Choose one, as in {kind}=NAME")
    component = registry().find(kind, node["name"])
    parameters = {name: value for name, value in node.items() if name != "name"}
    for name in parameters:
        if name not in _names(component.config):
            raise ConfigError(
                f"There is no option {key}.{name} with {kind}={component.name}",
                _offer(_names(component.config)),
            )
    return Chosen(component, _made(component.config, parameters, key))


def _made(config: type, values: Mapping[str, Any], key: str) -> Any:
    """An instance of a config dataclass; what it refuses is named with its full key."""
    hints = get_type_hints(config)
    try:
        return config(
            **{
                name: tuple(value) if get_origin(hints[name]) is tuple else value
                for name, value in values.items()
            }
        )
    except ValueError as error:
        raise ConfigError(f"{key}.{error}" if key else str(error)) from error


def _names(config: type) -> list[str]:
    return [entry.name for entry in dataclasses.fields(config)]


def _option_names() -> list[str]:
    return [*_names(Options), *CHOSEN_KINDS, "writers"]


def _offer(names: list[str]) -> str:
    return f"There are {', '.join(names)}" if names else "It has no parameters"


def explained(error: Exception) -> AsdError:
    """The user's words for what Hydra or OmegaConf refused."""
    text = " ".join(str(error).split())
    if choice := re.search(r"Could not (?:find|load) '(\w+)/([^']*)'", text):
        group, name = choice[1].removesuffix("s"), choice[2]
        offered = re.search(r"Available options in '[^']*':((?: \S+)+?)(?: Config search|$)", text)
        names = offered[1].split() if offered else [c.name for c in registry().of_kind(group)]
        return PluginError(
            f"There is no {group} {name!r}; there are {', '.join(names)}",
            registry().failure_hint(),
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
            _offer(_names_of_schema(unknown[2] or "")),
        )
    if full_key and value:
        return ConfigError(f"{full_key[1]}: {value[1]}")
    if isinstance(cause := error.__cause__, HydraException | OmegaConfBaseException):
        return explained(cause)
    return ConfigError(text)


def _names_of_schema(name: str) -> list[str]:
    kind, _, choice = name.partition("=")
    if component := registry().components.get((kind, choice)):
        return _names(component.config)
    return _names(SegmentsConfig) if name == "segments" else _option_names()
