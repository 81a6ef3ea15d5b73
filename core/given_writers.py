"""Writers as Python code names them: the one reading of all functions that take some."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .errors import ConfigError

GivenWriters = str | Iterable[str | Mapping[str, Any]] | Mapping[str, Mapping[str, Any] | None]
"""A name; names, and dicts of a `name` and parameters, in a list; or a dict of parameters, or
None, by name."""
_FORMS = "As in ['rttm', {'name': 'annotated', 'crf': 30}] or {'rttm': None, 'annotated': {...}}"


def read_writers(writers: Any) -> dict[str, dict[str, Any]]:
    """Read which writers are meant, and with which parameters.

    Args:
        writers: See `GivenWriters`; may be of any other type, as a caller may have erred.

    Returns:
        By name, in the order given: the parameters that were given, without the name, paths as
        text and numbers of numpy as Python's.

    Raises:
        ConfigError: They are of no such form, or one is named twice.
    """
    if isinstance(writers, Mapping):
        return {_name(name): _parameters(name, own) for name, own in writers.items()}
    if isinstance(writers, str):
        writers = [writers]
    if not isinstance(writers, Iterable) or isinstance(writers, bytes):
        raise ConfigError(f"writers must be names in a list, or a dict, got {writers!r}", _FORMS)
    found: dict[str, dict[str, Any]] = {}
    for one in writers:
        name = _name(one.get("name") if isinstance(one, Mapping) else one, one)
        if name in found:
            raise ConfigError(f"The writer {name} was named twice", "Name each once")
        found[name] = _parameters(name, one if isinstance(one, Mapping) else None)
    return found


def check_called(name: str, given: Any) -> None:
    """Check that the options of a writer name no other one.

    Args:
        name: The writer.
        given: The `name` among its options.

    Raises:
        ConfigError: It is another one.
    """
    if given != name:
        raise ConfigError(
            f"writers.{name} has the name {given!r}, which is another one",
            "Leave name out, or name the writer that is meant",
        )


def _name(name: Any, given: Any = None) -> str:
    if not isinstance(name, str):
        shown = name if given is None else given
        raise ConfigError(f"A writer must be a name, or a dict with a name, got {shown!r}", _FORMS)
    return name


def _parameters(name: str, given: Any) -> dict[str, Any]:
    """The options of a writer without its name, which must be its own if it is there."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ConfigError(f"writers.{name} must be a dict of its options, got {given!r}", _FORMS)
    for option in given:
        if not isinstance(option, str):
            raise ConfigError(f"{option!r} is no name of an option of writers.{name}", _FORMS)
    check_called(name, given.get("name", name))
    return {option: _plain(value) for option, value in given.items() if option != "name"}


def _plain(value: Any) -> Any:
    """A value as settings hold it: paths as text, numbers of numpy as Python's."""
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.item() if isinstance(value, np.generic) else value
