"""The scorer `talknet`: windows of several lengths over one visual pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ....core.components import Context
from ....core.features import MFCC_STEPS_PER_FRAME, mfcc
from ....core.types import Clip, Float32, Scores
from ....core.weights import Weights, locate
from ...torch_support import import_torch, pick_device, set_threads
from .windows import Window, plan

if TYPE_CHECKING:
    from .torch_runtime import TorchRuntime

TALKSET = Weights(
    name="talknet_talkset",
    url=(
        "https://github.com/Namadgi/TalkNet-ASD/raw/"
        "12a30910be6c67f5e3a0e3cf1c1b9616227a0804/pretrain_TalkSet.model"
    ),
    published="pretrain_TalkSet.model",
    check="git:edb89e987f9f47ab277a7c116574da32c9400f16",
    size_bytes=None,
    licence="MIT",
)
AVA = Weights(
    name="talknet_ava",
    url=(
        "https://drive.usercontent.google.com/download"
        "?id=1NVIkksrD3zbxbDuDbPc_846bLfPSZcZm&export=download&confirm=t"
    ),
    published="pretrain_AVA.model",
    check="",
    size_bytes=None,
    licence="MIT",
)
_PUBLISHED = {"talkset": TALKSET, "ava": AVA}

_WINDOW_FRAMES_PER_FACE = 32
"""A frame takes about 2 MB in the visual frontend but 70 kB or less in a window of up to 60 s, so
this many times `batch_frames` go through the windows at once."""


@dataclass(frozen=True)
class TalkNetConfig:
    """TalkNet (Tao et al., ACM MM 2021).

    Attributes:
        weights: "talkset" (trained on TalkSet, made from LRS3 and VoxCeleb2), "ava" (trained on
            AVA-ActiveSpeaker) or the path of a checkpoint.
        window_seconds: Lengths of the windows whose logits are averaged, 1 or more each; a
            single one costs less and is less steady. One named twice counts twice.
        batch_frames: How many faces go through the network at once; each takes about 2 MB.
    """

    weights: str = "talkset"
    window_seconds: list[int] = field(default_factory=lambda: [1, 2, 3, 4, 5, 6])
    batch_frames: int = 32

    def __post_init__(self) -> None:
        if not self.window_seconds or min(self.window_seconds) < 1:
            raise ValueError(
                "window_seconds must list one length or more, each of 1 s or more, "
                f"but got {list(self.window_seconds)}"
            )
        if self.batch_frames < 1:
            raise ValueError(f"batch_frames must be 1 or more, but got {self.batch_frames}")


class TalkNet:
    """Scores clips with TalkNet, as the mean over windows of several lengths.

    The numbers are those of running the network over each window by itself; the visual frontend,
    nearly all of the work, is run once for all windows that show it the same frames.

    Args:
        runtime: The network, on its device.
        config: The lengths of the windows and the size of batches.
    """

    def __init__(self, runtime: TorchRuntime, config: TalkNetConfig) -> None:
        self._runtime = runtime
        self._window_seconds = config.window_seconds
        self._window_frames = config.batch_frames * _WINDOW_FRAMES_PER_FACE

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
        vectors: list[Float32] = []
        sounds = [mfcc(clip) for clip in clips]
        by_length: dict[int, list[tuple[int, Window]]] = defaultdict(list)
        for number, clip in enumerate(clips):
            seen, windows = plan(len(clip), self._window_seconds)
            vectors.append(self._runtime.vectors(clip.faces, seen))
            for window in windows:
                by_length[window.end - window.start].append((number, window))
        for length, windows_of_clips in by_length.items():
            at_once = max(1, self._window_frames // length)
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


def build(config: TalkNetConfig, context: Context) -> TalkNet:
    """Load TalkNet onto the device asked for.

    Raises:
        MissingExtraError: PyTorch is not installed.
        DeviceError: The device asked for is not there.
        WeightsError: The weights are missing, damaged or of another model.
    """
    import_torch("scorer=talknet")
    device = pick_device(context.device)
    set_threads(context.threads)
    from .checkpoint import read_network
    from .torch_runtime import TorchRuntime

    if config.weights in _PUBLISHED:
        path = locate(_PUBLISHED[config.weights])
    else:
        path = Path(config.weights).expanduser()
    return TalkNet(TorchRuntime(read_network(path), device, config.batch_frames), config)
