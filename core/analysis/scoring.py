"""Scores the clips of tracks, beside the rest of the pass if the scorer allows it."""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from queue import SimpleQueue
from threading import Thread

from ..contracts import Scorer
from ..progress import Stopwatch
from ..types import Clip, Float32, Scores
from .answers import asked, checked_scores

_MOST_WAITING = 1
"""How many groups of clips may wait while another one is scored; then the pass waits."""
_TELL_EVERY_S = 0.25
"""How long the pass waits for scores without telling so."""

Logits = list[Float32]
"""The logits of a track, clip by clip."""
Group = tuple[list[Clip], Future[list[Scores]]]
"""Clips that are scored together, and where their scores go."""


class Scoring:
    """Scores clips, one group of them after the other.

    Args:
        scorer: The scorer.
        watch: Times the stage "score".
        name: The scorer in words.
        beside: Whether to score in a thread of its own, beside the caller's.
        tell: Called before a group is scored in the caller's thread, and now and then while that
            waits for the other one. What it raises is raised.

    Attributes:
        done: How many frames have been scored.
        total: How many frames there have been to score.
    """

    def __init__(
        self,
        scorer: Scorer,
        watch: Stopwatch,
        name: str,
        *,
        beside: bool,
        tell: Callable[[], None] = lambda: None,
    ) -> None:
        self.done = self.total = 0
        self._tell = tell
        self._scorer = scorer
        self._watch = watch
        self._name = name
        self._groups: SimpleQueue[Group | None] = SimpleQueue()
        self._running: deque[tuple[list[Logits], Future[list[Scores]]]] = deque()
        self._thread: Thread | None = None
        if beside:
            self._thread = Thread(target=self._work, name="asdkit-scores", daemon=True)
            self._thread.start()

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
        self.total += sum(map(len, clips))
        if self._thread is None:
            self._tell()
            self._append(tracks, self._scores(clips))
            return
        while len(self._running) > _MOST_WAITING:
            self._take()
        scores: Future[list[Scores]] = Future()
        self._running.append((tracks, scores))
        self._groups.put((clips, scores))

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
        """Score no more clips; return once the thread has ended.

        A call of the scorer that still runs is ended as Ctrl-C ends one: by an exception at its
        next step.
        """
        thread, self._thread = self._thread, None
        if thread is None:
            return
        if self._running:
            number, error = ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_Closed)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(number, error)
        self._groups.put(None)
        thread.join()

    def _take(self) -> None:
        while not wait([self._running[0][1]], _TELL_EVERY_S).done:
            self._tell()
        tracks, future = self._running.popleft()
        try:
            self._append(tracks, future.result())
        finally:
            del future  # an error's traceback holds this frame, and so the clips

    def _work(self) -> None:
        """Score one group after the other; runs in the thread."""
        try:
            while group := self._groups.get():
                clips, scores = group
                try:
                    scores.set_result(self._scores(clips))
                except _Closed:
                    raise
                except BaseException as error:
                    scores.set_exception(error)
                del group, clips, scores
        except _Closed:
            return

    def _append(self, tracks: list[Logits], scores: list[Scores]) -> None:
        for track, score in zip(tracks, scores, strict=True):
            track.append(score.logits)
            self.done += len(score)

    def _scores(self, clips: list[Clip]) -> list[Scores]:
        with self._watch("score"), asked(self._name):
            answer = self._scorer.score(clips)
        return checked_scores(self._name, answer, clips)


class _Closed(BaseException):
    """Raised in the thread when nobody waits for its scores any more."""
