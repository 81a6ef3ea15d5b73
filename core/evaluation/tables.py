"""Tables in Markdown and LaTeX, and those of an evaluation's videos and categories."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..results import printable

OF_EACH = (
    ("rows", "rows"),
    ("positives", "speaking"),
    ("average_precision", "AP"),
    ("f1", "F1"),
    ("balanced_accuracy", "balanced accuracy"),
    ("diarization_error_rate", "DER"),
    ("missed_s", "missed s"),
    ("false_alarm_s", "false s"),
    ("confusion_s", "confused s"),
    ("off_screen_recall", "off-screen recall"),
    ("off_screen_precision", "off-screen precision"),
)
"""Metrics in a table of videos or categories, with their column heads."""
STEM = "tables"


class Estimate(NamedTuple):
    """A cell with a figure and its interval.

    Attributes:
        value: The figure.
        low: The lower end of its interval.
        high: The upper end.
        mark: Stars that tell how surely a difference is none of chance; else "".
    """

    value: float
    low: float
    high: float
    mark: str = ""

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]{self.mark}"


_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def markdown_text(text: str) -> str:
    """A text for a cell of a Markdown table."""
    told = _CONTROL.sub(" ", printable(text)).replace("<", "&lt;")
    return re.sub(r"([\\|*`])", r"\\\1", told)


def latex_text(text: str) -> str:
    """A text for LaTeX: what it would take for a command is escaped; UTF-8 stays."""
    return "".join(_LATEX.get(one, one) for one in _CONTROL.sub(" ", printable(text)))


def markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; cells are escaped by `markdown_text` before."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def latex_table(heads: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> str:
    r"""A `tabular` in LaTeX with the rules of the package booktabs.

    Args:
        heads: The heads of the columns, escaped by `latex_text` as are the cells.
        rows: The cells of each row.
        words: How many columns, from the left, hold words; those after them are set to the right.
    """

    def line(cells: Sequence[str]) -> str:
        text = " & ".join(cells)
        # After the end of a row, [ would begin an argument, and * change the command.
        return f"{'{}' if text[:1] in '[*' else ''}{text} \\\\\n"

    columns = "l" * words + "r" * (len(heads) - words)
    return (
        "% \\usepackage{booktabs}, \\usepackage[T1]{fontenc}\n"
        f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n{line(heads)}\\midrule\n"
        f"{''.join(map(line, rows))}\\bottomrule\n\\end{{tabular}}\n"
    )


def cell_text(cell: Any) -> str:
    """A cell as text: empty for None, numbers with four significant digits."""
    if cell is None:
        return ""
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def stars(chance: float) -> str:
    """Marks for a p-value: * below 0.05, ** below 0.01, *** below 0.001."""
    return "*" * sum(chance < level for level in (0.05, 0.01, 0.001))


def best_cells(values: Sequence[Any], *, higher_is_better: bool) -> set[int]:
    """The places of the best values of a column; none if all are alike."""
    known = {k: v[0] if isinstance(v, Estimate) else v for k, v in enumerate(values)}
    known = {k: v for k, v in known.items() if v is not None}
    if len(set(known.values())) < 2:
        return set()
    best = max(known.values()) if higher_is_better else min(known.values())
    return {k for k, v in known.items() if v == best}


def columns_of(table: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The columns of `OF_EACH` for which any row has a value, with their heads."""
    return {
        key: head
        for key, head in OF_EACH
        if any(one.get(key) is not None for one in table.values())
    }


def figure(value: Any) -> str:
    """A metric as text: "" if undefined, counts as they are, others with three decimals."""
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.3f}"


def write_tables(tables: Mapping[str, Mapping[str, Mapping[str, Any]]], folder: Path) -> None:
    """Write tables.md and tables.tex, if there is anything to tell.

    Args:
        tables: By what a table is of, such as "video": by name, its metrics.
        folder: The folder to write to.
    """
    told = {what: table for what, table in tables.items() if columns_of(table)}
    if not told:
        return
    marked, typeset = [], []
    for what, table in told.items():
        columns = columns_of(table)
        rows = [[figure(one.get(key)) for key in columns] for one in table.values()]
        heads = [what, *columns.values()]
        names = list(table)
        marked.append(
            markdown_table(
                heads,
                [[markdown_text(name), *row] for name, row in zip(names, rows, strict=True)],
            )
        )
        typeset.append(
            latex_table(
                list(map(latex_text, heads)),
                [[latex_text(name), *row] for name, row in zip(names, rows, strict=True)],
            )
        )
    (folder / f"{STEM}.md").write_text("\n".join(marked), encoding="utf-8")
    (folder / f"{STEM}.tex").write_text("\n".join(typeset), encoding="utf-8")
