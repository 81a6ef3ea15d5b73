"""Input features of TalkNet, Light-ASD and LR-ASD: MFCC, and the normalisation of grey faces."""

from __future__ import annotations

import numpy as np

from ..labelled_clip import LabelledClip
from ..types import GRID_FPS, SAMPLE_RATE, Clip, Float32, Float64

FACE_MEAN = 0.4161
"""Mean grey level of the networks' training faces, where white is 1."""
FACE_STD = 0.1688
"""Their standard deviation: networks read `(x / 255 - FACE_MEAN) / FACE_STD`."""
MFCC_COEFFICIENTS = 13
MFCC_STEPS_PER_FRAME = 4
_WINDOW_S = 0.025
_STEP_S = 0.010
_PRE_EMPHASIS = 0.97


def mfcc(clip: Clip) -> Float32:
    """The mel-frequency cepstral coefficients of a clip's sound, four steps to a frame.

    python_speech_features computes them with its defaults (26 filters, FFT of 512, lifter 22, the
    first coefficient replaced by the log of the energy). Step k is the window of 25 ms that
    begins at sample 160 k; the last windows reach into `clip.sound_after`. Pre-emphasis reaches
    back into `clip.sound_before`, so consecutive clips give the same steps as the uncut sound.
    The energy of digital silence is the machine epsilon of float64, so its log is not -inf.

    Of a `LabelledClip` they are those of TalkNet's loader (dataLoader.py, load_audio): windows
    and steps last as much shorter or longer as the labels are faster or slower than 25 a second,
    and steps missing at the end are taken from the beginning.

    Args:
        clip: A clip of n frames.

    Returns:
        (4 n, 13) float32.
    """
    if isinstance(clip, LabelledClip):
        steps = _cepstra(clip.sound.astype(np.float64), _PRE_EMPHASIS, GRID_FPS / clip.fps)
        wanted = MFCC_STEPS_PER_FRAME * len(clip)
        return np.resize(steps, (wanted, MFCC_COEFFICIENTS))
    sound = np.concatenate([[clip.sound_before], clip.sound, clip.sound_after]).astype(np.float64)
    return _cepstra(sound[1:] - _PRE_EMPHASIS * sound[:-1])


def _cepstra(sound: Float64, pre_emphasis: float = 0, stretch: float = 1) -> Float32:
    """python_speech_features' MFCC, (steps, 13), of windows and steps `stretch` times as long."""
    from python_speech_features import mfcc as cepstra  # scipy behind it is slow to import

    steps = cepstra(
        sound,
        SAMPLE_RATE,
        winlen=_WINDOW_S * stretch,
        winstep=_STEP_S * stretch,
        numcep=MFCC_COEFFICIENTS,
        preemph=pre_emphasis,
    )
    return np.asarray(steps, np.float32)
