"""Figures with Matplotlib, without global state, and byte-identical for the same numbers."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import MissingExtraError
from .files import whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 128
"""Resolution of the PNG files: a power of two, so that sizes in pixels are exact."""
_FONT = "DejaVu Sans"
"""Ships with Matplotlib."""
_STYLE: dict[Any, Any] = {
    "font.size": 8.0,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "asdkit",  # ids are the same each time
    "text.parse_math": False,  # a dollar in a name is a dollar
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def require_matplotlib(needed_by: str, instead: str = "") -> None:
    """Check that Matplotlib is installed.

    Args:
        needed_by: The option that needs it, such as "plots=true".
        instead: An alternative without it.

    Raises:
        MissingExtraError: Matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise MissingExtraError(needed_by, "matplotlib", "evaluate", instead)


def files_of(stem: Path) -> list[Path]:
    """The files of a figure: STEM.svg and STEM.png."""
    return [stem.with_name(stem.name + suffix) for suffix in (".svg", ".png")]


@contextmanager
def drawn(stem: Path, width_px: int, height_px: int, texts: Iterable[str] = ()) -> Iterator[Figure]:
    """Yield a figure to draw on; write it to `files_of(stem)` if the block succeeds.

    The files do not depend on the user's settings of Matplotlib.

    Args:
        stem: Path of the files without their suffix.
        width_px: Width in pixels.
        height_px: Height in pixels.
        texts: Texts of the figure that may have characters missing in Matplotlib's own font; for
            these, system fonts are used where available.

    Raises:
        OutputError: The files cannot be written.
    """
    with _quiet():
        import matplotlib
        from matplotlib.figure import Figure

        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update({**_STYLE, "font.family": _fonts_for("".join(texts))})
            figure = Figure((width_px / DPI, height_px / DPI), dpi=DPI, layout="constrained")
            yield figure
            for path in files_of(stem):
                metadata = {"Date": None} if path.suffix == ".svg" else {"Software": None}
                with whole(path) as aside:
                    figure.savefig(aside, metadata=metadata)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Matplotlib's messages on fonts and folders, which users cannot act on."""
    log = logging.getLogger("matplotlib")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
            warnings.filterwarnings("ignore", "Matplotlib currently does not support", UserWarning)
            yield
    finally:
        log.setLevel(level)


def _fonts_for(text: str) -> list[str]:
    """Fonts that together cover a text as far as possible, Matplotlib's own first."""
    from matplotlib.font_manager import fontManager, get_font

    fonts = [_FONT]
    missing = {ord(c) for c in text} - set(get_font(fontManager.findfont(_FONT)).get_charmap())
    regular = {
        f.name: f.fname for f in fontManager.ttflist if (f.style, f.weight) == ("normal", 400)
    }
    for name, path in sorted(regular.items()):
        if not missing:
            break
        try:
            held = missing.intersection(get_font(path).get_charmap())
        except (OSError, RuntimeError):  # a damaged font, or one removed meanwhile
            continue
        if held and "Last Resort" not in name:
            fonts.append(name)
            missing -= held
    return fonts
