"""What a result was made of: versions, files of weights, devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import platform, python_version
from typing import Any

from .config.plan import AnalysisPlan
from .files import sha256
from .registry import registry
from .version import __version__

_LIBRARIES = [
    *("numpy", "opencv-python-headless", "av", "scenedetect-headless", "torch", "onnxruntime"),
    *("onnxruntime-gpu", "facenet-pytorch"),
]
"""Packages that results depend on, where they are installed."""


@dataclass(frozen=True)
class WeightsFile:
    """A file of weights that a component has read.

    Attributes:
        path: Where it is.
        sha256: Its SHA-256, in hexadecimal digits.
        size_bytes: Its size.
    """

    path: str
    sha256: str
    size_bytes: int

    @classmethod
    def at(cls, path: Path) -> WeightsFile:
        """The file at a path.

        Raises:
            OSError: It cannot be read.
        """
        return cls(str(path), sha256(path), path.stat().st_size)


def versions(plan: AnalysisPlan) -> dict[str, str]:
    """The versions of what a result depends on: package, to its version."""
    found = {"asdkit": __version__, "python": python_version(), "platform": platform()}
    for chosen in (*plan.chosen.values(), *plan.writers):
        component = chosen.component
        # One that was made by hand, in Python, comes from no package.
        if provider := registry().providers.get((component.kind, component.name)):
            found[provider.name] = provider.version
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def provenance(
    plan: AnalysisPlan, weights: Mapping[str, Sequence[WeightsFile]], devices: Mapping[str, str]
) -> dict[str, Any]:
    """What the settings do not tell of where a result comes from, as plain values.

    Args:
        plan: What was run.
        weights: The files of weights it used, by kind of component.
        devices: The device that each component took, by kind.
    """
    files = {kind: [asdict(file) for file in used] for kind, used in weights.items() if used}
    if path := plan.chosen["scorer"].calibration_path:
        files["calibration"] = [asdict(WeightsFile.at(path))]
    return {
        "versions": versions(plan),
        "devices": dict(devices),
        "weights": files,
        "folder": str(Path.cwd()),
    }
