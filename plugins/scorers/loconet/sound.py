"""The sound that LoCoNet hears: a log mel spectrogram as of VGGish, four steps to a frame.

Hershey et al., "CNN architectures for large-scale audio classification", ICASSP 2017; values of
vggish_params.py in the published code.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from ....core.scenes import Scene
from ....core.types import SAMPLE_RATE, SAMPLES_PER_FRAME, Float32, Float64

STEPS_PER_FRAME = 4
BANDS = 64
_STEP = SAMPLES_PER_FRAME // STEPS_PER_FRAME
_WINDOW = SAMPLE_RATE // 40
"""25 ms."""
_FFT = 512
_LOWEST_HZ, _HIGHEST_HZ = 125.0, 7500.0
_OFFSET = 0.01
"""Added to magnitudes, those of samples as whole numbers of 16 bits, before the logarithm."""


def log_mel(scene: Scene) -> Float32:
    """The logarithm of a scene's mel spectrogram.

    Step k is the window of 25 ms that begins at sample 160 k; the last windows reach into
    `scene.sound_after`.

    Args:
        scene: A scene of n frames.

    Returns:
        (4 n, 64) float32, natural logarithms.
    """
    sound = np.concatenate([scene.sound, scene.sound_after]).astype(np.float64)
    steps = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW)[::_STEP]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi / _WINDOW * np.arange(_WINDOW))
    magnitudes = np.abs(np.fft.rfft(steps * hann, _FFT))
    return np.log(magnitudes @ _bands() + _OFFSET).astype(np.float32)


@cache
def _bands() -> Float64:
    """The weight of each frequency in each band, (257, 64): triangles on HTK's mel scale."""
    frequencies = _mel(np.linspace(0, SAMPLE_RATE / 2, _FFT // 2 + 1))[:, None]
    lowest, highest = _mel(np.array([_LOWEST_HZ, _HIGHEST_HZ]))
    edges = np.linspace(lowest, highest, BANDS + 2)
    below, peak, above = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (frequencies - below) / (peak - below), (above - frequencies) / (above - peak)
    weights: Float64 = np.minimum(rising, falling).clip(0)
    return weights


def _mel(hertz: Float64) -> Float64:
    mel: Float64 = 1127.0 * np.log1p(hertz / 700.0)
    return mel
