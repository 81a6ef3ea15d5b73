"""The form of overrides, KEY=VALUE, among the arguments of the command."""

from __future__ import annotations

import re

_OVERRIDE = re.compile(r"(\+{1,2}|~)?[A-Za-z_][\w.@/:-]*=", re.ASCII)


def is_override(word: str) -> bool:
    """Whether an argument has the form of an override, KEY=VALUE or ~KEY."""
    return bool(_OVERRIDE.match(word)) or word.startswith("~")


def key_of(override: str) -> str:
    """The option that an override sets, adds or deletes."""
    return override.partition("=")[0].lstrip("+~")
