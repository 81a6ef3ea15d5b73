"""Pictures with Matplotlib: made without global state, the same bytes for the same numbers."""

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
"""Pixels an inch of the PNG files: a power of two, so that sizes in pixels come out exactly."""
_FONT = "DejaVu Sans"
"""Matplotlib brings it."""
_STYLE: dict[Any, Any] = {
    "font.size": 8.0,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "asdkit",  # ids are the same each time
    "text.parse_math": False,  # a dollar in a name is a dollar
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
    if find_spec("matplotlib") is None:
        raise MissingExtraError(needed_by, "matplotlib", "evaluate", instead)


def files_of(stem: Path) -> list[Path]:
    """The files of a picture: STEM.svg and STEM.png."""
    return [stem.with_name(stem.name + suffix) for suffix in (".svg", ".png")]


@contextmanager
def drawn(stem: Path, width_px: int, height_px: int, texts: Iterable[str] = ()) -> Iterator[Figure]:
    """A figure to draw on, written to `files_of(stem)`, each whole, once the block ends well.

    Whatever the user's own settings of Matplotlib are, the same drawing makes the same bytes.

    Args:
        stem: Path of the files without their suffix.
        width_px: Width in pixels.
        height_px: Height in pixels.
        texts: What may hold characters that Matplotlib's own font lacks: they are taken from the
            system's fonts, as far as there are any.

    Raises:
        OutputError: The file system refuses.
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
    """Keep what Matplotlib says of fonts and folders from the user, who cannot mend it."""
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
    """Fonts that hold the characters of a text as far as any does, Matplotlib's own first."""
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
