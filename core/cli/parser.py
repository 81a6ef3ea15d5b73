"""Reads the arguments of commands that are not Hydra applications, and writes their help."""

from __future__ import annotations

import os
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Collection, Sequence
from functools import partial
from typing import NoReturn

from ..errors import ConfigError
from ..spelling import guess
from .arguments import HELP, no_flag, refuse_empty
from .layout import entry, help_width, reflowed
from .overrides import is_override


class Parser(ArgumentParser):
    """A parser that also reads KEY=VALUE, and raises `ConfigError` instead of exiting.

    Args:
        command: The words that call the command after asd, such as "weights".
        about: What the command does, for the head of its help.
        form: Usage of the command, for its help and for the hint of errors.
    """

    def __init__(self, command: str, about: str, form: str) -> None:
        super().__init__(
            f"asd {command}",
            usage=form,
            description=reflowed(about, help_width()),
            formatter_class=partial(RawDescriptionHelpFormatter, width=help_width()),
            allow_abbrev=False,
        )
        self._command = command
        self._form = form
        self._keys: dict[str, str] = {}

    def add_keys(self, **keys: str) -> None:
        """Offer options of the form KEY=VALUE.

        Args:
            **keys: The description of each key.
        """
        self._keys = keys
        column = max(map(len, keys)) + len("  =VALUE  ")
        lines = ["options of the form KEY=VALUE:"]
        for key, about in keys.items():
            lines += entry(f"{key}=VALUE", about, column, help_width())
        self.epilog = "\n".join(lines)

    def read(self, words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        """Separate the plain arguments from the keys with their values.

        Raises:
            ConfigError: A key is unknown or given twice; and as for `plain`.
            SystemExit: The help was requested, and printed.
        """
        given: dict[str, str] = {}
        rest = []
        for word in self.plain(words, self._keys):
            key, equals, value = word.partition("=")
            if equals and key in given:
                self.error(f"takes {key} once, but it was given twice")
            elif equals and key in self._keys:
                given[key] = value
            elif is_override(word) and not os.path.lexists(word):
                raise ConfigError(
                    f"There is no option {key}", guess(key, self._keys, f"Use: {self._form}")
                )
            else:
                rest.append(word)
        return rest, given

    def plain(self, words: Sequence[str], keys: Collection[str]) -> list[str]:
        """The arguments without `--`, after which names may begin with a dash.

        Args:
            words: The arguments.
            keys: The options that there are, for errors.

        Raises:
            ConfigError: An argument is a flag, or empty.
            SystemExit: The help was requested, and printed.
        """
        listed = list(words)
        end = listed.index("--") if "--" in listed else len(listed)
        if HELP & set(listed[:end]):
            self.parse_args(["--help"])
        refuse_empty(listed)
        for number, word in enumerate(listed[:end]):
            if word.startswith("-"):
                raise no_flag(listed[:end], number, HELP, keys)
        return [*listed[:end], *listed[end + 1 :]]

    def error(self, message: str) -> NoReturn:
        """Raise an error about the arguments.

        Args:
            message: The sentence, without its subject, which is the command.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError(f"{self._command} {message}", f"Use: {self._form}")
