"""`asd compare`: one table of evaluations, best first."""

from __future__ import annotations

from pathlib import Path

from ..errors import ConfigError
from .parser import Parser

_ABOUT = """\
Puts evaluations of the same videos beside each other, best first: compare.md, compare.csv,
compare.tex, a picture of quality against cost, compare.svg and compare.png, and one of all curves
of precision over recall, compare_curves.svg and compare_curves.png, in the folder output. Each is
tested against the best, or against a baseline: is the difference more than chance?
"""


def command(words: list[str]) -> None:
    """Run the command with its arguments.

    Raises:
        AsdError: An argument or a file is invalid.
    """
    parser = Parser("compare", _ABOUT, "asd compare FOLDER ... [baseline=FOLDER] [output=FOLDER]")
    parser.add_argument(
        "folders",
        nargs="*",
        metavar="FOLDER",
        help="a folder with an evaluation.json, or with folders that have one, as a sweep leaves",
    )
    parser.add_keys(
        output="where the table goes; asd_comparison if not given",
        baseline="the evaluation that others are tested against; the best if not given",
        bootstrap="how often to draw and to swap videos or faces for tests: 1000 if not given; "
        "0 for no tests",
    )
    folders, keys = parser.read(words)
    if not folders:
        parser.error("takes folders that hold evaluations, but got none")
    from ..evaluation.comparison_files import write_comparison
    from .evaluation_views import print_comparison

    output = Path(keys.get("output") or "asd_comparison")
    baseline = Path(keys["baseline"]) if keys.get("baseline") else None
    resamples = _resamples(keys.get("bootstrap") or "1000")
    if baseline and not resamples:
        parser.error("tests against a baseline with bootstrap=100 or more, but got 0")
    paths = [Path(folder) for folder in folders]
    print_comparison(write_comparison(paths, output, resamples, baseline), output)


def _resamples(given: str) -> int:
    """A number of resamples.

    Raises:
        ConfigError: It is none, or out of range.
    """
    from ..evaluation.settings import check_bootstrap

    try:
        resamples = int(given)
    except ValueError:
        raise ConfigError(f"bootstrap must be a whole number, got {given}") from None
    try:
        check_bootstrap(resamples)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    return resamples
