"""Looks at Python, the packages that asdkit requires, its extras and its plugins."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import (
    PackageNotFoundError,
    metadata,
    packages_distributions,
    requires,
    version,
)
from typing import TYPE_CHECKING

from ..errors import PluginError, one_line
from ..installation import install_words
from ..registry import registry
from ..version import __version__
from .finding import Finding

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_FOR = {
    "cpu": "networks by ONNX Runtime on CPUs",
    "gpu": "networks by ONNX Runtime on NVIDIA GPUs",
    "torch": "networks by PyTorch, and asd export",
    "trackers": "the trackers bytetrack, ocsort and cbiou",
    "silero": "voice activity detection by vad=silero",
    "demo": "asd demo",
    "evaluate": "plots, and who-speaks-when errors, of asd evaluate",
    "slurm": "asd batch on a cluster",
    "optuna": "looking for the best options",
}
"""What each extra is for; those that users have no use for are left out."""
_ADVISED = ("cpu", "torch")
"""The extras without which there are no networks but OpenCV's, most useful first."""
_INSTEAD = {"cpu": "gpu", "gpu": "cpu"}
"""Extras of which one takes the place of the other."""


def system() -> Iterator[Finding]:
    """Python, the operating system and asdkit itself."""
    from packaging.specifiers import SpecifierSet

    wanted = metadata("asdkit")["Requires-Python"] or ""
    fits = platform.python_version() in SpecifierSet(wanted)
    yield Finding(
        "system",
        "Python",
        f"{platform.python_version()}, {sys.executable}" + ("" if fits else f"; needs {wanted}"),
        "ok" if fits else "broken",
        "" if fits else f"install asdkit anew with Python {wanted}",
    )
    yield Finding("system", "machine", f"{platform.platform()}, {platform.machine()}")
    yield Finding("system", "asdkit", __version__)


def packages() -> Iterator[Finding]:
    """The packages that asdkit cannot do without: their versions, and whether they can be used."""
    modules = packages_distributions()
    for needed in _requirements(""):
        fault = _unmet(needed)
        if fault:
            yield Finding(
                "packages", needed.name, fault, "broken", f'python -m pip install "{_bare(needed)}"'
            )
            continue
        mine = [
            name
            for name, owners in modules.items()
            if not name.startswith("_") and needed.name.lower() in map(str.lower, owners)
        ]
        fault = next(filter(None, map(_import_fault, sorted(mine))), "")
        yield Finding(
            "packages",
            needed.name,
            f"{version(needed.name)}{f', but {fault}' if fault else ''}",
            "broken" if fault else "ok",
            f'python -m pip install --force-reinstall "{_bare(needed)}"' if fault else "",
        )


def extras() -> Iterator[Finding]:
    """The extras: whether they are installed, and else what installs them."""
    faults = {extra: _faults_of(extra) for extra in _FOR}
    for extra, use in _FOR.items():
        other = _INSTEAD.get(extra)
        if not faults[extra]:
            yield Finding("extras", extra, f"installed: {use}")
        elif other and not faults[other]:
            yield Finding("extras", extra, f"not installed: {other} is in its place")
        else:
            yield Finding(
                "extras",
                extra,
                f"not installed ({'; '.join(faults[extra])}): {use}",
                "lacking",
                install_words(extra) if extra in _ADVISED else "",
            )


def plugins() -> Iterator[Finding]:
    """The packages that provide components, and those that failed to load."""
    try:
        found = registry()
    except PluginError as error:
        yield Finding("plugins", "all", error.what, "broken", error.hint)
        return
    names = {f"{one.name} {one.version}" for one in found.providers.values()}
    yield Finding("plugins", "loaded", ", ".join(sorted(names)))
    for label, reason in found.failures.items():
        package = label.split()[0]
        yield Finding(
            "plugins",
            package,
            f"failed to load: {one_line(reason)}",
            "lacking",
            f"mend the plugin {package}, or: python -m pip uninstall {package}",
        )


def _requirements(extra: str) -> list[Requirement]:
    """What asdkit requires on this machine, of an extra alone if one is named."""
    from packaging.requirements import Requirement

    listed = [Requirement(line) for line in requires("asdkit") or []]
    base = [one for one in listed if not one.marker or one.marker.evaluate({"extra": ""})]
    if not extra:
        return base
    own = [one for one in listed if one.marker and one.marker.evaluate({"extra": extra})]
    return [one for one in own if one not in base]


def _faults_of(extra: str) -> list[str]:
    """Why an extra is not installed: a few words for each package at fault."""
    return [f"{one.name}: {fault}" for one in _requirements(extra) if (fault := _unmet(one))]


def _unmet(needed: Requirement) -> str:
    """Why a requirement is not met, in a few words; empty if it is."""
    try:
        found = version(needed.name)
    except PackageNotFoundError:
        return "missing"
    fits = needed.specifier.contains(found, prereleases=True)
    return "" if fits else f"{found}, where {needed.specifier} is needed"


def _import_fault(module: str) -> str:
    """Why a module cannot be imported, in a few words; empty if it can."""
    try:
        import_module(module)
    except Exception as error:  # a broken package may raise anything
        return f"it cannot be imported: {one_line(f'{type(error).__name__}: {error}')}"
    return ""


def _bare(needed: Requirement) -> str:
    """A requirement without its marker."""
    return f"{needed.name}{needed.specifier}"
