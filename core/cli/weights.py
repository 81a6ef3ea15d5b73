"""`asd weights`: lists, downloads and verifies published weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import ConfigError, InputError
from ..spelling import guess
from .parser import Parser
from .tables import print_columns

if TYPE_CHECKING:
    from ..weights import Weights

_ABOUT = """\
The published weights that components read. They are looked for in the folder ASDKIT_WEIGHTS, then
in the cache, and downloaded when first needed; what is here is held against its SHA-256.

  list             all of them: whether they are here, their size and licence, and where they are
  fetch NAME ...   download some
  verify           the list; an error if one is damaged
"""
ACTIONS = ("list", "fetch", "verify")


def command(words: list[str]) -> None:
    """Run the command with its arguments.

    Raises:
        AsdError: An argument is invalid, or weights are damaged or cannot be downloaded.
    """
    form = "asd weights list, asd weights fetch NAME ..., or asd weights verify"
    parser = Parser("weights", _ABOUT, form)
    given, _ = parser.read(words)
    action, names = (given or [""])[0], given[1:]
    if not action:
        parser.error(f"needs to know what to do, one of {', '.join(ACTIONS)}")
    if action not in ACTIONS:
        raise ConfigError(
            f"weights does not know {action!r}; it knows {', '.join(ACTIONS)}",
            guess(action, ACTIONS, f"Use: {form}"),
        )
    if action != "fetch" and names:
        parser.error(f"{action} takes no names, but got {' '.join(names)}")
    if action == "fetch":
        _fetch(names, published())
    else:
        _list(published(), refuse_damaged=action == "verify")


def published() -> dict[str, Weights]:
    """The published weights of all components, by name."""
    from ..registry import registry

    return {w.name: w for c in registry().components.values() for w in c.weights}


def _list(known: Mapping[str, Weights], *, refuse_damaged: bool) -> None:
    from ..weights import status

    rows = [("name", "state", "bytes", "licence", "where")]
    damaged = {}
    for name in sorted(known):
        found = status(known[name])
        if found.state == "damaged":
            damaged[name] = f"{name} ({found.fault})"
        size = known[name].size_bytes
        where = str(found.path or known[name].url)
        rows.append((name, found.state, str(size or "?"), known[name].licence, where))
    print_columns(rows)
    if refuse_damaged and damaged:
        raise InputError(
            f"Damaged: {', '.join(damaged.values())}",
            f"Remove what is damaged, then: asd weights fetch {' '.join(damaged)}",
        )


def _fetch(names: list[str], known: Mapping[str, Weights]) -> None:
    from ..weights import fetch

    listed = sorted(known)
    if not names:
        raise ConfigError(
            f"weights fetch needs names; there are {', '.join(listed)}",
            "Use: asd weights fetch NAME ...",
        )
    for name in names:
        if name not in known:
            raise ConfigError(
                f"There are no weights {name!r}; there are {', '.join(listed)}", guess(name, listed)
            )
    for name in names:
        print(fetch(known[name]))
