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
from .layout import WIDEST, entry, heading, reflowed

_TAIL = """\
A Hydra application (hydra.cc): --cfg job prints the configuration, --multirun tries several values
(asd run FILE --multirun detector=mtcnn,yunet), and --hydra-help tells the rest. Tab completion in
bash and zsh: eval "$(asd -sc install=bash)", or zsh; in fish: asd -sc install=fish | source
"""
_COLUMN = 38


def app_help(
    app: App, overrides: Iterable[str], presets: Path | None = None, width: int = WIDEST
) -> str:
    """The help text of an application for a command line with these overrides.

    Args:
        app: The application.
        overrides: Options as on the command line.
        presets: A folder of presets, besides those of installed packages.
        width: How wide lines may be.

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
    lines = ["Options", *_fields(app.options, "", config, width, plain), ""]
    for name in nested:
        title = (inspect.getdoc(hints[name]) or name).partition("\n")[0].rstrip(".")
        lines += [
            *reflowed(title, width).split("\n"),
            *_fields(hints[name], f"{name}.", config, width),
            "",
        ]
    for choice, kind in app.kind_of.items():
        if config[choice] is None:  # an optional one
            lines += [*heading(f"{choice}=null", registry().choices(kind), width), ""]
            continue
        name = config[choice].name
        lines += heading(f"{choice}={name}", registry().choices(kind), width)
        lines += _about(kind, name, width)
        lines += _fields(registry().find(kind, name).config, f"{choice}.", config, width)
        if kind == "scorer":
            given = _shown(config.scorer.calibration)
            about = (
                "Corrects the probabilities: a file of asd calibrate, auto for the calibration "
                "that ships for these weights, if one does, or null."
            )
            lines += entry(f"scorer.{CALIBRATION}={given}", about, _COLUMN, width)
        lines.append("")
    if app.writers:
        writers = chosen_writers(config.writers)
        lines += heading(f"writers=[{','.join(writers)}]", registry().choices("writer"), width)
        for name in writers:
            parameters = registry().find("writer", name).config
            about = registry().find("writer", name).about
            lines += entry(name, about, _COLUMN, width) if about else []
            lines += _fields(parameters, f"writers.{name}.", config, width)
        lines.append("")
    if app.writers and app.experiments:
        lines += heading("experiment=NAME", registry().choices("experiment"), width)
        lines += ["  Several settings at once.", ""]
    return "\n".join([reflowed(app.about, width), *lines, reflowed(_TAIL, width)])


def _about(kind: str, name: str, width: int) -> list[str]:
    """The lines that say what a component is; none if its plugin does not."""
    about = registry().find(kind, name).about
    return textwrap.wrap(about, width, initial_indent="  ", subsequent_indent="  ")


def _fields(
    config: type, prefix: str, values: DictConfig, width: int, only: Iterable[str] | None = None
) -> list[str]:
    """One line or more per field of a dataclass: key, value, description."""
    lines = []
    descriptions = attributes(config)
    for name in only or (field.name for field in dataclasses.fields(config)):
        missing = OmegaConf.is_missing(OmegaConf.select(values, prefix[:-1]) or values, name)
        value = "???" if missing else _shown(OmegaConf.select(values, prefix + name))
        lines += entry(f"{prefix}{name}={value}", descriptions.get(name, ""), _COLUMN, width)
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
