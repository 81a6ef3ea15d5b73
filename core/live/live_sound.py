"""The sound of a live session: what has come, and what of it may be heard already."""

from __future__ import annotations

from collections import deque

from ..media.sound import Kept
from ..types import SAMPLE_RATE, Int16

_MOST_AHEAD = 10 * SAMPLE_RATE
"""So much sound is kept at most of what no grid frame has been handed out for: the newest."""


class LiveSound:
    """16 kHz mono on the clock of the picture, as it comes; see `core.media.sound.Hearable`.

    Only the sound of grid frames that were handed out can be heard, and silence after it, even if
    more has come: so what is computed does not depend on what came when.

    Attributes:
        reached: The sample after the last one that has come.
    """

    def __init__(self) -> None:
        self.reached = 0
        self._handed = 0
        """The sample after the last one that may be heard; what comes before it comes too late."""
        self._coming: deque[tuple[int, Int16, float]] = deque()
        self._kept = Kept()

    def put(self, at: int, samples: Int16, at_s: float) -> None:
        """Take the samples from `at` on, which came at `at_s`; those that come too late are lost.

        Samples before others that have come are too late as well.
        """
        skipped = max(self.reached - at, self._handed - at, len(samples) - _MOST_AHEAD, 0)
        self.reached = max(self.reached, at + len(samples))
        if skipped >= len(samples):
            return
        self._coming.append((at + skipped, samples[skipped:], at_s))
        while self._coming[0][0] < self.reached - _MOST_AHEAD:
            self._coming.popleft()

    def hand_out(self, first: int, stop: int) -> float | None:
        """Let all samples before `stop` be heard.

        Returns:
            When the last of the samples from `first` on came; None if none has come.
        """
        came: float | None = None
        while self._coming and self._coming[0][0] < stop:
            at, samples, at_s = self._coming.popleft()
            if at + len(samples) > first:
                came = at_s
            self._kept.put(at, samples[: stop - at])
            if at + len(samples) > stop:
                self._coming.appendleft((stop, samples[stop - at :], at_s))
        self._handed = max(self._handed, stop)
        return came

    def read(self, first: int, stop: int) -> Int16:
        """Read the samples from `first` up to `stop`.

        Args:
            first: Sample number from time zero, 16000 a second; not before the sample passed to
                `forget`.
            stop: The sample after the last one.

        Returns:
            (stop - first,) int16; silence before time zero, where no sound came, and after the
            last grid frame that was handed out.

        Raises:
            ValueError: `first` lies before the samples that are kept.
        """
        return self._kept.read(first, stop)

    def forget(self, sample: int) -> None:
        """Free the samples before `sample`; they cannot be read again."""
        self._kept.forget(sample)

    def __len__(self) -> int:
        """How many samples are in memory."""
        return len(self._kept) + sum(len(samples) for _, samples, _ in self._coming)
