"""Shell completion of the command line."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping

from ..errors import ConfigError
from .batch_views import VIEWS
from .export import CHECK_KEYS
from .overrides import is_override
from .weights import ACTIONS, published


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

    Raises:
        ConfigError: The flag has no such value.
    """
    asked = re.search(r"\b(query|install|uninstall)=\w", " ".join(words))
    if not asked:
        raise ConfigError(
            f"{words[0]} takes install=SHELL or uninstall=SHELL, for bash, fish or zsh",
            'As in: eval "$(asd -sc install=bash)"',
        )
    if asked[1] != "query":
        commands["run"]()(words)
        return
    line = os.environ.get("COMP_LINE", "")
    match = re.match(r"(\S+\s+)(\S+)\s+(.*)", line, re.DOTALL)
    if not match:
        _print(["help", *commands], line.partition(" ")[2].strip())
        return
    program, command = match[1], match[2]
    *done, typed = match[3].split(" ")
    done = [word for word in done if word]
    _print(_offered(command, done, commands), typed)
    app = "run" if command == "demo" or (command == "repeat" and done) else command
    views = VIEWS if command == "batch" else ["check"]
    if app in apps and not set(done[:1]).intersection(views):
        # Hydra would fail on a file name among the overrides.
        overrides = [word for word in done if is_override(word)]
        os.environ["COMP_LINE"] = program + " ".join([*overrides, typed])
        os.environ["COMP_POINT"] = str(len(os.environ["COMP_LINE"]))
        commands[app]()(words)


def _offered(command: str, done: list[str], commands: Iterable[str]) -> Collection[str]:
    """The words that may come next, but for options of Hydra applications.

    Args:
        command: The command.
        done: The arguments that stand there already.
        commands: The names of all commands.
    """
    if not done:
        first = {"help": commands, "weights": ACTIONS, "plugins": ["new"], "export": ["check"]}
        first["batch"] = VIEWS
        return list(first.get(command, ()))
    if command == "weights" and done[0] == "fetch":
        return published().keys() - set(done)
    if command == "export" and done[0] == "check" and len(done) > 1:
        given = {word.partition("=")[0] for word in done}
        return [f"{key}=" for key in CHECK_KEYS if key not in given]
    return []  # names of files, which the shell completes


def _print(offered: Iterable[str], typed: str) -> None:
    """Print those of the words that begin like what has been typed."""
    for word in sorted(offered):
        if word.startswith(typed):
            print(word)
