"""Help of Hydra applications: every option with its value and its dataclass's description."""

from __future__ import annotations

import dataclasses
import inspect
import re
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_type_hints

from omegaconf import DictConfig, OmegaConf

from ..component import CALIBRATION
from ..config.compose import compose_app
from ..config.schemas import App, chosen_writers, names
from ..registry import registry

_TAIL = """\
A Hydra application (hydra.cc): --cfg job prints the configuration, --multirun tries several values
(asd run FILE --multirun detector=mtcnn,yunet), and --hydra-help tells the rest. Tab completion in
bash: eval "$(asd -sc install=bash)"
"""
_COLUMN = 38
_WIDTH = 100


def app_help(app: App, overrides: Iterable[str], presets: Path | None = None) -> str:
    """The help text of an application for a command line with these overrides.

    Args:
        app: The application.
        overrides: Options as on the command line.
        presets: A folder of presets, besides those of installed packages.

    Raises:
        ConfigError: An override is invalid.
    """
    config = compose_app(app, overrides, presets=presets)
    hints = get_type_hints(app.options)
    own = vars(app.options)["__annotations__"]
    # The class's own options first, then inherited ones; the sort is stable.
    options = sorted(names(app.options), key=lambda name: name not in own)
    nested = [name for name in options if dataclasses.is_dataclass(hints[name])]
    plain = [name for name in options if name not in nested]
    lines = ["Options", *_fields(app.options, "", config, plain), ""]
    for name in nested:
        title = (inspect.getdoc(hints[name]) or name).partition("\n")[0].rstrip(".")
        lines += [title, *_fields(hints[name], f"{name}.", config), ""]
    for kind in app.kinds:
        name = config[kind].name
        lines.append(f"{kind}={name}  (of {', '.join(registry().choices(kind))})")
        lines += _fields(registry().find(kind, name).config, f"{kind}.", config)
        if kind == "scorer":
            given = _shown(config.scorer.calibration)
            about = (
                "Corrects the probabilities: a file of asd calibrate, auto for the calibration "
                "that ships for these weights, if one does, or null."
            )
            lines += _entry(f"scorer.{CALIBRATION}={given}", about)
        lines.append("")
    if app.writers:
        writers = chosen_writers(config.writers)
        offered = ", ".join(registry().choices("writer"))
        lines.append(f"writers=[{','.join(writers)}]  (of {offered})")
        for name in writers:
            lines += _fields(registry().find("writer", name).config, f"writers.{name}.", config)
        lines.append("")
    if app.writers and app.experiments:
        experiments = ", ".join(registry().choices("experiment"))
        lines += [f"experiment=NAME  (of {experiments})", "  Several settings at once.", ""]
    return "\n".join([app.about, *lines, _TAIL])


def _fields(
    config: type, prefix: str, values: DictConfig, only: Iterable[str] | None = None
) -> list[str]:
    """One line or more per field of a dataclass: key, value, description."""
    lines = []
    descriptions = attributes(config)
    for name in only or (field.name for field in dataclasses.fields(config)):
        missing = OmegaConf.is_missing(OmegaConf.select(values, prefix[:-1]) or values, name)
        value = "???" if missing else _shown(OmegaConf.select(values, prefix + name))
        lines += _entry(f"{prefix}{name}={value}", descriptions.get(name, ""))
    return lines


def _entry(assigned: str, description: str) -> list[str]:
    """The lines of an option: its value, and its description in a second column."""
    left = f"  {assigned}"
    lines = []
    if len(left) >= _COLUMN - 1:
        lines.append(left)
        left = ""
    for text in textwrap.wrap(description, _WIDTH - _COLUMN) or [""]:
        lines.append(f"{left:<{_COLUMN}}{text}".rstrip())
        left = ""
    return lines


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace(" ", "")


def attributes(config: type) -> dict[str, str]:
    """By field: its description in the Attributes sections of a dataclass and its bases."""
    described: dict[str, str] = {}
    for base in reversed(config.__mro__):
        _, _, section = inspect.cleandoc(base.__doc__ or "").partition("Attributes:\n")
        found = re.findall(r"^    (\w+): (.*(?:\n      +.*)*)", section, re.MULTILINE)
        described |= {name: " ".join(text.split()) for name, text in found}
    return described
