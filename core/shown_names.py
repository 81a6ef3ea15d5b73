"""The names of people as they are shown in files that people look at."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import count

from .result import Result
from .results import printable, turns
from .types import OFF_SCREEN

_PREFIX = "track_"
"""How `Track.name` begins without an identity."""
_UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff]")
"""Characters that XML 1.0 cannot hold, or that are invisible controls."""


def legible(text: str) -> str:
    """A text on one line; characters that are no text become U+FFFD."""
    return _UNWRITABLE.sub("\ufffd", " ".join(printable(text).split()))


def shown_names(result: Result, track: str = "Track ") -> Callable[[str], str]:
    """The function from a name in a result to the one that is shown, the same in all files.

    Names in a result are those of `Track.name` and `core.results.turns`. Tracks without identity
    are "Track 0" and so on, by the number that is in the name; who is not seen is "Off screen".
    All are on one line, and characters that are no text become U+FFFD. Who would be shown like
    somebody before is numbered: "Ann", "Ann 2". Those before are who is seen earlier, then voices
    of nobody who was seen, then who is off screen.

    Args:
        result: The result.
        track: What goes before the number of a track.
    """
    tracks = sorted(result.tracks, key=lambda one: one.first_frame)
    known = {one.name for one in tracks if one.identity is not None}
    nameless = {one.name for one in tracks} - known
    heard = (name for *_, name in turns(result) if name != OFF_SCREEN)

    def plain(name: str) -> str:
        if name in nameless:
            return f"{track}{name.removeprefix(_PREFIX)}"
        return "Off screen" if name == OFF_SCREEN else legible(name)

    names = dict.fromkeys([*(one.name for one in tracks), *heard, OFF_SCREEN])
    shown = _apart({name: plain(name) for name in names})
    return lambda name: shown.get(name) or legible(name)


def _apart(shown: Mapping[str, str]) -> dict[str, str]:
    """Number those that would be shown alike."""
    found: dict[str, str] = {}
    taken = set(shown.values())
    used: set[str] = set()
    for name, text in shown.items():
        found[name] = text
        if text in used:
            numbered = (f"{text} {number}" for number in count(2))
            found[name] = next(other for other in numbered if other not in taken)
        taken.add(found[name])
        used.add(found[name])
    return found
