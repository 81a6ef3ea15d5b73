"""Guesses which word a misspelt one was meant to be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

_LIKENESS = 0.65
"""How alike two words must be, from 0 to 1, to be taken for the same; see difflib."""
_MOST = 3
"""Most words that are offered because they begin with what was typed."""


def guess(word: str, known: Iterable[str], then: str = "") -> str:
    """A hint such as "Did you mean run?"; only `then` if no known word is like the given one.

    Args:
        word: The word that is not known.
        known: The words that are.
        then: What the hint goes on with.
    """
    meant = alike(word, known)
    return f"Did you mean {' or '.join(meant)}? {then}".rstrip() if meant else then


def one_of(name: str, value: str, known: Sequence[str]) -> str:
    """What to say of a value that is none of the known ones; see `guess`.

    Args:
        name: The option.
        value: Its value.
        known: The values that there are, two or more.
    """
    listed = f"{', '.join(known[:-1])} or {known[-1]}"
    return f"{name} must be {listed}, got {value!r}. {guess(value, known)}".rstrip(". ")


def alike(word: str, known: Iterable[str]) -> list[str]:
    """The known words that a misspelt one may stand for, best first; often none or one.

    Args:
        word: The word that is not known.
        known: The words that are.
    """
    bare = {one.lstrip("-"): one for one in known}  # dashes would make short flags all alike
    typed = word.lstrip("-")
    begun = [one for one in bare if typed and one.startswith(typed)]
    cased = {one.casefold(): one for one in bare}
    likely = get_close_matches(typed.casefold(), cased, 1, _LIKENESS)
    meant = [*(begun if len(begun) <= _MOST else ()), *(cased[one] for one in likely)]
    return [bare[one] for one in dict.fromkeys(meant)]
