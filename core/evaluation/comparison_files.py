"""Writes a comparison: tables as CSV, Markdown and LaTeX, and pictures."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..figures import require_matplotlib
from ..files import whole
from ..labels import Bool
from .compare import Comparison, compare
from .frames_file import FRAMES_FILE, read_frames
from .metrics import Floats
from .plots import MOST_CURVES, draw_curves, draw_quality_against_speed
from .tables import (
    Estimate,
    best_cells,
    cell_text,
    latex_table,
    latex_text,
    markdown_table,
    markdown_text,
)

STEM = "compare"
CURVES = f"{STEM}_curves"


def write_comparison(
    folders: Sequence[Path], output: Path, resamples: int = 0, baseline: Path | None = None
) -> Comparison:
    """Compare, and write compare.csv, compare.md, compare.tex, and pictures as SVG and PNG.

    Args:
        folders: See `compare`.
        output: Folder for the files; those of an earlier comparison are replaced.
        resamples: See `compare`.
        baseline: See `compare`.

    Raises:
        InputError: See `compare`.
        MissingExtraError: Matplotlib is not installed; the tables are written nevertheless.
        OutputError: The folder cannot be written to.
    """
    table = compare(folders, resamples, baseline)
    with (
        whole(output / f"{STEM}.csv") as aside,
        aside.open("w", encoding="utf-8", newline="") as file,
    ):
        csv.writer(file, lineterminator="\n").writerows(_with_ends(table))
    marked = [[f"**{cell}**" if best else cell for cell, best in row] for row in _md(table)]
    text = markdown_table(list(map(markdown_text, table.heads)), marked)
    for note in table.notes:
        text += f"\n{markdown_text(note)}\n"
    with whole(output / f"{STEM}.md") as aside:
        aside.write_text(text, encoding="utf-8")
    with whole(output / f"{STEM}.tex") as aside:
        aside.write_text(_latex(table), encoding="utf-8")
    if table.points:
        require_matplotlib("The picture of a comparison")
        draw_quality_against_speed(table.points, table.title, output / STEM)
    _draw_curves(table, output)
    return table


def _draw_curves(table: Comparison, output: Path) -> None:
    """Draw the curves of the best evaluations whose rows are there, if these are several."""
    curves: list[tuple[str, Floats, Bool]] = []
    for path, name in table.named:
        frames = path.with_name(FRAMES_FILE)
        if len(curves) < MOST_CURVES and frames.is_file():
            rows = read_frames(frames).scored
            if rows.truth.any():
                curves.append((name, rows.score, rows.truth))
    if len(curves) > 1:
        require_matplotlib("The picture of a comparison")
        draw_curves(curves, output / CURVES)


def _with_ends(table: Comparison) -> Iterator[Sequence[Any]]:
    """The lines of the CSV: columns with intervals are followed by two with their ends."""
    columns = list(zip(*table.rows, strict=True))
    ends = [any(isinstance(cell, Estimate) for cell in column) for column in columns]
    heads: list[str] = []
    for head, has_ends in zip(table.heads, ends, strict=True):
        heads += [head, f"{head} low", f"{head} high"] if has_ends else [head]
    yield heads
    for row in table.rows:
        cells: list[Any] = []
        for cell, has_ends in zip(row, ends, strict=True):
            given = isinstance(cell, Estimate)
            own = [cell.value, cell.low, cell.high] if given else [cell, None, None]
            cells += own if has_ends else own[:1]
        yield cells


def _md(table: Comparison) -> list[list[tuple[str, bool]]]:
    """The cells of the Markdown table, and whether each is its column's best."""
    best = _best(table)
    return [
        [(markdown_text(cell_text(cell)), (k, j) in best) for j, cell in enumerate(row)]
        for k, row in enumerate(table.rows)
    ]


def _latex(table: Comparison) -> str:
    best = _best(table)
    # A folder means nothing to who reads a paper.
    rows = [
        [
            f"\\textbf{{{_cell(cell)}}}" if (k, j) in best else _cell(cell)
            for j, cell in enumerate(row[:-1])
        ]
        for k, row in enumerate(table.rows)
    ]
    text = latex_table(list(map(latex_text, table.heads[:-1])), rows, table.settings)
    return text + "".join(f"% {latex_text(note)}\n" for note in table.notes)


def _cell(cell: Any) -> str:
    """A cell in LaTeX; the hyphen before a number is a minus there."""
    text = latex_text(cell_text(cell))
    return text.replace("-", "$-$") if isinstance(cell, float | Estimate) else text


def _best(table: Comparison) -> set[tuple[int, int]]:
    """The row and column of each best cell."""
    return {
        (k, j)
        for j, head in enumerate(table.heads)
        if head in table.better
        for k in best_cells([row[j] for row in table.rows], higher_is_better=table.better[head])
    }
