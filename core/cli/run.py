"""`asd run`: finds the faces of a video, and who speaks when."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import ConfigError
from .apps import run_or_help, run_shown
from .arguments import HELP, split_video
from .overrides import key_of

if TYPE_CHECKING:
    from omegaconf import DictConfig

PRINT = "output=-"
"""The option with which the result is printed, and nothing written."""


def command(words: list[str]) -> None:
    """Run the command with its arguments; see `core.cli.apps.run_or_help` for errors."""
    from ..config.compose import RUN
    from ..live.addresses import address_of

    if address := next((word for word in words if "://" in key_of(word)), None):
        raise ConfigError(
            f"asd run reads files, but {address_of(address).shown} is an address",
            "Use: asd live ADDRESS",
        )
    video, overrides = split_video(words, RUN.keys)
    outputs = [word for word in overrides if key_of(word) == "output"]
    if outputs[-1:] == [PRINT] and not HELP & set(words):
        run_or_help(RUN, _as_printed(overrides), _print, video)
    else:
        run_or_help(RUN, overrides, _report, video)


def _report(config: DictConfig, output: str | None = None) -> None:
    """Run a composed configuration, showing progress and summary."""
    from ..config.plan import make_plan

    run_shown(make_plan(config), output)


def _as_printed(words: list[str]) -> list[str]:
    """The arguments with which nothing is written, and only JSON made unless others were chosen.

    Raises:
        ConfigError: Several runs are asked for.
    """
    if {"-m", "--multirun"} & set(words):
        raise ConfigError(
            f"{PRINT} prints the result of one run, but --multirun makes several",
            "Name a folder: output=FOLDER",
        )
    rest = [word for word in words if key_of(word) != "output"]
    chosen = any(key_of(word).partition(".")[0] == "writers" for word in rest)
    return [*rest, "output=null", *([] if chosen else ["writers=[json]"])]


def _print(config: DictConfig, _: str | None = None) -> None:
    """Run a composed configuration; its result alone goes to stdout, all else to stderr."""
    from ..config.plan import make_plan
    from ..results import json_lines

    if list(config.writers or {}) != ["json"]:
        raise ConfigError(
            f"{PRINT} prints JSON alone, but writers=[{','.join(config.writers or {})}]",
            "Leave writers out, or name a folder: output=FOLDER",
        )
    if config.resume:
        raise ConfigError(
            f"resume=true goes on with what lies in a folder, but {PRINT} has none",
            "Leave one of them out",
        )
    plan = replace(make_plan(config), writers=())
    with redirect_stdout(sys.stderr):
        result = run_shown(plan)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8")  # a terminal's own may lack letters
    sys.stdout.writelines(json_lines(result))
