"""What was chosen or left out of a file: said once, and kept for the result."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

_log = logging.getLogger(__name__)


class Notes:
    """Sentences on what a run took or left of a file, in the order they came up.

    Args:
        said: What was said already.

    Example:
        >>> media.notes.add("sound track 2 of 3 is used: the default one cannot be decoded")
    """

    def __init__(self, said: Iterable[str] = ()) -> None:
        self._said: dict[str, None] = dict.fromkeys(said)

    def add(self, sentence: str) -> None:
        """Say a sentence as a warning and keep it; one that was said already is not said again."""
        if sentence not in self._said:
            self._said[sentence] = None
            _log.warning("%s", sentence)

    def __iter__(self) -> Iterator[str]:
        return iter(self._said)
