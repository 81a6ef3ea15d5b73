"""Shell completion of the command line."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping

from .arguments import is_override
from .weights import ACTIONS


def complete(
    words: list[str],
    commands: Mapping[str, Callable[[], Callable[[list[str]], None]]],
    apps: Collection[str],
) -> None:
    """Print completions for a shell; for Hydra applications, Hydra prints them.

    Args:
        words: The completion flag with its value: query, install or uninstall.
        commands: By name: the function that loads the command.
        apps: The commands that are Hydra applications.
    """
    line = os.environ.get("COMP_LINE", "")
    match = re.match(r"(\S+\s+)(\S+\s+)(.*)", line, re.DOTALL)
    command = match[2].strip() if match else ""
    if "query" not in " ".join(words):
        commands["run"]()(words)
    elif match and command in (*apps, "demo"):
        # Hydra would fail on a file name among the overrides.
        *done, typed = match[3].split(" ")
        done = [word for word in done if is_override(word)]
        os.environ["COMP_LINE"] = match[1] + " ".join([*done, typed])
        os.environ["COMP_POINT"] = str(len(os.environ["COMP_LINE"]))
        commands["run" if command == "demo" else command]()(words)
    elif match and command == "weights":
        print("\n".join(word for word in ACTIONS if word.startswith(match[3])))
    elif not match:
        typed = line.partition(" ")[2].strip()
        print("\n".join(word for word in sorted(commands) if word.startswith(typed)))
