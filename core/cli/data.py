"""`asd data`: makes and checks data for trainings."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..config.words import typed
from ..errors import ConfigError
from ..files import expanded
from ..spelling import guess
from .apps import run_or_help, teller
from .arguments import HELP, with_files
from .overrides import key_of
from .tables import print_columns

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from ..data.check import Checked

_ABOUT = """\
asd data ACTION [OPTION=VALUE ...]

Data for trainings. asd data ACTION --help tells of all options.

  crops      cut labelled faces and their sound out of videos, in the form of AVA-ActiveSpeaker
  check      find what breaks trainings in labelled data
  dialogues  make synthetic dialogues out of clips of single people
"""
ACTIONS = ("crops", "check", "dialogues")


def command(words: list[str]) -> None:
    """Run the command with its arguments; see `core.cli.apps.run_or_help` for errors."""
    action, rest = (words or [""])[0], words[1:]
    if action in HELP:
        print(_ABOUT, end="")
        return
    if action not in ACTIONS:
        what = (
            f"does not know {action!r}; it knows" if action else "needs to know what to do, one of"
        )
        raise ConfigError(
            f"data {what} {', '.join(ACTIONS)}",
            guess(action, ACTIONS, "asd data --help tells what each does"),
        )
    from ..data.dialogue_settings import DIALOGUES
    from ..data.settings import CHECK, CROPS

    if action == "dialogues":
        run_or_help(DIALOGUES, rest, _dialogues)
        return
    app, job = {"crops": (CROPS, _crops), "check": (CHECK, _check)}[action]
    chosen = any(key_of(word).partition(".")[0] == "dataset" for word in rest)
    run_or_help(app, with_files(rest, app.keys, "results"), partial(job, with_dataset=chosen))


def _crops(config: DictConfig, output: str | None = None, *, with_dataset: bool) -> None:
    from ..data.crops import make_crops
    from ..data.parts import TRAIN, VALIDATION
    from ..data.settings import CROPS
    from ..data.sources import make_data_plan
    from ..data.tables import ALL, labels_of
    from .console import ProgressLine

    plan = make_data_plan(CROPS, config, with_dataset=with_dataset)
    folder = expanded(output or plan.options.output)
    try:
        with ProgressLine(quiet=config.quiet) as progress:
            made = make_crops(plan, folder, teller(config), progress)
    except KeyboardInterrupt as stop:
        stop.args = ("The same command goes on with what is left",)
        raise
    if not config.quiet:
        counts = f"videos {made.videos}, of them new {made.new}"
        print(f"{folder}: {counts}, faces {made.faces}, labels {made.labels}")
        print(f"Read it with: {_read_with('dataset', folder, ALL)}")
        if plan.options.validation_part:
            print(
                f"Train with: {_read_with('dataset', folder, labels_of(TRAIN))} "
                f"{_read_with('validation', folder, labels_of(VALIDATION))}"
            )


def _read_with(kind: str, folder: Path, labels: str) -> str:
    """The options that read labels of a folder of crops."""
    truth, crops = typed(f"{kind}.truth", folder / labels), typed(f"{kind}.crops", folder)
    return f"{kind}=ava {truth} {crops}"


def _dialogues(config: DictConfig, output: str | None = None) -> None:
    from ..config.compose import settings_of
    from ..config.values import make
    from ..data.dialogue_set import make_dialogues
    from ..data.dialogue_settings import DIALOGUES, DialoguesOptions
    from .console import ProgressLine

    options: DialoguesOptions = make(DialoguesOptions, settings_of(DIALOGUES, config))
    try:
        with ProgressLine(quiet=config.quiet) as progress:
            folders = make_dialogues(
                options, expanded(output or options.output), teller(config), progress
            )
    except KeyboardInterrupt as stop:
        stop.args = ("The same command goes on with what is left",)
        raise
    if not config.quiet:
        for folder in folders:
            print(f"Read them with: dataset=dialogue dataset.folder={folder}")


def _check(config: DictConfig, output: str | None = None, *, with_dataset: bool) -> None:
    """Check, print what is wrong, and exit with 1 if anything is."""
    from ..data.check import check, read_checked, write_checked
    from ..data.settings import CHECK
    from ..data.sources import make_data_plan
    from .console import ProgressLine

    plan = make_data_plan(CHECK, config, with_dataset=with_dataset)
    options = plan.options
    other = read_checked(expanded(options.other)) if options.other else None
    with ProgressLine(quiet=config.quiet) as progress:
        found = check(plan.sources, other, progress)
    path = Path(output, "check.json") if output else options.output and expanded(options.output)
    if path:
        write_checked(found, plan.settings, path)
    if not config.quiet:
        _print_checked(found)
    if found.problems:
        sys.exit(1)


def _print_checked(found: Checked) -> None:
    """Print each problem with its remedy, then how many there are of each kind."""
    from ..data.problems import KINDS

    for one in found.problems:
        at = "" if one.time_s is None else f" at {one.time_s:.2f} s"
        where = " ".join(word for word in (one.video, one.face) if word) or "the whole set"
        print(f"{one.kind}: {where}{at}: {one.said}")
    for note in found.notes:
        print(f"note: {note}")
    labels = f"labels {found.labels}, of them speaking {found.speaking}"
    print(f"videos {found.videos}, faces {found.faces}, {labels}")
    if found.problems:
        print()
        rows = [(kind, str(count), KINDS[kind]) for kind, count in found.counts.items()]
        print_columns([("problem", "count", "what to do"), *rows])
    else:
        print("Nothing is wrong with them")
