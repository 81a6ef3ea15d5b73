"""Gives people names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import ConfigError
from ..files import same_form
from ..results import printable, voice_names
from ..spelling import guess
from ..types import OFF_SCREEN
from ..voice import Voice
from ..voices.assigning import names_of
from ..voices.joining import joined
from .deciding import rules_of

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

    def voice(one: Voice, key: str) -> Voice:
        return replace(
            one,
            name=names.get(key, one.name),
            person=None if one.person is None else name(one.person),
            exceptions=tuple((a, b, name(person)) for a, b, person in one.exceptions),
            cannot_be=tuple(map(name, one.cannot_be)),
        )

    off_screen = result.off_screen_names
    keys = _keys(result)
    named = replace(
        result,
        tracks=tuple(
            replace(track, identity=names[track.name]) if track.name in names else track
            for track in result.tracks
        ),
        voices=None if result.voices is None else tuple(map(voice, result.voices, keys)),
        off_screen_names=None
        if off_screen is None
        else tuple(None if one is None else name(one) for one in off_screen),
        folder=None,
        files=(),
    )
    return _with_people(named, [(key, key in names) for key in keys])


def _with_people(result: Result, keys: Sequence[tuple[str, bool]]) -> Result:
    """The result, in which a voice that has got the name of somebody seen is that person's.

    So is one of nobody whose name somebody seen has got. But two who had one name by chance, the
    voice and the person, stay two.

    Args:
        result: The result, with new names.
        keys: By voice: what its key was (see `_keys`), and whether it has a new name.
    """
    owner = names_of(result.voices or (), result.tracks)
    people = {track.name: owner[track.id] for track in result.tracks}
    people |= {person: person for person in owner.values()}
    joining = {}
    for place, (voice, (key, is_new)) in enumerate(zip(result.voices or (), keys, strict=True)):
        meant = is_new or (voice.person is None and voice.name == key)
        if meant and voice.name in people:
            joining[place] = people[voice.name]
    if not joining:
        return result
    return joined(result, joining, rules_of(result.settings, {}, None).speech.off_screen_min_s)


def known_names(result: Result) -> list[str]:
    """The names that can be changed: those of tracks, then those of voices."""
    return list(dict.fromkeys([*(track.name for track in result.tracks), *_keys(result)]))


def _keys(result: Result) -> list[str]:
    """By voice: its name among `known_names`; one that somebody seen has, too, is numbered."""
    voices = result.voices or ()
    shown = voice_names(voices, {track.name for track in result.tracks})
    return [voice.name if voice.name == voice.person else shown[voice.name] for voice in voices]


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
