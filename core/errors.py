"""Errors a user can fix: each says what was wrong and, in its hint, how to fix it."""

from __future__ import annotations

import pickle
import sys
from typing import Any

from .installation import install_words

_CONTROLS = dict.fromkeys([*range(32), *range(127, 160)], "\ufffd")
"""Terminal control characters, with their replacement."""


class AsdError(Exception):
    """A failure that is not a bug of asdkit; the command prints it as one line and exits 2.

    Instances can be pickled, whatever arguments a subclass takes, so that an error in another
    process arrives with the same text.

    Args:
        what: What was wrong, what was given, and what was expected or is available.
        hint: How to fix it; empty if `what` says so.
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
        """Support pickling without calling the class, whose arguments are unknown here.

        A class that cannot be imported by name, such as one defined in a function, is replaced by
        its nearest base that can; values that cannot be pickled are left out.
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
    """A text without line breaks and terminal control characters."""
    return " ".join(text.split()).translate(_CONTROLS)


def _again(kind: type[AsdError], args: tuple[Any, ...]) -> AsdError:
    """Recreate a pickled error; pickle restores its attributes afterwards."""
    error = kind.__new__(kind)
    error.args = args
    return error


def _can_be_found(kind: type) -> bool:
    """Whether a class can be imported by its module and qualified name."""
    found: Any = sys.modules.get(kind.__module__)
    for name in kind.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is kind


def _can_be_pickled(value: object) -> bool:
    try:
        pickle.dumps(value)
    except Exception:  # values from plugins may raise anything
        return False
    return True


class InputError(AsdError):
    """The video, its sound or another given file is not usable."""


class ConfigError(AsdError):
    """An option is unknown, of the wrong type or out of range."""


class PluginError(AsdError):
    """A component is unknown, registered twice or failed to load."""


class WeightsError(AsdError):
    """Weights are missing, damaged or belong to another model."""


class MissingWeightsError(WeightsError):
    """Weights are not on this machine, or damaged, and cannot be downloaded.

    Args:
        what: As for every error.
        hint: Likewise.
        name: The weights' name, as in `asd weights`.
        reason: Why they cannot be downloaded, in a few words.
        target: The file to copy them to.
    """

    def __init__(self, what: str, hint: str, name: str, reason: str, target: str) -> None:
        super().__init__(what, hint)
        self.name = name
        self.reason = reason
        self.target = target


class DeviceError(AsdError):
    """The requested device does not exist."""


class OutputError(AsdError):
    """The results cannot be written to the requested place."""


class ExportError(AsdError):
    """A network cannot be exported, or what was exported does not compute the same."""


class TrainingError(AsdError):
    """A training cannot begin, or cannot go on."""


class CancelledError(AsdError):
    """The run was cancelled by its caller; it has written nothing.

    Raised where `cancel` is set; a callback for the progress of a run may raise it, too.
    """

    def __init__(self, what: str = "The run was cancelled", hint: str = "") -> None:
        super().__init__(what, hint)


class MissingExtraError(AsdError):
    """A package that this component needs is not installed.

    Args:
        needed_by: The option that needs the package, such as "scorer=talknet".
        package: The package.
        extra: The extra of asdkit that installs it.
        instead: An alternative without it, such as "scorer=talknet_onnx"; empty for none.
    """

    def __init__(self, needed_by: str, package: str, extra: str, instead: str = "") -> None:
        super().__init__(
            f"{needed_by} needs the package {package}, which is not installed",
            f"Install it with: {install_words(extra)}"
            + (f", or choose {instead}, which works without" if instead else ""),
        )
