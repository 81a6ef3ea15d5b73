"""`asd run`: finds the faces of a video, and who speaks when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .apps import run_or_help, run_shown
from .arguments import split_video

if TYPE_CHECKING:
    from omegaconf import DictConfig


def command(words: list[str]) -> None:
    """Run the command with its arguments; see `core.cli.apps.run_or_help` for errors."""
    from ..config.compose import RUN

    video, overrides = split_video(words, RUN.keys)
    run_or_help(RUN, overrides, _report, video)


def _report(config: DictConfig, output: str | None = None) -> None:
    """Run a composed configuration, showing progress and summary."""
    from ..config.plan import make_plan

    run_shown(make_plan(config), output)
