"""Errors a user can mend: each says what was wrong and, in its hint, how to put it right."""

from __future__ import annotations


class AsdError(Exception):
    """A failure that is not a bug of asdkit; the command prints it as one line and exits 2.

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
        return " ".join(text.split())


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
