"""Converts errors of Hydra and OmegaConf to asdkit's errors, worded for users."""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Union, get_args, get_origin, get_type_hints

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    InterpolationToMissingValueError,
    MissingMandatoryValue,
    OmegaConfBaseException,
    ValidationError,
)

from ..errors import AsdError, ConfigError, PluginError
from ..installation import install_words
from ..registry import registry
from ..spelling import alike, guess
from .schemas import App, names, offer

_HYDRA_EXTRAS = {"submitit": "slurm", "optuna": "optuna", "tpe": "optuna"}
"""By part of a Hydra plugin's name: the extra of asdkit that installs it."""
_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
_PLAIN_ARGUMENTS = {
    "source": "asd live camera, or asd live FILE",
    "video": "asd run FILE",
    "videos": "asd batch FOLDER",
}
"""By option: how it is mostly given."""
_NO_GROUP = re.compile(r"Could not override '([\w/]+)'\. No match in the defaults list")
"""What Hydra says of a group of components that an application does not choose of."""
_MOST_OFFERED = 20
"""Where there are more options, it is --help that lists them."""
_MOST_SHOWN = 60
"""Most characters of an invalid value to show in an error."""


def explained(error: BaseException, prefix: str = "", app: App | None = None) -> AsdError:
    """Convert an error of Hydra or OmegaConf to one worded for users.

    Args:
        error: The exception; its chain of causes is searched for details.
        prefix: Key of the node that was checked, if it was not the whole configuration.
        app: The application whose configuration it was, if it was the whole one.
    """
    told = list(_chain(error))
    for one in told:
        if isinstance(one, AsdError):
            return one
    for one in told:
        if isinstance(one, MissingConfigException) and one.missing_cfg_file:
            return _no_choice(one)
    for one in told:
        if isinstance(one, OmegaConfBaseException) and one.full_key:
            key = f"{prefix}.{one.full_key}" if prefix else one.full_key
            return _refused_value(one, key, app)
    if isinstance(told[-1], RecursionError):
        return ConfigError("The options are nested too deep")
    return _of_hydra(told, app)


def _of_hydra(told: list[BaseException], app: App | None) -> ConfigError:
    """The error for what Hydra refuses, or for what nothing better is known."""
    for one in told:
        if isinstance(one, OverrideParseException):
            reason, _, _ = str(one.message).partition("\n")  # the rest marks the position
            return ConfigError(
                f"{_cut(str(one.override))} cannot be understood: {_cut(reason)}",
                "A value with such characters needs quotes: \"key='value'\"",
            )
    words = [one for one in told if isinstance(one, HydraException | OmegaConfBaseException)]
    one = (words or told)[0]
    if app is not None and (unknown := _NO_GROUP.match(str(one))):
        return no_option(unknown[1], app.offered)
    return ConfigError(_cut(str(one) or type(one).__name__, 5 * _MOST_SHOWN))


def no_option(key: str, known: Iterable[str] | None, nested: Collection[str] = ()) -> ConfigError:
    """The error for an option that does not exist.

    Args:
        key: The option, with the node it would belong to, as in detector.min_face_px.
        known: The options of that node, without it; None if they are not known.
        nested: Options of other nodes, with these, one of which may be meant.
    """
    group, _, name = key.rpartition(".")
    if known is None:
        return ConfigError(f"There is no option {key}", _hint_for_writer(key))
    listed = list(known)
    others = [one.name for one in registry().of_kind(group) if name in names(one.config)]
    meant = [f"{group}.{one}" if group else one for one in alike(name, listed)]
    meant = [one for one in nested if one.endswith(f".{key}")] or meant
    if others:
        hint = " or ".join(f"{group}={other}" for other in others)
        return ConfigError(f"There is no option {key} here", f"It belongs to {hint}")
    if meant:
        return ConfigError(f"There is no option {key}", f"Did you mean {' or '.join(meant)}?")
    hint = offer(listed) if len(listed) <= _MOST_OFFERED else "--help tells of all that there are"
    return ConfigError(f"There is no option {key}", hint)


def _hint_for_writer(key: str) -> str:
    """A hint for a parameter of a writer that is not chosen, or does not exist."""
    group, _, rest = key.partition(".")
    if group != "writers":
        return ""
    name, there = rest.partition(".")[0], registry().choices("writer")
    if name in there:
        return f"Choose the writer first, as in: writers=[json,{name}]"
    return guess(name, there, f"There are {', '.join(there)}")


def _cut(text: str, most: int = _MOST_SHOWN) -> str:
    """Shorten a text."""
    return text if len(text) <= most else f"{text[:most]}..."


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and its chain of causes, each once, as the chain may be circular."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _no_choice(error: MissingConfigException) -> AsdError:
    """The error for a component or preset that does not exist."""
    group, _, name = str(error.missing_cfg_file).rpartition("/")
    kind = group.removesuffix("s") if group == "writers" else group
    there = error.options or registry().choices(kind)
    extra = ""
    if group.startswith("hydra/"):  # Hydra's own groups, such as hydra/launcher=NAME
        extra = next((extra for part, extra in _HYDRA_EXTRAS.items() if part in name), "")
    hint = f"Install it with: {install_words(extra)}" if extra else ""
    return PluginError(
        f"There is no {kind} {name!r}; there are {', '.join(there)}",
        guess(name, there, hint or registry().failure_hint()),
    )


def _refused_value(error: OmegaConfBaseException, key: str, app: App | None) -> AsdError:
    """The error for a key that is unknown or not set, or for an invalid value."""
    if isinstance(error, MissingMandatoryValue | InterpolationToMissingValueError):
        use = _PLAIN_ARGUMENTS.get(key, f"{key}=VALUE")
        group, _, parameter = key.partition(".")
        others = registry().choices(group) if parameter else []
        choice = f"; or choose {group}=NAME, of {', '.join(others)}" if len(others) > 1 else ""
        return ConfigError(f"{key} is not set", f"Set it, as in: {use}{choice}")
    if isinstance(error, ConfigKeyError | ConfigAttributeError):
        if app is not None and "." not in key:
            return no_option(key, app.offered, app.nested)
        known: Any = error.object_type
        offered = [n for n in names(known) if n != "name"] if _is_schema(known) else None
        return no_option(key, offered)
    if isinstance(error, ValidationError) and (kind := _kind_of(error)) is not None:
        if error.value is None:
            return ConfigError(f"{key} must be {kind}, not null", _default_of(error))
        hint = guess(str(error.value), ("true", "false")) if kind == _WORDS[bool] else ""
        return ConfigError(f"{key} must be {kind}, got {_cut(repr(error.value))}", hint)
    what, _, _ = str(error.msg or error).partition("\n    full_key:")
    return ConfigError(f"{key}: {_cut(what, 5 * _MOST_SHOWN)}")


def _is_schema(kind: Any) -> bool:
    return isinstance(kind, type) and dataclasses.is_dataclass(kind)


def _kind_of(error: OmegaConfBaseException) -> str | None:
    """The expected type of a value, in words; None if its schema does not say."""
    hint: Any = None
    if _is_schema(error.object_type):
        assert error.object_type
        hint = get_type_hints(error.object_type).get(str(error.key))
    elif error.ref_type is not None:  # the type of the list or mapping around the value
        arguments = [kind for kind in _without_none(error.ref_type) if get_args(kind)]
        hint = get_args(arguments[0])[-1] if arguments else None
    return _in_words(hint)


def _default_of(error: OmegaConfBaseException) -> str:
    """A hint that names the default of an option."""
    known: Any = error.object_type
    entries = dataclasses.fields(known) if _is_schema(known) else ()
    found = [one.default for one in entries if one.name == str(error.key)]
    shown = isinstance(found[0], str | int | float) if found else False
    return f"Leave it out for the default, {str(found[0]).lower()}" if shown else ""


def _in_words(hint: Any) -> str | None:
    """The types that a type hint allows, in words; None if there are none for one of them."""
    words = [_type_in_words(kind) for kind in _without_none(hint)]
    if type(None) in get_args(hint):
        words.append("null")
    told = [word for word in words if word]
    return " or ".join(told) if told and len(told) == len(words) else None


def _type_in_words(kind: Any) -> str | None:
    if _is_schema(kind):
        return f"options of its own: {', '.join(names(kind))}"
    if get_origin(kind) in (list, tuple):
        return "a list, as in [A,B]"
    return _WORDS.get(kind)


def _without_none(hint: Any) -> list[Any]:
    """The types that a type hint allows, without None."""
    if get_origin(hint) in (Union, types.UnionType):
        return [kind for kind in get_args(hint) if kind is not type(None)]
    return [] if hint in (None, Any) else [hint]
