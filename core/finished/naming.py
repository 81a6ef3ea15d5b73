"""Gives people names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import ConfigError
from ..files import same_form
from ..results import printable
from ..spelling import guess
from ..types import OFF_SCREEN
from ..voice import Voice

if TYPE_CHECKING:
    from ..result import Result


def renamed(result: Result, names: Mapping[str, str]) -> Result:
    """See `Result.renamed`."""
    names = {same_form(old): _checked(old, new) for old, new in names.items()}
    known = known_names(result)
    for old in names:
        if old not in known:
            there = f"There are {', '.join(known)}" if known else "There is nobody in it"
            raise ConfigError(
                f"There is nobody called {old!r} in the result", guess(old, known, there)
            )

    def name(old: str) -> str:
        return names.get(old, old)

    def voice(one: Voice) -> Voice:
        return replace(
            one,
            name=name(one.name),
            person=None if one.person is None else name(one.person),
            exceptions=tuple((a, b, name(person)) for a, b, person in one.exceptions),
            cannot_be=tuple(map(name, one.cannot_be)),
        )

    off_screen = result.off_screen_names
    return replace(
        result,
        tracks=tuple(
            replace(track, identity=names[track.name]) if track.name in names else track
            for track in result.tracks
        ),
        voices=None if result.voices is None else tuple(map(voice, result.voices)),
        off_screen_names=None
        if off_screen is None
        else tuple(None if one is None else name(one) for one in off_screen),
        folder=None,
        files=(),
    )


def known_names(result: Result) -> list[str]:
    """The names that can be changed: those of tracks, then those of voices."""
    names = [track.name for track in result.tracks]
    names += [voice.name for voice in result.voices or ()]
    return list(dict.fromkeys(names))


def _checked(old: object, new: object) -> str:
    """A new name in Unicode's composed form and without line breaks.

    Raises:
        ConfigError: It is no name that somebody can have.
    """
    text = " ".join(same_form(printable(new)).split()) if isinstance(new, str) else ""
    if not text:
        raise ConfigError(f"The new name of {old} must be text, got {new!r}")
    if text.replace(" ", "_").casefold() == OFF_SCREEN:
        raise ConfigError(
            f"{old} cannot be called {text}",
            "That is the name of whoever speaks without being seen",
        )
    return text
