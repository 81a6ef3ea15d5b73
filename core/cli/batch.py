"""`asd batch`: runs many videos, on one machine or a cluster."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError
from ..spelling import guess
from .apps import run_or_help, teller, untold
from .arguments import in_shards, with_files

if TYPE_CHECKING:
    from omegaconf import DictConfig


def command(words: list[str]) -> None:
    """Run the command with its arguments; see `core.cli.apps.run_or_help` for errors."""
    from .batch_views import VIEWS, say_if_there

    if words and words[0] in VIEWS:
        say_if_there(words[0])
        VIEWS[words[0]](words[1:])
        return
    if len(words) > 1 and guess(words[0], VIEWS) and not Path(words[0]).exists():
        raise ConfigError(
            f"batch takes videos, or {', '.join(VIEWS)} with a folder, but got {words[0]!r}",
            guess(words[0], VIEWS),
        )
    from ..batch.settings import BATCH
    from .waiting import while_jobs_work

    words = in_shards(with_files(words, BATCH.keys, "videos"))
    with while_jobs_work(words):
        run_or_help(BATCH, words, _report)


def _report(config: DictConfig, folder: str | None = None) -> None:
    from ..batch.run import run_batch
    from .console import say_line

    # Jobs that differ in more than their shard have a folder each, within the output.
    if folder and (own := os.path.relpath(folder, config.output)) != os.curdir:
        config.output = os.path.join(config.output, own)  # noqa: PTH118 - as it was typed

    try:
        summary = run_batch(config, teller(config), untold if config.quiet else say_line)
    except KeyboardInterrupt as stop:
        stop.args = ("The same command goes on with what is left",)
        raise
    if config.quiet:
        print(summary)
