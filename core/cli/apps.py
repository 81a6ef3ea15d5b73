"""Helpers shared by the commands: run a Hydra application or show its help; run a plan visibly."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING

from ..bars import hidden
from ..errors import ConfigError
from .arguments import HELP, parted, take_presets
from .overrides import is_override, key_of

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from ..config.plan import RunPlan
    from ..config.schemas import App
    from ..result import Result
    from .hydra_app import AtEnd, Job


def run_or_help(
    app: App, words: list[str], job: Job, video: str | None = None, at_end: AtEnd | None = None
) -> None:
    """Run a Hydra application, or show its help; arguments as for `core.cli.hydra_app.run_app`.

    Raises:
        AsdError: The arguments are invalid, or the job failed.
    """
    if HELP & set(words):
        from .help import app_help
        from .layout import help_width

        words, presets = take_presets(words)
        overrides = [word for word in words if is_override(word)]
        print(app_help(app, overrides, presets, help_width()), end="")
        return
    plain, flags = parted(words, app.keys)
    stray = [word for word in plain if not is_override(word)]
    if "--" in words or stray:
        what = repr(stray[0]) if stray else "--"
        raise ConfigError(
            f"{app.command} takes options of the form KEY=VALUE, but got {what}",
            f"Use: {stray[0]}=VALUE" if stray and stray[0] in app.keys else f"Use: {app.usage}",
        )
    job = partial(_as_loud_as_asked, job)
    if flags or any(_needs_hydra(word) for word in plain):
        from .hydra_app import run_app

        run_app(app, [*plain, *flags], job, video, at_end)
    else:  # Hydra composes twice to run the same job, which takes longer than loading the models
        from ..config.compose import compose_app

        job(compose_app(app, plain, video), None)


def _as_loud_as_asked(job: Job, config: DictConfig, folder: str | None) -> float | None:
    """Do a job; with quiet=true neither warnings nor bars are shown meanwhile."""
    with _hushed() if config.get("quiet") else nullcontext():
        return job(config, folder)


@contextmanager
def _hushed() -> Iterator[None]:
    """Show neither warnings nor bars while the block runs."""
    log = logging.getLogger()
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with hidden():
            yield
    finally:
        log.setLevel(before)


def teller(config: DictConfig) -> Callable[[str], None]:
    """What prints a line at once, so that a log can be followed; with quiet=true it does not."""
    return untold if config.quiet else partial(print, flush=True)


def untold(line: str) -> None:
    """Print nothing."""


def _needs_hydra(override: str) -> bool:
    """Whether an override sets what only a Hydra application has, or may refer to it."""
    return key_of(override).startswith("hydra") or "${" in override


def run_shown(plan: RunPlan, output: str | None = None) -> Result:
    """Run a plan, showing progress and summary unless it is to be quiet.

    Args:
        plan: The plan.
        output: Folder for the results, if not the plan's.

    Raises:
        AsdError: See `core.pipeline.execute`.
    """
    from dataclasses import replace

    from ..pipeline import execute
    from .console import ProgressLine, print_summary

    if output:
        plan = replace(plan, options=replace(plan.options, output=output))
    quiet = plan.options.quiet
    with ProgressLine(quiet=quiet) as progress, _hushed() if quiet else nullcontext():
        result = execute(plan, progress)
    if not quiet:
        print_summary(result)
    return result
