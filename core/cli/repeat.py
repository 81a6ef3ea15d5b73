"""`asd repeat`: repeats a run, an evaluation or a training, and prints the differences."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from ..errors import ConfigError
from .apps import run_shown
from .arguments import HELP
from .overrides import is_override
from .parser import Parser

_ABOUT = """\
Runs again what made the results in a folder, a run's, an evaluation's or a training's, with the
same settings and on the same files, and says what differs, number for number. The new results go
into FOLDER-again.
"""


def command(words: list[str]) -> None:
    """Run the command with its arguments.

    Raises:
        AsdError: An argument or a file is invalid, or the repetition fails.
    """
    parser = Parser("repeat", _ABOUT, "asd repeat FOLDER [OPTION=VALUE ...]")
    parser.add_argument("folder", metavar="FOLDER", help="a folder of run, evaluate or train")
    parser.add_argument(
        "options",
        metavar="OPTION=VALUE",
        nargs="*",
        help="options of asd run to change, such as device=cpu; otherwise output alone",
    )
    given = parser.plain(words, _keys(words))
    folders = [word for word in given if not is_override(word) or os.path.isdir(word)]  # noqa: PTH112
    if len(folders) != 1:
        parser.error(f"takes one folder of results, but got {' '.join(folders) or 'none'}")
    folder = Path(folders[0]).resolve()
    overrides = [word for word in given if word != folders[0]]
    if folder.name == "training.json":
        folder = folder.parent
    if (folder / "training.json").exists():
        found = _train_again(folder, overrides)
    elif (folder / "evaluation.json").exists() and not (folder / "result.json").exists():
        found = _evaluate_again(folder, overrides)
    else:
        from ..repeat import begin_again

        again = begin_again(folder, overrides)
        _return_to(again.folder)
        found = again.differences(run_shown(again.plan()))
    print("\n".join(found) if found else "The same as before, number for number")


def _keys(words: list[str]) -> Collection[str]:
    """The options of asd run, if the arguments look as if one was written with dashes."""
    if all(word in HELP or not word.startswith("-") for word in words):
        return ()
    from ..config.compose import RUN

    return RUN.keys


def _evaluate_again(folder: Path, overrides: list[str]) -> list[str]:
    """Repeat an evaluation; return the differences."""
    from ..evaluation.evaluate import evaluate
    from ..evaluation.repeat import evaluation_differences, plan_again, read_evaluation
    from .console import ProgressLine
    from .evaluation_views import print_evaluation

    output = _output_alone("an evaluation", "asd evaluate", folder, overrides)
    before = read_evaluation(folder)
    _return_to(Path(before["provenance"].get("folder", ".")))
    with ProgressLine() as progress:
        now = evaluate(plan_again(before), output, print, progress)
    print_evaluation(now, output)
    return evaluation_differences(before, now)


def _train_again(folder: Path, overrides: list[str]) -> list[str]:
    """Repeat a training; return the differences."""
    from ...training.repeat import plan_again, read_training, training_differences
    from ...training.run import train
    from .console import ProgressLine
    from .train import print_training

    output = _output_alone("a training", "asd train", folder, overrides)
    before = read_training(folder)
    _return_to(Path(before["provenance"]["folder"]))
    with ProgressLine() as progress:
        now = train(plan_again(before, output), output, print, progress)
    print_training(now, output, quiet=False)
    return training_differences(before, now)


def _output_alone(what: str, instead: str, folder: Path, overrides: list[str]) -> Path:
    """The folder for the new results, the only thing that may be changed of some repetitions.

    Raises:
        ConfigError: Something else is to be changed.
    """
    if any(not word.startswith("output=") for word in overrides) or len(overrides) > 1:
        raise ConfigError(
            f"Of {what} repeat takes only output=FOLDER, but got {' '.join(overrides)}",
            f"To change options use {instead}",
        )
    given = overrides[0].partition("=")[2] if overrides else f"{folder}-again"
    return Path(given).absolute()


def _return_to(folder: Path) -> None:
    """Change to the folder a run was started in, to which relative paths in its settings refer."""
    if folder.is_dir():
        os.chdir(folder)
