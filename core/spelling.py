"""Guesses which word a misspelt one was meant to be."""

from __future__ import annotations

from collections.abc import Iterable
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
    bare = {one.lstrip("-"): one for one in known}  # dashes would make short flags all alike
    typed = word.lstrip("-")
    meant = [one for one in bare if typed and one.startswith(typed)]
    if not 0 < len(meant) <= _MOST:
        meant = get_close_matches(typed, bare, 1, _LIKENESS)
    meant = [bare[one] for one in meant]
    return f"Did you mean {' or '.join(meant)}? {then}".rstrip() if meant else then
