"""The log mel spectra that CAM++ reads: those of Kaldi's compute-fbank-feats with 80 bins.

After Kaldi's feat/feature-window.cc and feat/mel-computations.cc with its defaults, but without
dither: windows of 25 ms every 10 ms, from 20 Hz to 8 kHz. As in 3D-Speaker, the mean of each bin
over the sound is then taken off, which also removes the colour of a microphone.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from ....core.types import SAMPLE_RATE, Float32, Float64, Int16

BINS = 80
_WINDOW = 400
_STEP = 160
_FFT = 512
_LOWEST_HZ = 20.0
_PRE_EMPHASIS = 0.97
_FLOOR = float(np.finfo(np.float32).eps)


def log_mel(sound: Int16) -> Float32:
    """The log mel spectra of a sound, less their mean.

    Args:
        sound: (n,) int16, 16 kHz mono; what is shorter than a window is padded with silence.

    Returns:
        (m, 80) float32, one row for each 10 ms of which a whole window lies in the sound.
    """
    samples = np.pad(sound / 32768.0, (0, max(_WINDOW - len(sound), 0)))
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_STEP]
    windows = windows - windows.mean(1, keepdims=True)
    before = np.concatenate([windows[:, :1], windows[:, :-1]], axis=1)
    power = np.abs(np.fft.rfft((windows - _PRE_EMPHASIS * before) * _povey(), _FFT)) ** 2
    spectra = np.log(np.maximum(power @ _filters().T, _FLOOR))
    centred: Float32 = (spectra - spectra.mean(0)).astype(np.float32)
    return centred


@cache
def _povey() -> Float64:
    """Kaldi's window: a Hann window to the power of 0.85."""
    window: Float64 = np.hanning(_WINDOW) ** 0.85
    return window


@cache
def _filters() -> Float64:
    """(80, 257) float64: triangles, equally wide and half overlapping on the mel scale."""
    edges = np.linspace(_mel(_LOWEST_HZ), _mel(SAMPLE_RATE / 2), BINS + 2)[:, None]
    mels = _mel(np.arange(_FFT // 2 + 1) * (SAMPLE_RATE / _FFT))
    rising = (mels - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - mels) / (edges[2:] - edges[1:-1])
    filters: Float64 = np.minimum(rising, falling).clip(0)
    return filters


def _mel(hertz: ArrayLike) -> Float64:
    return 1127 * np.log1p(np.asarray(hertz, np.float64) / 700)
