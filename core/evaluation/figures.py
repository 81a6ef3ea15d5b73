"""Pictures with Matplotlib: made without global state, the same bytes for the same numbers."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MissingExtraError
from ..files import whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 100
"""Pixels an inch of the PNG files."""
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "asdkit",
    "text.parse_math": False,  # a name may hold dollars
    "font.size": 10.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def require_matplotlib(needed_by: str, instead: str = "") -> None:
    """Refuse to go on without Matplotlib.

    Args:
        needed_by: What needs it, such as "plots=true".
        instead: What can be chosen instead.

    Raises:
        MissingExtraError: It is not installed.
    """
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # it tells of its cache
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(needed_by, "matplotlib", "evaluate", instead) from error


def new_figure(width_px: float, height_px: float) -> Figure:
    """An empty figure of this size, laid out so that nothing is cut off."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        return Figure((width_px / DPI, height_px / DPI), dpi=DPI, layout="constrained")


def saved(figure: Figure, stem: Path) -> list[Path]:
    """Save a figure as STEM.svg and STEM.png, each whole; returns the files.

    Raises:
        OutputError: The file system refuses.
    """
    import matplotlib

    paths = []
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # it shows a box instead
        for suffix, metadata in ((".svg", {"Date": None}), (".png", {"Software": None})):
            path = stem.with_name(stem.name + suffix)
            with whole(path) as aside:
                figure.savefig(aside, metadata=metadata)
            paths.append(path)
    return paths
