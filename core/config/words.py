"""Options as Python code gives them, as the words that Hydra parses."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from hydra.core.override_parser.types import Quote, QuotedString

from ..component import RUN_KINDS
from ..errors import ConfigError
from ..given_writers import read_writers
from .schemas import literal

Overrides = str | Iterable[str] | Mapping[str, Any]
"""Options as the command line has them, in one string or a word each, or as a mapping."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_PLAIN_PATHS = re.compile(r"[\w./+@-]+|\[[\w./+@,-]*\]", re.ASCII)
"""Paths, or lists of them, that Hydra takes for nothing else, nor do shells, lists in quotes."""
_READ_AS_OTHERS = ("null", "true", "false", "on", "off", "yes", "no", "inf", "nan")
"""Plain words that Hydra or YAML would not take for text."""
_PAIRS = {"[": "]", "{": "}", "(": ")"}


def words_of(overrides: Overrides, options: Mapping[str, Any] | None = None) -> list[str]:
    """The words that options stand for, as on the command line.

    Args:
        overrides: One of: words such as "detector=yunet", each taken as Hydra reads it; one string
            of such words with white space between them, where quotes and brackets hold a value
            together; or a mapping of names to values. Names may be dotted ("detector.min_face_px"),
            and mappings may be in each other; in that of a component, "name" chooses it. Values are
            None, bool, numbers, text, paths, and lists and mappings of these, taken literally;
            writers may have any form of `core.given_writers.GivenWriters`.
        options: More of the last kind, which go before those.

    Raises:
        ConfigError: A value is of another type, or a quote or bracket is not closed.
    """
    if isinstance(overrides, str):
        words = _split(overrides)
    elif isinstance(overrides, Mapping):
        words = list(_words(overrides))
    elif isinstance(overrides, Iterable):
        words = list(overrides)
    else:
        raise ConfigError(
            f"overrides must be a list, a string or a dict, got {overrides!r}",
            "As in ['detector=yunet'], 'detector=yunet scorer=lr_asd' or {'detector': 'yunet'}",
        )
    return [*words, *_words(options or {})]


def typed(key: str, value: str | os.PathLike[str] | list[str]) -> str:
    """An option as it is typed in a shell, in quotes if its value needs them.

    Args:
        key: The name of the option.
        value: A path, or a list of them.
    """
    names = value if isinstance(value, list) else [value]
    plain = ",".join(map(os.fsdecode, names))
    plain = f"[{plain}]" if isinstance(value, list) else plain
    if _PLAIN_PATHS.fullmatch(plain):
        return f"'{key}={plain}'" if isinstance(value, list) else f"{key}={plain}"
    word = f"{key}={_quoted(key, value)}"
    return shlex.quote(word) if set('"$`\\!') & set(word) else f'"{word}"'


def _split(text: str) -> list[str]:
    """The words of a string; a word within quotes as a whole is taken out of them."""
    words: list[str] = []
    begin: int | None = None
    quote = ""
    closing: list[str] = []
    for place, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote and text[place - 1] != "\\" else quote
        elif letter.isspace() and not closing:
            if begin is not None:
                words.append(text[begin:place])
            begin = None
            continue
        elif letter in "'\"":
            quote = letter
        elif letter in _PAIRS:
            closing.append(_PAIRS[letter])
        elif closing and letter == closing[-1]:
            closing.pop()
        begin = place if begin is None else begin
    if quote or closing:
        raise ConfigError(
            f"The overrides {text!r} end within a value: {quote or closing[-1]} is missing",
            "Give each as a word of its own in a list, or all of them as a dict",
        )
    if begin is not None:
        words.append(text[begin:])
    return [word[1:-1] if re.fullmatch(r"(['\"])(?!\1).*\1", word) else word for word in words]


def _words(options: Mapping[str, Any]) -> Iterator[str]:
    """The words of options by name; the mapping of a component, and each writer, is a node."""
    for key, value in options.items():
        if not isinstance(key, str) or not key or re.search(r"[\s=]", key):
            raise ConfigError(
                f"{key!r} is no name of an option", "Names are text such as 'detector.min_face_px'"
            )
        if key == "writers":
            writers = read_writers(value)
            yield f"{key}={_quoted(key, list(writers))}"
            for name, own in writers.items():
                yield from _below(f"{key}.{name}", own)
        elif not isinstance(value, Mapping):
            yield f"{key}={_quoted(key, value)}"
        else:
            if key in RUN_KINDS and "name" in value:
                yield f"{key}={_quoted(key, value['name'])}"
            yield from _below(key, value)


def _below(node: str, options: Mapping[str, Any]) -> Iterator[str]:
    """The words of the options of a node, but for the name of its component."""
    for name, value in options.items():
        if name != "name":
            yield f"{node}.{name}={_quoted(f'{node}.{name}', value)}"


def _quoted(key: str, value: Any) -> str:
    """A value as Hydra reads it back, of the same type; text is taken literally."""
    if isinstance(value, Mapping):
        items = (f"{_quoted(key, name)}:{_quoted(key, own)}" for name, own in value.items())
        return f"{{{','.join(items)}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(_quoted(key, item) for item in value)}]"
    if isinstance(value, str | os.PathLike):
        return _text(os.fsdecode(value))
    if value is None or isinstance(value, bool | np.bool_):
        return "null" if value is None else str(value).lower()
    if not isinstance(value, Real):
        raise ConfigError(
            f"{key} must be None, a bool, a number, text, a path, or a list or dict of these, got "
            f"{type(value).__name__}"
        )
    return str(int(value)) if isinstance(value, Integral) else repr(float(value))


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _READ_AS_OTHERS:
        return text
    return str(QuotedString(literal(text), Quote.single).with_quotes())
