"""`asd train`: trains a scorer on labelled faces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..plugin_files import OPTION
from ..registry import registry
from ..stopping import last_resort
from .apps import run_or_help, teller

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from omegaconf import DictConfig

    from ..config.schemas import App


def train_app() -> App:
    """The Hydra application of the command."""
    from ...training.settings import TRAIN

    return TRAIN


def command(words: list[str]) -> None:
    """Run the command with its arguments; see `core.cli.apps.run_or_help` for errors."""
    run_or_help(train_app(), words, _report)


def _report(config: DictConfig, output: str | None = None) -> float | None:
    """Train as configured, and print what came of it; return the best average precision."""
    from ...training.processes import GOES_ON
    from ...training.run import train
    from ...training.settings import make_train_plan
    from .console import ProgressLine

    plan = make_train_plan(config)
    folder = Path(output or plan.options.output)
    try:
        with last_resort(lambda: GOES_ON), ProgressLine(quiet=config.quiet) as progress:
            record = train(plan, folder, teller(config), progress)
    except KeyboardInterrupt as stop:
        stop.args = (GOES_ON,)
        raise
    print_training(record, folder, quiet=config.quiet)
    best: float | None = record["best"]["average_precision"]
    return best


def print_training(record: Mapping[str, Any], folder: Path, *, quiet: bool) -> None:
    """Print what came of a training, and what to do with it, unless it is to be quiet.

    Args:
        record: What training.json says.
        folder: The folder of the training.
        quiet: Whether to print nothing.
    """
    if quiet:
        return
    from ..config.words import typed

    history, best = record["history"], record["best"]
    begun = history[0]
    before = f", {begun['average_precision']:.4f} before" if begun["epoch"] == 0 else ""
    print(
        f"best average precision {best['average_precision']:.4f}, after epoch {best['epoch']} of "
        f"{history[-1]['epoch']}{before}"
    )
    name = record["settings"]["scorer"]["name"]
    chosen = f"scorer={name} {typed('scorer.weights', folder / 'best.model')}"
    alike = "".join(
        f" {typed(f'scorer.{key}', _words(value))}" for key, value in record["scores_with"].items()
    )
    if files := record["settings"][OPTION]:
        chosen = f"{typed(OPTION, files)} {chosen}"
    print(f"to use it: asd run FILE {chosen}{alike}")
    if registry().find("scorer", name).export:
        print(f"to have it without PyTorch: asd export {chosen} output=FOLDER")
    print(
        f"to have its probabilities mean what they say: asd calibrate dataset=NAME {chosen}{alike}"
    )


def _words(value: Any) -> str | list[str]:
    """The value of a parameter as it is typed."""
    return [str(one) for one in value] if isinstance(value, list | tuple) else str(value)
