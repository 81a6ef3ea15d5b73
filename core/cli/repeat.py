"""`asd repeat`: repeats a run or an evaluation, and prints the differences."""

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
Runs again what made the results in a folder, a run's or an evaluation's, with the same settings
and on the same files, and says what differs, number for number. The new results go into
FOLDER-again.
"""


def command(words: list[str]) -> None:
    """Run the command with its arguments.

    Raises:
        AsdError: An argument or a file is invalid, or the repetition fails.
    """
    parser = Parser("repeat", _ABOUT, "asd repeat FOLDER [OPTION=VALUE ...]")
    parser.add_argument("folder", metavar="FOLDER", help="a folder of asd run or asd evaluate")
    parser.add_argument(
        "options",
        metavar="OPTION=VALUE",
        nargs="*",
        help="options of asd run to change, such as device=cpu; of an evaluation output alone",
    )
    given = parser.plain(words, _keys(words))
    folders = [word for word in given if not is_override(word) or os.path.isdir(word)]  # noqa: PTH112
    if len(folders) != 1:
        parser.error(f"takes one folder of results, but got {' '.join(folders) or 'none'}")
    folder = Path(folders[0]).resolve()
    overrides = [word for word in given if word != folders[0]]
    if (folder / "evaluation.json").exists() and not (folder / "result.json").exists():
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

    if any(not word.startswith("output=") for word in overrides) or len(overrides) > 1:
        raise ConfigError(
            f"Of an evaluation repeat takes only output=FOLDER, but got {' '.join(overrides)}",
            "To change options use asd evaluate",
        )
    given = overrides[0].partition("=")[2] if overrides else f"{folder}-again"
    output = Path(given).absolute()
    before = read_evaluation(folder)
    _return_to(Path(before["provenance"].get("folder", ".")))
    with ProgressLine() as progress:
        now = evaluate(plan_again(before), output, print, progress)
    print_evaluation(now, output)
    return evaluation_differences(before, now)


def _return_to(folder: Path) -> None:
    """Change to the folder a run was started in, to which relative paths in its settings refer."""
    if folder.is_dir():
        os.chdir(folder)
