"""From Hydra's configuration to a checked plan of what to run."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_origin, get_type_hints

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from ..component import RUN_KINDS, Component, Context
from ..decisions.segments import SegmentsConfig, SpeechConfig
from ..errors import ConfigError
from ..files import expanded
from ..media.container import MAX_PIXELS, Reading
from ..registry import registry
from ..types import Clip, Scores
from .compose import compose_app
from .refusals import explained
from .schemas import CALIBRATION, SHIPPED, App, literal, names, offer, twin

if TYPE_CHECKING:
    from ..contracts import Scorer
    from ..decisions.calibration import Calibration

_log = logging.getLogger(__name__)


def check_device_name(device: str) -> None:
    """Refuse what is not the name of a device.

    Raises:
        ValueError: It is none.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
        raise ValueError(f"device must be auto, cpu, cuda or cuda:N, got {device}")


@dataclass(frozen=True, kw_only=True)
class AnalysisOptions:
    """What holds for every video alike and belongs to no component.

    Attributes:
        allow_silent: Go on without sound: every face is scored against silence.
        video_track: Number of the picture's track among the file's video tracks, from 0; chosen
            if not given.
        sound_track: Number of the sound's track among the sound tracks of its file, from 0; chosen
            if not given.
        program: Number of a programme, as the file gives it, to take picture and sound from.
        rotate: auto turns the picture as the file says; 0, 90, 180 or 270 turns what is stored by
            so many degrees, clockwise.
        max_pixels: Pictures of more pixels are refused.
        device: auto, cpu, cuda or cuda:N.
        threads: CPU threads a library may use; its own choice if not given.
        seed: What random numbers begin with, for components that draw some; asdkit's own do not.
        detect_every: Look for faces on every so many grid frames; the tracker fills the others.
        max_faces: Most faces of a frame that are followed: those the detector is surest of.
        batch_frames: Most frames handed to the detector at once; fewer of large pictures.
        crop_scale: How much wider than the face the crop is, on the left, the right and below.
        embed_every: Embed every so many faces of a track, if there is an embedder.
        identities: A folder of named portraits: NAME.jpg, or folders NAME of several pictures;
            needs an embedder. Whoever looks like none of them is called person_0 and so on.
        identity_distance: Tracks whose embeddings are this close on average are one person:
            cosine distance, from 0 (all alike) to 2.
        segments: When a face counts as speaking.
        speech: When the sound counts as speech, if there is voice activity detection.
    """

    allow_silent: bool = False
    video_track: int | None = None
    sound_track: int | None = None
    program: int | None = None
    rotate: str = "auto"
    max_pixels: int = MAX_PIXELS
    device: str = "auto"
    threads: int | None = None
    seed: int = 0
    detect_every: int = 1
    max_faces: int = 100
    batch_frames: int = 8
    crop_scale: float = 0.4
    embed_every: int = 25
    identities: str | None = None
    identity_distance: float = 0.5
    segments: SegmentsConfig = field(default_factory=SegmentsConfig)
    speech: SpeechConfig = field(default_factory=SpeechConfig)

    def __post_init__(self) -> None:
        check_device_name(self.device)
        Reading.of(vars(self))
        for name in ("threads", "detect_every", "max_faces", "batch_frames", "embed_every"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"seed must be from 0 to 2**32 - 1, got {self.seed}")
        if self.crop_scale < 0:
            raise ValueError(f"crop_scale must not be negative, got {self.crop_scale}")
        if self.identities == "":
            raise ValueError("identities names no folder")
        if not 0 <= self.identity_distance <= 2:
            raise ValueError(f"identity_distance must be from 0 to 2, got {self.identity_distance}")


@dataclass(frozen=True, kw_only=True)
class Options(AnalysisOptions):
    """The options of a run that belong to no component.

    Attributes:
        video: The video file.
        sound: Another file to take the sound from; it starts with the picture.
        output: Folder for the results; asd_results/NAME-OF-THE-VIDEO if not given.
        overwrite: Replace results that are already in the output folder.
        resume: Go on with what a run into the same folder has found before it was stopped.
        start_s: Process from this second of the video on.
        end_s: Process up to this second, excluded; to the end if not given.
    """

    video: str
    sound: str | None = None
    output: str | None = None
    overwrite: bool = False
    resume: bool = False
    start_s: float = 0.0
    end_s: float | None = None

    def __post_init__(self) -> None:
        if self.start_s < 0:
            raise ValueError(f"start_s must not be negative, got {self.start_s}")
        if self.end_s is not None and self.end_s <= self.start_s:
            raise ValueError(
                f"end_s must be after start_s, got start_s={self.start_s} and end_s={self.end_s}"
            )
        super().__post_init__()


@dataclass(frozen=True)
class Chosen:
    """A component and the parameters it was chosen with.

    Attributes:
        component: The component.
        config: Its parameters, an instance of `component.config`.
        calibration: Scorers only: what corrects its probabilities, if anything.
        calibration_path: The file that the calibration stands in.
    """

    component: Component
    config: Any
    calibration: Calibration | None = None
    calibration_path: Path | None = None

    def build(self, context: Context) -> Any:
        """Make it; a calibration is applied to what it answers, later and elsewhere."""
        return self.component.build(self.config, context)


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


_ABOUT = """\
asd run FILE [OPTION=VALUE ...]

Finds the faces of a video, follows them, and says of each in every frame how likely it is the one
speaking. The file is a plain argument, whatever its name holds; or video=FILE, for sweeps.

The values are those of this very command line. To see the parameters of another component choose
it, as in: asd run detector=yunet --help
"""
RUN = App("run", Options, RUN_KINDS, _ABOUT, writers=True)


def compose_run(overrides: Iterable[str], video: str | None = None) -> DictConfig:
    """Compose the configuration of a run.

    Raises:
        ConfigError: An override does not fit.
    """
    return compose_app(RUN, overrides, video)


def settings_of(app: App, config: DictConfig) -> dict[str, Any]:
    """What was composed, as plain values.

    Raises:
        ConfigError: A value is missing, or there is no such key.
    """
    try:
        settings = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except (OmegaConfBaseException, RecursionError) as error:
        raise explained(error) from error
    if not isinstance(settings, dict):
        raise TypeError(f"the configuration is a {type(settings).__name__}")
    values = {str(key): value for key, value in settings.items()}
    for key in values:
        if key not in app.keys:
            raise ConfigError(f"There is no option {key}", offer(app.keys))
    for key in app.keys:
        if key not in values:  # deleted, by ~KEY
            raise ConfigError(f"{key} is not set", f"Set it, as in: {key}=VALUE")
    return values


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


def make_options(options: type, settings: Mapping[str, Any]) -> Any:
    """The options of an application that runs videos, from its settings.

    Raises:
        ConfigError: A value is out of range.
    """
    own = {name: settings[name] for name in names(options)}
    own["segments"] = make(SegmentsConfig, own["segments"], "segments")
    own["speech"] = make(SpeechConfig, own["speech"], "speech")
    return make(options, own)


def load(
    kind: str, name: str, *, device: str = "auto", threads: int | None = None, **parameters: Any
) -> Any:
    """Make one component, to use on its own.

    Args:
        kind: One of `asdkit.core.component.KINDS`, such as "detector".
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
    chosen = choose(kind, {**parameters, "name": name})
    part = chosen.build(Context(device, threads))
    return _Calibrated(part, chosen.calibration) if chosen.calibration else part


class _Calibrated:
    """A scorer whose probabilities are corrected."""

    def __init__(self, scorer: Scorer, calibration: Calibration) -> None:
        self._scorer = scorer
        self._calibration = calibration
        if hasattr(scorer, "device"):
            self.device = scorer.device

    def score(self, clips: Sequence[Clip]) -> list[Scores]:
        """See `core.contracts.Scorer`."""
        return [
            Scores(self._calibration.apply(scores.logits)) for scores in self._scorer.score(clips)
        ]


def _read_calibration(path: Path, scorer: str, config: Any) -> Calibration:
    """A calibration that fits the scorer; a warning if it was fitted with other parameters.

    Raises:
        ConfigError: It is none, or one of another scorer.
    """
    from ..decisions.calibration import Calibration

    calibration = Calibration.read(path)
    weights = getattr(config, "weights", None)
    if calibration.scorer != scorer:
        raise ConfigError(
            f"scorer.calibration: {path} was fitted on scorer={calibration.scorer}, not {scorer}",
            f"Fit one with: asd calibrate scorer={scorer} dataset=NAME",
        )
    if calibration.weights != weights:
        _log.warning(
            "%s was fitted with scorer.weights=%s, not %s; unless these are the same, its "
            "probabilities are off",
            path,
            calibration.weights,
            weights,
        )
    elif not calibration.has_windows_of(config):
        _log.warning(
            "%s was fitted with scorer.window_seconds=%s, so its probabilities are off",
            path,
            list(calibration.window_seconds or ()),
        )
    return calibration


def _shipped(path: Path | None, config: Any) -> tuple[Calibration | None, Path | None]:
    """The calibration that ships, and its file, if it was fitted with these windows."""
    from ..decisions.calibration import Calibration

    calibration = Calibration.read(path) if path else None
    if calibration and calibration.has_windows_of(config):
        return calibration, path
    return None, None


def choose(kind: str, node: Any, key: str = "") -> Chosen:
    """The component that a node of the configuration names, with its parameters.

    Args:
        kind: Kind of component.
        node: The component's `name` and its parameters, as plain values.
        key: Key of the node, if it is not the kind.

    Raises:
        ConfigError: No name, or a parameter that is unknown or out of range.
        PluginError: There is no such component.
    """
    key = key or kind
    if not isinstance(node, dict) or not isinstance(node.get("name"), str):
        raise ConfigError(f"{key} names no component", f"Choose one, as in {kind}=NAME")
    component = registry().find(kind, node["name"])
    parameters = {name: value for name, value in node.items() if name != "name"}
    file = parameters.pop(CALIBRATION, SHIPPED) if kind == "scorer" else None
    if file is not None and not isinstance(file, str):
        raise ConfigError(f"{key}.{CALIBRATION} must be the path of a file, got {file!r}")
    for name in parameters:
        if name not in names(component.config):
            raise ConfigError(
                f"There is no option {key}.{name} with {kind}={component.name}",
                offer(names(component.config)),
            )
    config, shipped = make(component.config, parameters, key), None
    if component.settle:
        config, shipped = component.settle(config)
    if file == SHIPPED:
        return Chosen(component, config, *_shipped(shipped, config))
    if file is None:
        return Chosen(component, config)
    path = expanded(file)
    return Chosen(component, config, _read_calibration(path, component.name, config), path)


def make(config: type, values: Mapping[str, Any], key: str = "") -> Any:
    """An instance of a config dataclass; what it refuses is named with its full key.

    Args:
        config: The dataclass.
        values: Plain values, taken as they stand; and instances of dataclasses.
        key: Key of its node.

    Raises:
        ConfigError: A value is missing, of the wrong type or out of range.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{key} has the options {', '.join(names(config))}, got {values!r}")
    own = {name: value for name, value in values.items() if is_dataclass(value)}
    typed = _typed(config, {k: v for k, v in values.items() if k not in own}, key)
    hints = get_type_hints(config)
    for name, value in typed.items():
        if any(isinstance(one, float) and math.isnan(one) for one in (value, *_items(value))):
            raise ConfigError(f"{key}.{name}: nan is not a number" if key else f"{name} is nan")
    try:
        return config(
            **own,
            **{
                name: tuple(value) if get_origin(hints[name]) is tuple else value
                for name, value in typed.items()
            },
        )
    except ValueError as error:
        raise ConfigError(f"{key}.{error}" if key else str(error)) from error


def _typed(config: type, values: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Values in the types of a dataclass: 1 becomes 1.0 where a float belongs."""
    try:
        merged = OmegaConf.merge(OmegaConf.structured(_schema(config)), literal(values))
        found: Any = OmegaConf.to_container(merged, resolve=True, throw_on_missing=True)
    except (OmegaConfBaseException, ArithmeticError, RecursionError) as error:
        raise explained(error, key) from error
    return {name: found[name] for name in values}


@cache
def _schema(config: type) -> type:
    """A dataclass as OmegaConf may fill it."""
    return twin(config.__name__, config)


def _items(value: Any) -> Iterable[Any]:
    """The items of a list or tuple."""
    return value if isinstance(value, (list, tuple)) else ()
