"""Errors a user can mend: each says what was wrong and, in its hint, how to put it right."""

from __future__ import annotations

import pickle
import sys
from typing import Any

_CONTROLS = dict.fromkeys([*range(32), *range(127, 160)], "\ufffd")
"""Characters that a terminal obeys, and what is shown for them."""


class AsdError(Exception):
    """A failure that is not a bug of asdkit; the command prints it as one line and exits 2.

    It can be pickled, whatever the arguments of a class derived from it: an error in another
    process arrives here as the same line.

    Args:
        what: What was wrong, what was got and what was expected or is available.
        hint: How to mend it; empty when `what` already says so.
    """

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what, hint)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        sentence = self.what.rstrip(".")
        text = f"{sentence}. {self.hint}" if self.hint else sentence
        return one_line(text)

    def __reduce__(self) -> tuple[Any, ...]:
        """How it is pickled: without calling the class again, whose arguments only it knows.

        A class that cannot be found by its name, as one made in a function, becomes the nearest
        one that can; a value that cannot be pickled is left away.
        """
        kind = next(
            kind
            for kind in type(self).__mro__
            if issubclass(kind, AsdError) and _can_be_found(kind)
        )
        values = {"what": self.what, "hint": self.hint}
        values |= {key: value for key, value in vars(self).items() if _can_be_pickled(value)}
        args = self.args if _can_be_pickled(self.args) else (self.what, self.hint)
        return _again, (kind, args), values


def one_line(text: str) -> str:
    """A text without line breaks and characters that a terminal would obey."""
    return " ".join(text.split()).translate(_CONTROLS)


def _again(kind: type[AsdError], args: tuple[Any, ...]) -> AsdError:
    """An error as it was, without its values, which follow."""
    error = kind.__new__(kind)
    error.args = args
    return error


def _can_be_found(kind: type) -> bool:
    """Whether another process finds a class by the name of its module and its own."""
    found: Any = sys.modules.get(kind.__module__)
    for name in kind.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is kind


def _can_be_pickled(value: object) -> bool:
    try:
        pickle.dumps(value)
    except Exception:  # a stranger's value can refuse in any way
        return False
    return True


class InputError(AsdError):
    """The video, its sound or another file given is not usable."""


class ConfigError(AsdError):
    """An option is unknown, of the wrong type or out of range."""


class PluginError(AsdError):
    """A component is unknown, registered twice or failed to load."""


class WeightsError(AsdError):
    """Weights are missing, damaged or belong to another model."""


class DeviceError(AsdError):
    """The device asked for is not there."""


class OutputError(AsdError):
    """The results cannot be written where they were asked for."""


class ExportError(AsdError):
    """A network cannot be exported, or what was exported does not compute the same."""


class MissingExtraError(AsdError):
    """A package that this component needs is not installed.

    Args:
        needed_by: What the user chose that needs it, such as "scorer=talknet".
        package: The package.
        extra: The extra of asdkit that brings it.
        instead: What can be chosen instead, such as "scorer=talknet_onnx"; empty for nothing.
    """

    def __init__(self, needed_by: str, package: str, extra: str, instead: str = "") -> None:
        super().__init__(
            f"{needed_by} needs the package {package}, which is not installed",
            f'Install it with: pip install "asdkit[{extra}]"'
            + (f", or choose {instead}, which works without" if instead else ""),
        )
