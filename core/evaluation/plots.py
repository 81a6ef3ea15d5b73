"""Plots of evaluations: precision over recall, reliability, quality against speed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from ..figures import drawn, files_of
from ..labels import Bool
from ..types import Float64
from .metrics import Floats, Reliability, average_precision, precision_recall

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, GREY = "#0072B2", "#7F7F7F"
"""A colour safe for colour-blind readers (Okabe & Ito 2008), and a colour for reference lines."""
_COLOURS = ("#000000", "#E69F00", "#0072B2", "#D55E00", "#009E73")
"""Of the same palette, those that are dark enough on white."""
_DASHES = ("-", "--")
MOST_CURVES = len(_COLOURS) * len(_DASHES)
_MOST_POINTS = 2000
_SIDE_PX = 640
_LEGEND_CHARACTERS = 70
"""As many of a long name fit beside each other below the curves."""
_LABEL_PX = 18
"""Height of a label beside a point, with some space."""


def draw_precision_recall(scores: Floats, truth: Bool, stem: Path) -> list[Path]:
    """Draw precision over recall, with the average precision and the precision of guessing.

    Args:
        scores: (n,) the higher, the likelier that a row speaks; -inf where no face was found.
        truth: (n,) bool, who speaks.
        stem: Path of the files without their suffix.

    Returns:
        The files, SVG and PNG.

    Raises:
        InputError: Nobody speaks.
    """
    reached = average_precision(scores, truth)
    precision, recall = precision_recall(scores, truth)
    guessed = float(np.mean(truth))
    with drawn(stem, _SIDE_PX, _SIDE_PX) as figure:
        axes = figure.add_subplot()
        axes.plot(
            np.append(0.0, recall),
            np.append(precision[0], precision),
            color=BLUE,
            label=f"average precision {reached:.4f}",
        )
        axes.axhline(guessed, color=GREY, linestyle="--", label=f"guessing {guessed:.4f}")
        _unit_square(axes, "recall", "precision")
        axes.set_title(f"{len(truth)} labelled faces, {np.count_nonzero(truth)} of them speaking")
        axes.legend(loc="lower left")
    return files_of(stem)


def draw_curves(curves: Sequence[tuple[str, Floats, Bool]], stem: Path) -> list[Path]:
    """Draw precision over recall of several evaluations in one picture.

    Neighbouring lines differ in colour and in how they are dashed, so that they can be told apart
    in grey and by colour-blind readers.

    Args:
        curves: For each, at most `MOST_CURVES`: its name, the scores, and who speaks, as for
            `draw_precision_recall`; somebody speaks in each.
        stem: Path of the files without their suffix.

    Returns:
        The files, SVG and PNG.
    """
    labels = [
        fill(f"{name}: {average_precision(scores, truth):.4f}", _LEGEND_CHARACTERS)
        for name, scores, truth in curves
    ]
    lines = sum(label.count("\n") + 1 for label in labels)
    height_px = _SIDE_PX + _LABEL_PX * (lines + 1)
    with drawn(stem, _SIDE_PX, height_px, [name for name, _, _ in curves]) as figure:
        axes = figure.add_subplot()
        for number, (label, (_, scores, truth)) in enumerate(zip(labels, curves, strict=True)):
            precision, recall = _thinned(*precision_recall(scores, truth))
            axes.plot(
                np.append(0.0, recall),
                np.append(precision[0], precision),
                color=_COLOURS[number % len(_COLOURS)],
                linestyle=_DASHES[number * len(_DASHES) // MOST_CURVES],
                label=label,
            )
        _unit_square(axes, "recall", "precision")
        axes.set_box_aspect(1)
        figure.legend(loc="outside lower center", title="average precision")
    return files_of(stem)


def _thinned(precision: Float64, recall: Float64) -> tuple[Float64, Float64]:
    """A curve with as many points as can be seen, so that pictures of long curves stay small."""
    if len(recall) <= _MOST_POINTS:
        return precision, recall
    places = np.searchsorted(recall, np.linspace(recall[0], recall[-1], _MOST_POINTS))
    return precision[places], recall[places]


def draw_reliability(metrics: Mapping[str, Any], stem: Path) -> list[Path]:
    """Draw the fraction that speaks over the probability, and the number of rows in each bin.

    Args:
        metrics: The metrics of `rows.evaluate_rows`, of which `reliability` (lists with one item
            for each bin of equal width) and `expected_calibration_error` are used.
        stem: Path of the files without their suffix.

    Returns:
        The files, SVG and PNG.
    """
    said, speaking, rows = (
        np.array(metrics["reliability"][name], np.float64) for name in Reliability._fields
    )
    error = metrics["expected_calibration_error"]
    held = rows > 0
    with drawn(stem, _SIDE_PX, _SIDE_PX * 5 // 4) as figure:
        above, below = figure.subplots(2, height_ratios=(4, 1), sharex=True)
        above.plot((0, 1), (0, 1), color=GREY, linestyle="--", label="well calibrated")
        above.plot(said[held], speaking[held], color=BLUE, marker="o", label="evaluated")
        _unit_square(above, "", "part that speaks")
        above.set_title(
            "no face found" if error is None else f"expected calibration error {error:.4f}"
        )
        above.legend(loc="upper left")
        width = 1 / len(held)
        below.bar((np.arange(len(held)) + 0.5) * width, rows, 0.9 * width, color=BLUE)
        below.set(xlabel="probability of speaking", ylabel="faces")
    return files_of(stem)


def _unit_square(axes: Axes, across: str, up: str) -> None:
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel=across, ylabel=up)
    axes.grid(color="#E5E5E5", linewidth=0.6)


def draw_quality_against_speed(
    points: Sequence[tuple[float, float, str]], measure: str, stem: Path
) -> list[Path]:
    """Draw a metric of several configurations over their speed.

    The labels are in a column on the right, ordered by value, so that they do not overlap; a thin
    line joins each to its point.

    Args:
        points: (times real time, value, label) of each configuration; the first more than 0.
        measure: The name of the metric, in words.
        stem: Path of the files without their suffix.

    Returns:
        The files, SVG and PNG.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    height_px = max(_SIDE_PX, (len(points) + 6) * _LABEL_PX)
    ranked = sorted(points, key=lambda point: (point[1], -point[0]))
    speeds, values = (np.array([point[k] for point in ranked]) for k in (0, 1))
    with drawn(stem, _SIDE_PX * 7 // 4, height_px, [label for _, _, label in ranked]) as figure:
        axes = figure.add_subplot()
        axes.set_xscale("log")
        axes.axvline(1, color=GREY, linestyle="--")
        axes.text(1, 0.01, " real time", color=GREY, transform=axes.get_xaxis_transform())
        axes.plot(speeds, values, "o", color=BLUE)
        axes.margins(0.1)
        low, high = axes.get_ylim()
        places = _apart((values - low) / (high - low), _LABEL_PX / (0.85 * height_px))
        for (speed, value, label), place in zip(ranked, places, strict=True):
            axes.annotate(
                f"{label}: {value:.4g}",
                (speed, value),
                (1.03, place),
                textcoords="axes fraction",
                va="center",
                arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "relpos": (0, 0.5)},
            )
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda speed, _: f"{speed:g}"))
        axes.set(xlabel="times real time", ylabel=measure)
        axes.grid(color="#E5E5E5", linewidth=0.6)
    return files_of(stem)


def _apart(wanted: Float64, gap: float) -> list[float]:
    """Positions from 0 to 1 near the wanted, ascending ones; `gap` apart, if there is space."""
    gap = min(gap, 1 / max(len(wanted) - 1, 1))
    steps = gap * np.arange(len(wanted))
    pushed_up = np.maximum.accumulate(wanted - steps)
    places: list[float] = (np.clip(pushed_up, 0, 1 - steps[-1]) + steps).tolist()
    return places
