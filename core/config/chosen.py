"""Finds the component that a configuration node names, with its parameters and calibration."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..component import Component, Context
from ..errors import ConfigError
from ..files import expanded
from ..registry import registry
from ..spelling import guess
from .schemas import CALIBRATION, SHIPPED, names, offer
from .values import make

if TYPE_CHECKING:
    from ..decisions.calibration import Calibration

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chosen:
    """A component and the parameters it was chosen with.

    Attributes:
        component: The component.
        config: Its parameters, an instance of `component.config`.
        calibration: Scorers only: the calibration of its probabilities, if any.
        calibration_path: The file of the calibration.
    """

    component: Component
    config: Any
    calibration: Calibration | None = None
    calibration_path: Path | None = None

    def build(self, context: Context) -> Any:
        """Build the component. Its calibration is applied later, in `pipeline.concluded`."""
        return self.component.build(self.config, context)


def _read_calibration(path: Path, scorer: str, config: Any) -> Calibration:
    """Read the calibration of a scorer; warn if it was fitted with other parameters.

    Raises:
        ConfigError: The file is not a calibration, or of another scorer.
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
    """The shipped calibration and its file, if it was fitted with the configured windows."""
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
                guess(name, names(component.config), offer(names(component.config))),
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
