"""Notes on what was chosen or left out of a file: logged once, and recorded in the result."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

_log = logging.getLogger(__name__)


class Notes:
    """Sentences on what a run used or left out of a file, in order of occurrence.

    Args:
        said: Sentences that were logged before.

    Example:
        >>> media.notes.add("sound track 2 of 3 is used: the default one cannot be decoded")
    """

    def __init__(self, said: Iterable[str] = ()) -> None:
        self._said: dict[str, None] = dict.fromkeys(said)

    def add(self, sentence: str) -> None:
        """Record a sentence and log it as a warning, unless it has been recorded already."""
        if sentence not in self._said:
            self._said[sentence] = None
            _log.warning("%s", sentence)

    def __iter__(self) -> Iterator[str]:
        return iter(self._said)
