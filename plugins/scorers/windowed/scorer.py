"""Scores clips as the mean of the logits over windows of several lengths."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ....core.analysis.features import MFCC_STEPS_PER_FRAME, mfcc
from ....core.types import Clip, Float32, Scores, UInt8
from .going_on import GoingOn
from .windows import Int64, Span, cut

WINDOW_FRAMES_PER_FACE = 32
"""After the frontend, so many times `batch_frames` frames are computed at once: a frame takes
megabytes in the frontend, but at most 70 kB after it, in windows of up to 60 s."""


class Runtime(Protocol):
    """Runs the network; see `TorchRuntime`.

    Attributes:
        device: "cpu" or "cuda:N".
        concurrent: Whether other components may run while it does.
        name: What computes it, "torch" or "onnx".
        window_frames: Most frames in a batch of windows passed to `logits`; a single window may
            be longer.
    """

    device: str
    concurrent: bool
    name: str
    window_frames: int

    def look(self, faces: UInt8, spans: Sequence[Span]) -> tuple[NDArray[Any], list[Int64]]:
        """Compute visual rows from (n, 112, 112) faces; return them, and row numbers by window."""

    def logits(self, visual: NDArray[Any], mfcc: Float32) -> Float32:
        """Compute logits (k, T, 2) from visual rows (k, T, ...) and MFCC (k, 4 T, 13)."""


class _Window(NamedTuple):
    """A window of one of the clips.

    Attributes:
        clip: The number of the clip.
        start: First frame of the window.
        end: One past its last frame.
        times: For how many of the window lengths this window occurs.
        rows: (end - start,) row number of each of its frames in the clip's visual rows.
    """

    clip: int
    start: int
    end: int
    times: int
    rows: Int64


class _Seen(NamedTuple):
    """What the visual frontend makes of a clip.

    Attributes:
        spans: The windows of the clip, and for how many of the window lengths each occurs.
        vectors: (m, ...) visual rows.
        rows: For each window, the (T,) row numbers of its frames.
    """

    spans: Counter[Span]
    vectors: NDArray[Any]
    rows: list[Int64]


class WindowedScorer:
    """Scores clips with a network that reads windows.

    The scores equal those of running the network on each window separately; visual vectors that
    several windows share are computed once.

    Args:
        runtime: The network, on its device.
        window_seconds: The lengths of the windows.
        refuses: Whether the weights tell a foreign sound.
        sound_early_s: How much earlier than in step they like sound best, in seconds.

    Attributes:
        reads_labelled_clips: See `core.labelled_clip.LabelledClip`.
        refuses_sounds: See `core.contracts.ShiftingScorer`; not with windows shorter than 10 s.
        sound_early_s: See there.
    """

    reads_labelled_clips = True

    def __init__(
        self,
        runtime: Runtime,
        window_seconds: Sequence[int],
        *,
        refuses: bool = False,
        sound_early_s: float = 0.0,
    ) -> None:
        self.refuses_sounds = refuses and min(window_seconds) >= 10
        self.sound_early_s = sound_early_s
        self._runtime = runtime
        self._window_seconds = window_seconds

    @property
    def concurrent(self) -> bool:
        """Whether other components may run meanwhile; see `core.contracts.Scorer`."""
        return self._runtime.concurrent

    @property
    def device(self) -> str:
        """The device the network runs on: "cpu" or "cuda:N"."""
        return self._runtime.device

    @property
    def runtime(self) -> str:
        """What computes the network: "torch" or "onnx"."""
        return self._runtime.name

    def score(self, clips: Sequence[Clip]) -> list[Scores]:
        """Score clips of any length; clips do not influence each other.

        Returns:
            One `Scores` per clip, the mean of the logits over the window lengths.
        """
        return self._scores(clips, [self._seen(clip) for clip in clips])

    def score_shifted(self, clips: Sequence[Clip]) -> list[Scores]:
        """Score one face with several sounds; see `core.contracts.ShiftingScorer`.

        The visual vectors are computed once for all clips.
        """
        if not clips:
            return []
        seen = self._seen(clips[0])
        return self._scores(clips, [seen] * len(clips))

    def follow(self) -> _Followed | None:
        """See `core.contracts.FollowingScorer`; None unless the runtime can."""
        going_on = getattr(self._runtime, "going_on", lambda: None)()
        return _Followed(self, going_on) if going_on else None

    def score_seen(self, clip: Clip, vectors: Float32) -> Scores:
        """Score a clip whose visual vectors are known.

        Its windows share them as they are: near the edges within the clip they saw beyond these.
        """
        spans = cut(len(clip), self._window_seconds)
        rows = [np.arange(start, end) for start, end in spans]
        (scores,) = self._scores([clip], [_Seen(spans, vectors, rows)])
        return scores

    def _seen(self, clip: Clip) -> _Seen:
        """The visual vectors of a clip."""
        spans = cut(len(clip), self._window_seconds)
        return _Seen(spans, *self._runtime.look(clip.faces, list(spans)))

    def _scores(self, clips: Sequence[Clip], seen: Sequence[_Seen]) -> list[Scores]:
        totals = [np.zeros((len(clip), 2), np.float32) for clip in clips]
        sounds = [mfcc(clip) for clip in clips]
        by_length: dict[int, list[_Window]] = defaultdict(list)
        for number, (spans, _, rows) in enumerate(seen):
            for ((start, end), times), mine in zip(spans.items(), rows, strict=True):
                by_length[end - start].append(_Window(number, start, end, times, mine))
        for length, windows in by_length.items():
            at_once = max(1, self._runtime.window_frames // length)
            for first in range(0, len(windows), at_once):
                batch = windows[first : first + at_once]
                logits = self._runtime.logits(
                    np.stack([seen[window.clip].vectors[window.rows] for window in batch]),
                    np.stack([_steps(sounds[window.clip], window) for window in batch]),
                )
                for window, found in zip(batch, logits, strict=True):
                    totals[window.clip][window.start : window.end] += window.times * found
        return [Scores(total / np.float32(len(self._window_seconds))) for total in totals]


class _Followed:
    """A face that is followed; see `core.contracts.FollowedByScorer`."""

    def __init__(self, scorer: WindowedScorer, going_on: GoingOn) -> None:
        self._scorer = scorer
        self._going_on = going_on

    def score(self, clip: Clip, new: int) -> Scores:
        """See there."""
        vectors = self._going_on.vectors(clip.faces[len(clip) - new :], len(clip))
        return self._scorer.score_seen(clip, vectors)


def _steps(sound: Float32, window: _Window) -> Float32:
    """The MFCC steps of a window."""
    return sound[MFCC_STEPS_PER_FRAME * window.start : MFCC_STEPS_PER_FRAME * window.end]
