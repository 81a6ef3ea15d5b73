"""Scores the clips of tracks, beside the rest of the pass if the scorer allows it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from ..contracts import Scorer
from ..progress import Stopwatch
from ..types import Clip, Float32, Scores
from .answers import asked, checked_scores

_MOST_WAITING = 1
"""How many groups of clips may wait while another one is scored; then the pass waits."""

Logits = list[Float32]
"""The logits of a track, clip by clip."""


class Scoring:
    """Scores clips, one group of them after the other.

    Args:
        scorer: The scorer.
        watch: Times the stage "score".
        name: The scorer in words.
        beside: Whether to score in a thread of its own, beside the caller's.
    """

    def __init__(self, scorer: Scorer, watch: Stopwatch, name: str, *, beside: bool) -> None:
        self._scorer = scorer
        self._watch = watch
        self._name = name
        self._thread = ThreadPoolExecutor(1, "asdkit-scores") if beside else None
        self._running: deque[tuple[list[Logits], Future[list[Scores]]]] = deque()

    def add(self, ready: Sequence[tuple[Logits, Clip]]) -> None:
        """Score a group of clips, now or soon; wait if too many are still to be scored.

        Args:
            ready: Each clip, and the list that its logits will be appended to.

        Raises:
            PluginError: The scorer breaks its contract, perhaps with an earlier group.
        """
        if not ready:
            return
        tracks, clips = [track for track, _ in ready], [clip for _, clip in ready]
        if self._thread is None:
            self._append(tracks, self._scores(clips))
            return
        while len(self._running) > _MOST_WAITING:
            self._take()
        self._running.append((tracks, self._thread.submit(self._scores, clips)))

    def look(self) -> None:
        """Take what has been scored meanwhile.

        Raises:
            PluginError: The scorer breaks its contract.
        """
        while self._running and self._running[0][1].done():
            self._take()

    def finish(self) -> None:
        """Wait until all clips are scored.

        Raises:
            PluginError: The scorer breaks its contract.
        """
        while self._running:
            self._take()

    def close(self) -> None:
        """Score no more clips; return once the thread has ended."""
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)

    def _take(self) -> None:
        tracks, future = self._running.popleft()
        self._append(tracks, future.result())

    def _scores(self, clips: list[Clip]) -> list[Scores]:
        with self._watch("score"), asked(self._name):
            answer = self._scorer.score(clips)
        return checked_scores(self._name, answer, clips)

    @staticmethod
    def _append(tracks: list[Logits], scores: list[Scores]) -> None:
        for track, score in zip(tracks, scores, strict=True):
            track.append(score.logits)
