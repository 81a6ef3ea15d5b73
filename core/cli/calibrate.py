"""`asd calibrate`: fits a calibration of a scorer's probabilities."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .apps import run_or_help, teller

if TYPE_CHECKING:
    from omegaconf import DictConfig


def command(words: list[str]) -> None:
    """Run the command with its arguments; see `core.cli.apps.run_or_help` for errors."""
    from ..evaluation.settings import CALIBRATE

    run_or_help(CALIBRATE, words, _report)


def _report(config: DictConfig, output: str | None = None) -> None:
    from ..evaluation.dataset import make_dataset_plan
    from ..evaluation.fitting import fit_calibration
    from ..evaluation.settings import CALIBRATE
    from .console import ProgressLine, print_calibration

    plan = make_dataset_plan(CALIBRATE, config)
    path = Path(output, "calibration.json") if output else Path(plan.options.output)
    with ProgressLine(quiet=config.quiet) as progress:
        fitted = fit_calibration(plan, path, teller(config), progress)
    print_calibration(fitted, path)
