"""`asd export`: exports a scorer's network to ONNX, and proves that it computes the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError
from ..spelling import guess
from .apps import run_or_help
from .parser import Parser

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from ..config.schemas import App

CHECK_KEYS = {
    "device": "where the graphs run: auto, cpu, cuda or cuda:N; cpu if not given",
    "threads": "CPU threads a library may use; its own choice if not given",
    "calibration": "of an int8 bundle, a video of people who talk, to judge by",
    "scorer.weights": "the checkpoint that was exported, if it is not a published one",
}
"""The options of `asd export check`, with their descriptions."""
_ABOUT_CHECK = """\
Repeats the proof of a bundle that asd export made, on this machine: its files are those that were
written, and its graphs give the numbers they should.
"""


def export_app() -> App:
    """The Hydra application of the command."""
    from ...export.settings import EXPORT

    return EXPORT


def command(words: list[str]) -> None:
    """Run the command with its arguments; see `core.cli.apps.run_or_help` for errors."""
    if words[:1] == ["check"]:
        _check(words[1:])
    elif words and guess(words[0], ["check"]):
        raise ConfigError(
            f"export takes options of the form KEY=VALUE, or check, but got {words[0]!r}",
            "Did you mean: asd export check FOLDER?",
        )
    else:
        run_or_help(export_app(), words, _report)


def _report(config: DictConfig, _: str | None = None) -> None:
    """Export as configured, and print how to run the bundle."""
    from ...export.bundles import export
    from ...export.settings import make_export_plan
    from ..config.words import typed

    plan = make_export_plan(config)
    folder = export(plan, print).folder
    weights = typed("scorer.weights", folder)
    use = f"asd run FILE scorer={plan.scorer.component.name} {weights}"
    print(f"{folder} is whole; to use it: {use}")


def _check(words: list[str]) -> None:
    from ...export.bundles import check, settings_to_check
    from ...export.settings import EXPORT, make_export_plan
    from ..bundle import Bundle
    from ..config.compose import compose_app

    parser = Parser("export check", _ABOUT_CHECK, "asd export check FOLDER [OPTION=VALUE ...]")
    parser.add_argument("folder", metavar="FOLDER", help="a folder that asd export wrote")
    parser.add_keys(**CHECK_KEYS)
    folders, given = parser.read(words)
    if len(folders) != 1:
        parser.error(f"takes one folder, but got {' '.join(folders) or 'none'}")
    bundle = Bundle(Path(folders[0]))
    options = [f"{key}={value}" for key, value in given.items()]
    config = compose_app(EXPORT, [*settings_to_check(bundle), *options])
    check(bundle, make_export_plan(config), print)
    print(f"{bundle.folder} is as it should be")
