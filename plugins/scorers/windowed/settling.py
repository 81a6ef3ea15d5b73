"""The settings that depend on the weights: window lengths, and calibrations shipped for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ....core.bundle import MANIFEST, Bundle
from ....core.component import Settled
from ....core.errors import AsdError
from ....core.files import expanded
from ....core.weights import Weights, is_published
from .config import SIX, WindowedConfig
from .model import Model


def settled(model: Model, config: WindowedConfig) -> Settled:
    """Fill in the window lengths, and find the calibrations; see `Component.settle`."""
    name = published_name(model, config.weights)
    return Settled(
        replace(config, window_seconds=list(windows_of(model, config))),
        tuple(sorted(model.folder.glob(f"{name}.*calibration.json"))) if name else (),
    )


def windows_of(model: Model, config: WindowedConfig) -> Sequence[int]:
    """Window lengths in seconds: as configured, or else the best for the weights."""
    if config.window_seconds is not None:
        return config.window_seconds
    return model.windows.get(published_name(model, config.weights) or "", SIX)


def published_name(model: Model, weights: str) -> str | None:
    """The name of published weights, given that name or the path of a checkpoint or bundle of them.

    None for other weights, for unreadable files, and for files that do not name their weights,
    such as a bare ONNX model.
    """
    if weights in model.published:
        return weights
    try:
        path = expanded(weights)
        if (path / MANIFEST).is_file():
            return _of_bundle(model, Bundle(path))
        return next((n for n, one in model.published.items() if is_published(one, path)), None)
    except (OSError, AsdError):
        return None


def _of_bundle(model: Model, bundle: Bundle) -> str | None:
    """The name of the published weights that a bundle was made from; None for other weights."""
    made_of = bundle.manifest["weights"]
    if bundle.manifest["model"] != model.name:
        return None
    if made_of["name"] in model.published:
        return str(made_of["name"])
    return next((n for n, one in model.published.items() if _is(one, made_of["sha256"])), None)


def _is(weights: Weights, sha256: str) -> bool:
    return weights.check == f"sha256:{sha256}"
