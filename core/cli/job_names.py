"""Names the jobs of a sweep by what differs between them, for their folders.

A name is options with their values, such as `detector=yunet,scorer=lr_asd@ava`: the parts of a run
first, then all else by name, so that the order on the command line changes nothing. It holds what
every file system takes: letters without accents, digits and `_.=,@+-`; it differs from the others
in more than capitals, and is short enough for a folder.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..component import RUN_KINDS

Value = str | int | float | bool | None | list[Any] | dict[Any, Any]
"""A value of an option, as Hydra reads it."""

LONGEST = 120
"""Most characters of a name; a longer one is cut."""
_FIRST = ("experiment", "dataset", *RUN_KINDS, "writers")
"""The options that come first, each before those below it."""
_DIGITS = 8
"""How much of a hash tells names apart that would be the same, or were cut."""


def job_names(jobs: Sequence[Mapping[str, Value]]) -> list[str]:
    """A name for each job; empty where nothing differs.

    Args:
        jobs: The options of each, with their values; no two jobs have the same.
    """
    wholes = [{key: _whole(value) for key, value in job.items()} for job in jobs]
    keys = sorted({key for job in jobs for key in job}, key=_place)
    differing = [key for key in keys if len({job.get(key) for job in wholes}) > 1]
    told = [[(key, job[key]) for key in differing if key in job] for job in wholes]
    names = [",".join(f"{key}={_safe(value)}" for key, value in job) for job in told]
    often = Counter(name.casefold() for name in names)
    return [
        _cut(name, whole, alone=often[name.casefold()] == 1)
        for name, whole in zip(names, told, strict=True)
    ]


def _place(key: str) -> tuple[int, str]:
    group = key.partition(".")[0]
    return (_FIRST.index(group) if group in _FIRST else len(_FIRST), key)


def _whole(value: Any) -> str:
    """A value as text that no other value has, lists as A+B and mappings as KEY-VALUE+..."""
    if isinstance(value, dict):
        return "+".join(f"{_whole(key)}-{_whole(own)}" for key, own in value.items())
    if isinstance(value, list):
        return "+".join(map(_whole, value))
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return str(value)


def _safe(text: str) -> str:
    """The part of a value that a name holds: of a path the last one."""
    last = re.split(r"[/\\]", text.rstrip("/\\"))[-1]
    return re.sub(r"[^A-Za-z0-9_.@+-]+", "-", last)


def _cut(name: str, whole: Sequence[tuple[str, str]], *, alone: bool) -> str:
    """A name that ends in no dot, which Windows drops, with a hash if it needs one."""
    if alone and len(name) <= LONGEST and not name.endswith("."):
        return name
    told = hashlib.sha256(repr(whole).encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
    return f"{name[: LONGEST - _DIGITS - 1]}-{told}"
