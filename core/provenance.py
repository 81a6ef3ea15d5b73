"""The provenance of a result: versions, weights files, devices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import platform, python_version
from typing import Any

from .config.chosen import Chosen
from .config.plan import AnalysisPlan
from .files import sha256
from .plugin_files import used_files
from .registry import registry
from .version import __version__

_LIBRARIES = [
    *("numpy", "opencv-python-headless", "av", "scenedetect-headless", "torch", "onnxruntime"),
    *("onnxruntime-gpu", "facenet-pytorch"),
]
"""Packages that results depend on, if installed."""


@dataclass(frozen=True)
class WeightsFile:
    """A weights file that a component has read.

    Attributes:
        path: Its path.
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
            OSError: The file cannot be read.
        """
        return cls(str(path), sha256(path), path.stat().st_size)


def versions(plan: AnalysisPlan) -> dict[str, str]:
    """By package: the version of everything a result depends on."""
    return versions_of([*plan.chosen.values(), *plan.writers])


def versions_of(used: Iterable[Chosen], libraries: Iterable[str] = ()) -> dict[str, str]:
    """By package: the version of asdkit, of all that provides these components, and of libraries.

    Args:
        used: The components.
        libraries: More packages, if they are installed, than those that any result depends on.
    """
    found = {"asdkit": __version__, "python": python_version(), "platform": platform()}
    for component in (one.component for chosen in used for one in chosen.whole()):
        # A component created in Python code has no package.
        if provider := registry().providers.get((component.kind, component.name)):
            found[provider.name] = provider.version
    for name in (*_LIBRARIES, *libraries):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def provenance(
    plan: AnalysisPlan, weights: Mapping[str, Sequence[WeightsFile]], devices: Mapping[str, str]
) -> dict[str, Any]:
    """The origin of a result besides its settings, as plain values.

    Args:
        plan: The plan that was run.
        weights: By kind of component: the weights files used.
        devices: By kind of component: the device used.
    """
    files = {kind: [asdict(file) for file in used] for kind, used in weights.items() if used}
    if path := plan.chosen["scorer"].calibration_path:
        files["calibration"] = [asdict(WeightsFile.at(path))]
    chosen = [one for top in (*plan.chosen.values(), *plan.writers) for one in (top, *top.members)]
    own = used_files((one.component.kind, one.component.name) for one in chosen)
    return {
        "versions": versions(plan),
        "devices": dict(devices),
        "weights": files,
        **({"plugin_files": own} if own else {}),
        "folder": str(Path.cwd()),
    }
