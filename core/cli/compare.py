"""`asd compare`: one table of evaluations, best first."""

from __future__ import annotations

from pathlib import Path

from .parser import Parser

_ABOUT = """\
Puts evaluations of the same videos beside each other, best first: compare.md, compare.csv and a
picture of quality against cost, compare.svg and compare.png, in the folder output.
"""


def command(words: list[str]) -> None:
    """Run the command with its arguments.

    Raises:
        AsdError: An argument or a file is invalid.
    """
    parser = Parser("compare", _ABOUT, "asd compare FOLDER ... [output=FOLDER]")
    parser.add_argument(
        "folders",
        nargs="*",
        metavar="FOLDER",
        help="a folder with an evaluation.json, or with folders that have one, as a sweep leaves",
    )
    parser.add_keys(output="where the table goes; asd_comparison if not given")
    folders, keys = parser.read(words)
    if not folders:
        parser.error("takes folders that hold evaluations, but got none")
    from ..evaluation.compare import write_comparison
    from .evaluation_views import print_comparison

    output = Path(keys.get("output") or "asd_comparison")
    print_comparison(write_comparison([Path(folder) for folder in folders], output), output)
