"""The commands `asd evaluate`, `compare`, `calibrate` and `repeat`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError
from .apps import run_or_help, run_shown
from .arguments import is_override

if TYPE_CHECKING:
    from omegaconf import DictConfig


def evaluate_command(words: list[str]) -> None:
    """`asd evaluate`: quality and cost of a configuration on a labelled dataset."""
    from ..evaluation.settings import EVALUATE

    run_or_help(EVALUATE, words, _report_evaluation, at_end=_print_comparison)


def _report_evaluation(config: DictConfig, output: str | None = None) -> float | None:
    """Evaluate what was composed; the number is for sweepers."""
    from ..evaluation.dataset import make_dataset_plan
    from ..evaluation.evaluate import evaluate
    from ..evaluation.settings import EVALUATE
    from ..evaluation.subprocess_runner import elsewhere
    from .console import ProgressLine, print_evaluation

    plan = make_dataset_plan(EVALUATE, config)
    folder = Path(output or plan.options.output)
    with ProgressLine() as progress, elsewhere(plan, progress) as compute:
        # In a sweep by a process of its own, so that memory is that of this configuration alone.
        found = evaluate(plan, folder, print, progress, compute if output else None)
    print_evaluation(found, folder)
    value: float | None = found["measure"]["value"]
    return value


def _print_comparison(folder: Path, began_s: float) -> None:
    """Compare what a multirun has evaluated; an earlier one may have left jobs in its folder."""
    from ..evaluation.compare import write_comparison
    from .console import print_comparison

    found = [path for path in folder.glob("*/evaluation.json") if path.stat().st_mtime >= began_s]
    if found:
        print_comparison(write_comparison(found, folder), folder)


def compare_command(words: list[str]) -> None:
    """`asd compare`: one table of evaluations."""
    given = [word.split("=", 1)[1] for word in words if word.startswith("output=")]
    folders = [Path(word) for word in words if not word.startswith("output=")]
    if not folders or len(given) > 1:
        raise ConfigError(
            "asd compare takes folders that hold evaluations, and perhaps output=FOLDER",
            "Use: asd compare FOLDER ...",
        )
    output = Path(given[0] if given else "asd_comparison")
    from ..evaluation.compare import write_comparison
    from .console import print_comparison

    print_comparison(write_comparison(folders, output), output)


def calibrate_command(words: list[str]) -> None:
    """`asd calibrate`: make probabilities mean what they say."""
    from ..evaluation.settings import CALIBRATE

    run_or_help(CALIBRATE, words, _report_calibration)


def _report_calibration(config: DictConfig, output: str | None = None) -> None:
    from ..evaluation.dataset import make_dataset_plan
    from ..evaluation.fitting import fit_calibration
    from ..evaluation.settings import CALIBRATE
    from .console import ProgressLine, print_calibration

    plan = make_dataset_plan(CALIBRATE, config)
    path = Path(output, "calibration.json") if output else Path(plan.options.output)
    with ProgressLine() as progress:
        fitted = fit_calibration(plan, path, print, progress)
    print_calibration(fitted, path)


def repeat_command(words: list[str]) -> None:
    """`asd repeat`: run again what made a result or an evaluation, and say what differs."""
    folders = [word for word in words if not is_override(word) or os.path.isdir(word)]  # noqa: PTH112
    if len(folders) != 1:
        raise ConfigError(
            f"asd repeat takes one folder of results, but got {' '.join(folders) or 'none'}",
            "Use: asd repeat FOLDER [output=FOLDER]",
        )
    folder = Path(folders[0]).resolve()
    overrides = [word for word in words if word != folders[0]]
    if (folder / "evaluation.json").exists() and not (folder / "result.json").exists():
        found = _evaluate_again(folder, overrides)
    else:
        from ..repeat import begin_again

        again = begin_again(folder, overrides)
        _return_to(again.folder)
        found = again.differences(run_shown(again.plan()))
    print("\n".join(found) if found else "The same as before, number for number")


def _evaluate_again(folder: Path, overrides: list[str]) -> list[str]:
    """Make an evaluation again; what differs."""
    from ..evaluation.evaluate import evaluate
    from ..evaluation.repeat import differences, plan_again, read_evaluation
    from .console import ProgressLine, print_evaluation

    if any(not word.startswith("output=") for word in overrides) or len(overrides) > 1:
        raise ConfigError(
            f"Of an evaluation asd repeat takes only output=FOLDER, but got {' '.join(overrides)}",
            "To change options use asd evaluate",
        )
    given = overrides[0].partition("=")[2] if overrides else f"{folder}-again"
    output = Path(given).absolute()
    before = read_evaluation(folder)
    _return_to(Path(before["provenance"].get("folder", ".")))
    with ProgressLine() as progress:
        now = evaluate(plan_again(before), output, print, progress)
    print_evaluation(now, output)
    return differences(before, now)


def _return_to(folder: Path) -> None:
    """Go where a run was started: relative paths in its settings mean files there."""
    if folder.is_dir():
        os.chdir(folder)
