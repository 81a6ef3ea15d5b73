"""The scorer `talknet`: windows of several lengths over one visual pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ....core.features import MFCC_STEPS_PER_FRAME, mfcc
from ....core.types import Clip, Float32, Scores, UInt8
from .windows import Int64, Window, plan

RUNTIMES = ("auto", "torch", "onnx")


@dataclass(frozen=True)
class TalkNetConfig:
    """TalkNet (Tao et al., ACM MM 2021).

    Attributes:
        weights: "talkset" (trained on TalkSet, made from LRS3 and VoxCeleb2), "ava" (trained on
            AVA-ActiveSpeaker), or a path: a checkpoint, a bundle that asd export made, or an
            ONNX model.
        runtime: "torch", "onnx" (ONNX Runtime; scorer=talknet_onnx sets it) or "auto": what the
            weights are for.
        tensorrt: With ONNX Runtime on CUDA, compute through TensorRT.
        window_seconds: Lengths of the windows whose logits are averaged, 1 or more each; a
            single one costs less and is less steady. One named twice counts twice.
        batch_frames: How many faces go through the network at once; each takes about 2 MB.
    """

    weights: str = "talkset"
    runtime: str = "auto"
    tensorrt: bool = False
    window_seconds: list[int] = field(default_factory=lambda: [1, 2, 3, 4, 5, 6])
    batch_frames: int = 32

    def __post_init__(self) -> None:
        if self.runtime not in RUNTIMES:
            raise ValueError(f"runtime must be {', '.join(RUNTIMES)}, but got {self.runtime!r}")
        if not self.window_seconds or min(self.window_seconds) < 1:
            raise ValueError(
                "window_seconds must list one length or more, each of 1 s or more, "
                f"but got {list(self.window_seconds)}"
            )
        if self.batch_frames < 1:
            raise ValueError(f"batch_frames must be 1 or more, but got {self.batch_frames}")


class Runtime(Protocol):
    """What computes the network; see `TorchRuntime`.

    Attributes:
        device: "cpu" or "cuda:N".
        window_frames: How many frames the windows handed to `logits` may have in all, if it is
            more than one window.
    """

    device: str
    window_frames: int

    def vectors(self, faces: UInt8, seen: Int64) -> NDArray[Any]:
        """(n, 112, 112) faces and (m, 5) frames seen to m rows, one for each of them."""

    def logits(self, visual: NDArray[Any], mfcc: Float32) -> Float32:
        """(k, T, ...) of these rows and (k, 4 T, 13) MFCC to logits (k, T, 2)."""


class TalkNet:
    """Scores clips with TalkNet, as the mean over windows of several lengths.

    The numbers are those of running the network over each window by itself; the visual frontend,
    nearly all of the work, is run once for all windows that show it the same frames.

    Args:
        runtime: The network, on its device.
        window_seconds: The lengths of the windows.
    """

    def __init__(self, runtime: Runtime, window_seconds: Sequence[int]) -> None:
        self._runtime = runtime
        self._window_seconds = window_seconds

    @property
    def device(self) -> str:
        """Where it computes: "cpu" or "cuda:N"."""
        return self._runtime.device

    def score(self, clips: Sequence[Clip]) -> list[Scores]:
        """Score clips of any length; clips do not influence each other.

        Returns:
            One `Scores` per clip, the mean of the logits over the window lengths.
        """
        totals = [np.zeros((len(clip), 2), np.float32) for clip in clips]
        vectors: list[NDArray[Any]] = []
        sounds = [mfcc(clip) for clip in clips]
        by_length: dict[int, list[tuple[int, Window]]] = defaultdict(list)
        for number, clip in enumerate(clips):
            seen, windows = plan(len(clip), self._window_seconds)
            vectors.append(self._runtime.vectors(clip.faces, seen))
            for window in windows:
                by_length[window.end - window.start].append((number, window))
        for length, windows_of_clips in by_length.items():
            at_once = max(1, self._runtime.window_frames // length)
            for first in range(0, len(windows_of_clips), at_once):
                batch = windows_of_clips[first : first + at_once]
                logits = self._runtime.logits(
                    np.stack([vectors[number][window.vectors] for number, window in batch]),
                    np.stack([_steps(sounds[number], window) for number, window in batch]),
                )
                for (number, window), found in zip(batch, logits, strict=True):
                    totals[number][window.start : window.end] += window.times * found
        return [Scores(total / np.float32(len(self._window_seconds))) for total in totals]


def _steps(sound: Float32, window: Window) -> Float32:
    """The MFCC steps of a window."""
    return sound[MFCC_STEPS_PER_FRAME * window.start : MFCC_STEPS_PER_FRAME * window.end]
