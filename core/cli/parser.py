"""The argument parser of commands that are not Hydra applications."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from typing import Any, NoReturn

from ..errors import ConfigError


class Parser(ArgumentParser):
    """A parser that also reads KEY=VALUE, and raises `ConfigError` instead of exiting.

    Args:
        command: The words that call the command, such as "asd weights".
        about: What the command does, for the head of its help.
        form: Usage of the command, for its help and for the hint of errors.
    """

    def __init__(self, command: str, about: str, form: str) -> None:
        super().__init__(
            command,
            usage=form,
            description=about,
            formatter_class=RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self._form = form
        self._keys: dict[str, str] = {}

    def add_keys(self, **keys: str) -> None:
        """Offer options of the form KEY=VALUE.

        Args:
            **keys: The description of each key.
        """
        self._keys = keys
        width = max(map(len, keys)) + len("=VALUE")
        lines = [f"  {f'{key}=VALUE':<{width}}  {about}" for key, about in keys.items()]
        self.epilog = "\n".join(["options of the form KEY=VALUE:", *lines])

    def read(self, words: Sequence[str]) -> Any:
        """Parse the arguments; keys that are not given are None.

        Raises:
            ConfigError: The arguments are invalid.
            SystemExit: The help was requested, and printed.
        """
        given = {}
        rest = []
        for word in words:
            key, equals, value = word.partition("=")
            if equals and key in given:
                self.error(f"{key} was given twice")
            elif equals and key in self._keys:
                given[key] = value
            else:
                rest.append(word)
        found = self.parse_args(rest)
        return Namespace(**{**dict.fromkeys(self._keys), **given, **vars(found)})

    def error(self, message: str) -> NoReturn:
        """Raise an error about the arguments.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError(f"{self.prog}: {message}", f"Use: {self._form}")
