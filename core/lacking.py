"""What components lack on this machine: modules that an extra installs, and weights."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires
from importlib.util import find_spec

from .component import Component
from .errors import AsdError
from .installation import install_words
from .weights import status

OWN = "asdkit"
"""The package whose extras `install_words` installs."""


@dataclass(frozen=True)
class Lack:
    """What a component lacks.

    Attributes:
        modules: The modules that cannot be imported.
        extra: The extra of its package that installs the first of them; empty if none does.
        weights: The published weights of which one is needed and none is here, or damaged, the
            default first.
    """

    modules: tuple[str, ...] = ()
    extra: str = ""
    weights: tuple[str, ...] = ()

    def __str__(self) -> str:
        """What is missing, such as "extra torch, weights s3fd"; empty if nothing is."""
        of_extra = f"extra {self.extra}" if self.extra else ", ".join(self.modules)
        of_weights = f"weights {self.weights[0]}" if self.weights else ""
        return ", ".join(filter(None, (of_extra, of_weights)))


def lack_of(component: Component, package: str) -> Lack:
    """What a component lacks; looks for modules without importing them, and downloads nothing.

    Args:
        component: The component.
        package: The package that it comes from.
    """
    modules = tuple(name for name in component.needs if not is_there(name))
    extra = next(_extras_with(modules[0], package), "") if modules else ""
    default = getattr(component.config, "weights", "")
    ordered = sorted(component.weights, key=lambda one: not one.name.endswith(f"_{default}"))
    names = tuple(weights.name for weights in ordered)
    try:
        here = any(status(one).state in ("ok", "unchecked") for one in component.weights)
    except AsdError:  # the folder ASDKIT_WEIGHTS cannot be read
        here = False
    return Lack(modules, extra, () if here else names)


def is_there(module: str) -> bool:
    """Whether a module can be imported, as far as can be told without importing it."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # its parent is not there, or it is half imported
        return False


def remedies(lacks: Iterable[Lack]) -> list[str]:
    """What to type so that nothing is lacking: a line for each extra, and one for all weights."""
    found = list(lacks)
    extras = dict.fromkeys(lack.extra for lack in found if lack.extra)
    names = dict.fromkeys(lack.weights[0] for lack in found if lack.weights)
    lines = [f"extra {extra}: {install_words(extra)}" for extra in extras]
    return [*lines, f"weights: asd weights fetch {' '.join(names)}"] if names else lines


def _extras_with(module: str, package: str) -> Iterator[str]:
    """The extras of a package that require the package of a module of nearly the same name."""
    try:
        listed = requires(package) or []
    except PackageNotFoundError:
        return
    for line in listed:
        name = re.match(r"[\w.-]+", line)
        extra = re.search(r"""\bextra\s*==\s*["']([\w.-]+)["']""", line)
        if name and extra and re.sub(r"[-_.]+", "_", name[0]).lower() == module.lower():
            yield extra[1]
