"""`asd evaluate`: measures quality and cost of a configuration on labelled videos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .apps import run_or_help, teller

if TYPE_CHECKING:
    from omegaconf import DictConfig


def command(words: list[str]) -> None:
    """Run the command with its arguments; see `core.cli.apps.run_or_help` for errors."""
    from ..evaluation.settings import EVALUATE

    run_or_help(EVALUATE, words, _report, at_end=_print_comparison)


def _report(config: DictConfig, output: str | None = None) -> float | None:
    """Evaluate a composed configuration; return the measure's value for sweepers."""
    from ..evaluation.dataset import make_dataset_plan
    from ..evaluation.evaluate import evaluate
    from ..evaluation.settings import EVALUATE
    from ..evaluation.subprocess_runner import elsewhere
    from .console import ProgressLine
    from .evaluation_views import print_evaluation

    plan = make_dataset_plan(EVALUATE, config)
    folder = Path(output or plan.options.output)
    with ProgressLine(quiet=config.quiet) as progress, elsewhere(plan, progress) as compute:
        # In a sweep each job computes in a child process, so that peak memory is of this job alone.
        compute_elsewhere = compute if output else None
        found = evaluate(plan, folder, teller(config), progress, compute_elsewhere)
    print_evaluation(found, folder)
    value: float | None = found["measure"]["value"]
    return value


def _print_comparison(folder: Path, began_s: float) -> None:
    """Compare the evaluations of a multirun, without those of an earlier one in the same folder."""
    from ..evaluation.comparison_files import write_comparison
    from .evaluation_views import print_comparison

    found = [path for path in folder.glob("*/evaluation.json") if path.stat().st_mtime >= began_s]
    if found:
        print_comparison(write_comparison(found, folder), folder)
