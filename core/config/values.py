"""Builds instances of config dataclasses from plain values; errors name the full key."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from functools import cache
from typing import Any, get_origin, get_type_hints

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from ..errors import ConfigError
from .refusals import explained
from .schemas import literal, names, twin


def make(config: type, values: Mapping[str, Any], key: str = "") -> Any:
    """Build an instance of a config dataclass; errors name the full key.

    Args:
        config: The dataclass.
        values: Plain values, taken literally, and instances of dataclasses.
        key: Key of the dataclass's node in the configuration.

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
    """Convert values to a dataclass's types, such as 1 to 1.0 for a float."""
    try:
        merged = OmegaConf.merge(OmegaConf.structured(_schema(config)), literal(values))
        found: Any = OmegaConf.to_container(merged, resolve=True, throw_on_missing=True)
    except (OmegaConfBaseException, ArithmeticError, RecursionError) as error:
        raise explained(error, key) from error
    return {name: found[name] for name in values}


@cache
def _schema(config: type) -> type:
    """A mutable copy of a dataclass for OmegaConf."""
    return twin(config.__name__, config)


def _items(value: Any) -> Iterable[Any]:
    """The items of a list or tuple."""
    return value if isinstance(value, (list, tuple)) else ()
