"""Puts the page of the worst moments together: one file without scripts, that loads nothing."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Sequence
from importlib.resources import files
from typing import NamedTuple

import numpy as np

from ..labels import Bool
from ..results import printable
from .moment_pictures import FLOOR_DB, Shown
from .moments import WINDOW_S, Curve, Moment

_WIDTH, _SCORE_HEIGHT, _LEVEL_HEIGHT = 400.0, 90.0, 34.0
"""Of the drawings, which are stretched to the width of the strip above them."""


class Card(NamedTuple):
    """A moment on the page.

    Attributes:
        moment: It.
        shown: Its pictures and sound levels.
        command: The command line that looks at the place; "" if there is no video.
    """

    moment: Moment
    shown: Shown
    command: str


def page(title: str, cards: Sequence[Card]) -> str:
    """The page as HTML.

    Its Content-Security-Policy lets nothing run and nothing be loaded but the pictures within it.

    Args:
        title: What was evaluated, in words.
        cards: The moments, the worst of each kind first.
    """
    style = files(__package__).joinpath("gallery.css").read_text("utf-8").replace("\r\n", "\n")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"style-src 'sha256-{digest}'"
    )
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">\n',
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
        f"<title>{_text(f'Worst moments: {title}')}</title>\n<style>{style}</style>\n</head>\n",
        f"<body>\n<header>\n<h1>Worst moments</h1>\n<p>{_text(title)}</p>\n{_KEY}</header>\n",
        "<main>\n",
        _section(
            "False alarms", "said to speak, but silent", [c for c in cards if not c[0].missed]
        ),
        _section("Misses", "speaks, but said to be silent", [c for c in cards if c[0].missed]),
        "</main>\n</body>\n</html>\n",
    ]
    return "".join(parts)


_KEY = """<ul class="key" aria-label="Key">
<li><span class="swatch curve"></span>probability of speaking</li>
<li><span class="swatch truth"></span>speaks, by the labels</li>
<li><span class="swatch wrong"></span>the moment</li>
<li><span class="swatch level"></span>sound level</li>
</ul>
"""


def _section(name: str, about: str, cards: Sequence[Card]) -> str:
    head = f"<h2>{name} <small>{about}</small></h2>\n"
    if not cards:
        return f"<section>\n{head}<p>There are none.</p>\n</section>\n"
    return f"<section>\n{head}<ol>\n{''.join(map(_card, cards))}</ol>\n</section>\n"


def _card(card: Card) -> str:
    moment, shown, command = card
    end_s = moment.from_s + WINDOW_S
    curve = moment.curve
    mean = float(curve.probability[_inside(moment)].mean()) if _inside(moment).any() else 0.0
    lasted = moment.end_s - moment.start_s
    said = "speaks" if moment.missed else "is silent"
    about = f"{said}; mean probability of speaking {mean:.2f}, for {lasted:.2f} s"
    if not curve.found.all():
        about += "; the face was not found" + (" at times" if curve.found.any() else "")
    shows = "The whole picture" if shown.whole else f"The face of {moment.person}"
    pictures = "".join(
        f"<li>{_picture(data, f'{shows} at {time_s:.2f} s')}</li>"
        for data, time_s in zip(shown.pictures, moment.times_s, strict=True)
    )
    look = f'<pre tabindex="0" aria-label="Command"><code>{_text(command)}</code></pre>\n'
    return (
        f"<li>\n<article>\n<h3><span>{_text(moment.person)}</span> "
        f"<small>{_text(moment.video)}, {_clock(moment.start_s)} to {_clock(moment.end_s)}</small>"
        f'</h3>\n<p>{_text(about)}</p>\n<ul class="strip{" whole" if shown.whole else ""}">'
        f"{pictures}</ul>\n{_score(moment)}{_level(shown)}"
        f'<p class="axis"><span>{_clock(moment.from_s)}</span><span>{_clock(end_s)}</span></p>\n'
        f"{look if command else ''}</article>\n</li>\n"
    )


def _picture(data: bytes | None, alt: str) -> str:
    if data is None:
        return '<span class="none">not seen</span>'
    text = base64.b64encode(data).decode("ascii")
    return f'<img src="data:image/jpeg;base64,{text}" alt="{_text(alt)}" loading="lazy">'


def _inside(moment: Moment) -> Bool:
    """Which rows of what is shown are of the moment."""
    time_s = moment.curve.time_s
    inside = (time_s >= moment.start_s) & (time_s < moment.end_s)
    own: Bool = inside & (moment.curve.truth == moment.missed)
    return own


def _score(moment: Moment) -> str:
    """The probability over time, where the face speaks, and where the moment is."""
    curve = moment.curve
    line = " ".join(
        f"{_x(time_s - moment.from_s):.1f},{_y(chance):.1f}"
        for time_s, chance in zip(curve.time_s, curve.probability, strict=True)
    )
    truth = "".join(_band(start, end, "truth") for start, end in _speaking(curve, moment.from_s))
    wrong = _band(moment.start_s - moment.from_s, moment.end_s - moment.from_s, "wrong")
    speaks = float(curve.truth.mean()) if len(curve.truth) else 0.0
    ends = (curve.probability.min(initial=1), curve.probability.max(initial=0))
    told = (
        f"Probability of speaking from {ends[0]:.2f} to {ends[1]:.2f}; by the labels the face "
        f"speaks in {speaks:.0%} of this time"
    )
    middle = _y(0.5)
    return (
        f'<svg class="score" viewBox="0 0 {_WIDTH:g} {_SCORE_HEIGHT:g}" preserveAspectRatio="none" '
        f'role="img" aria-label="{_text(told)}">{truth}{wrong}'
        f'<line class="half" x1="0" x2="{_WIDTH:g}" y1="{middle:g}" y2="{middle:g}"/>'
        f'<polyline class="curve" points="{line}"/></svg>\n'
    )


def _level(shown: Shown) -> str:
    """The sound level over time, as bars."""
    width = _WIDTH / len(shown.levels)
    heights = (1 - shown.levels / FLOOR_DB) * _LEVEL_HEIGHT
    bars = "".join(
        f'<rect x="{k * width:.1f}" y="{_LEVEL_HEIGHT - height:.1f}" width="{0.8 * width:.1f}" '
        f'height="{height:.1f}"/>'
        for k, height in enumerate(heights.tolist())
        if height > 0
    )
    told = f"Sound level from {shown.levels.min():.0f} to {shown.levels.max():.0f} dB"
    return (
        f'<svg class="level" viewBox="0 0 {_WIDTH:g} {_LEVEL_HEIGHT:g}" preserveAspectRatio="none" '
        f'role="img" aria-label="{_text(told)}">{bars}</svg>\n'
    )


def _speaking(curve: Curve, from_s: float) -> list[tuple[float, float]]:
    """The stretches in which the face speaks, in seconds from the beginning of what is shown."""
    if not len(curve.time_s):
        return []
    step_s = float(np.median(np.diff(curve.time_s))) if len(curve.time_s) > 1 else 0.04
    edges = np.flatnonzero(np.diff(curve.truth.astype(np.int8), prepend=0, append=0))
    return [
        (float(curve.time_s[begin]) - from_s, float(curve.time_s[end - 1]) + step_s - from_s)
        for begin, end in edges.reshape(-1, 2).tolist()
    ]


def _band(start_s: float, end_s: float, kind: str) -> str:
    x, end = _x(max(start_s, 0.0)), _x(min(end_s, WINDOW_S))
    y, height = (0.0, _SCORE_HEIGHT) if kind == "truth" else (_SCORE_HEIGHT - 4, 4.0)
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:g}" width="{end - x:.1f}" height="{height:g}"/>'


def _x(second: float) -> float:
    return second / WINDOW_S * _WIDTH


def _y(chance: float) -> float:
    """The height of a probability; there is some space above 1 and below 0."""
    return 5 + (1 - chance) * (_SCORE_HEIGHT - 14)


def _clock(second: float) -> str:
    minutes, rest = divmod(second, 60)
    return f"{int(minutes)}:{rest:05.2f}"


def _text(text: str) -> str:
    return html.escape(printable(text))
