"""Voice activity detection by energy: speech is sound well above the background noise.

Each octave of the sound is compared with its own noise level, as in the voice activity detector
of AMR (3GPP TS 26.094, option 1), so that hum or hiss masks only the octaves it is in. The noise
level is the lowest level of the last seconds, as the level of speech varies and has pauses (minimum
statistics; Martin, IEEE Transactions on Speech and Audio Processing 9(5), 2001).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ...core.component import Context
from ...core.types import GRID_FPS, SAMPLE_RATE, SAMPLES_PER_FRAME, Float32, Float64, Int16

_OCTAVES_HZ = 125 * 2 ** np.arange(6)
"""Centre frequencies of the octave bands of IEC 61260-1 that contain speech."""
_WINDOW_SAMPLES = 2 * SAMPLES_PER_FRAME
_EDGES_HZ = np.append(_OCTAVES_HZ, 2 * _OCTAVES_HZ[-1]) / np.sqrt(2)
_EDGES = np.round(_EDGES_HZ * _WINDOW_SAMPLES / SAMPLE_RATE).astype(int)
"""First bin of each octave in the spectrum of a window, and the bin after the last octave."""


@dataclass(frozen=True)
class EnergyConfig:
    """Parameters of the `energy` voice activity detection.

    Attributes:
        above_noise_db: How far above its noise the sound is, in each of two octaves at least,
            where speech is as likely as not; less hears quieter speech and more noise.
        noise_window_s: The noise is the lowest level of the last so many seconds. Noise that
            grows louder is taken for speech for so long; speech without any pause for longer is
            taken for noise.
        hold_s: Speech that was certain lasts so much longer, which closes pauses within words.
        quietest_dbfs: Noise in an octave is never taken to be quieter than this, in dB below
            full scale, so that no whisper of a fan stands out of digital silence.
    """

    above_noise_db: float = 11.0
    noise_window_s: float = 3.0
    hold_s: float = 0.2
    quietest_dbfs: float = -70.0

    def __post_init__(self) -> None:
        for name in ("above_noise_db", "noise_window_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")
        if self.hold_s < 0:
            raise ValueError(f"hold_s must be at least 0, got {self.hold_s}")
        if not -120 <= self.quietest_dbfs <= 0:
            raise ValueError(f"quietest_dbfs must be from -120 to 0, got {self.quietest_dbfs}")


class EnergyVad:
    """Processes one sound, piece by piece; the result does not depend on the division into pieces.

    The value of a frame depends on no later sound; of earlier sound, it depends on the 40 ms of the
    previous frame, the noise window and the hold.

    Attributes:
        memory_s: The sum of the noise window and twice the hold, in seconds.
    """

    def __init__(self, config: EnergyConfig) -> None:
        self._config = config
        noise_frames = max(round(config.noise_window_s * GRID_FPS), 1)
        hold_frames = round(config.hold_s * GRID_FPS)
        # A value of 1 decays to 0.5 within the hold time, and to 0 within twice that.
        self._held = np.linspace(-1.0, 0.0, 2 * hold_frames + 1) if hold_frames else np.zeros(1)
        self.memory_s = (noise_frames + 2 * hold_frames) / GRID_FPS
        self._sound = np.zeros(SAMPLES_PER_FRAME)
        self._levels = np.full((noise_frames - 1, len(_OCTAVES_HZ)), np.inf)
        self._heard = np.zeros(len(self._held) - 1)

    def speech(self, sound: Int16) -> Float32:
        """Process the next piece; see `core.contracts.Vad`.

        0 is the noise level, 0.5 is `above_noise_db` above it, 1 is twice that in dB above it.
        """
        if not len(sound):
            return np.empty(0, np.float32)
        levels = np.concatenate([self._levels, self._next_levels(sound)])
        noise = sliding_window_view(levels, len(self._levels) + 1, axis=0).min(axis=-1)
        above_db = levels[len(self._levels) :] - noise
        second = np.sort(above_db, axis=1)[:, -2]  # a tone or a whistle is in one octave only
        found = np.clip(second / (2 * self._config.above_noise_db), 0.0, 1.0)
        heard = np.concatenate([self._heard, found])
        held = (sliding_window_view(heard, len(self._held)) + self._held).max(axis=-1)
        self._levels = levels[len(found) :]
        self._heard = heard[len(found) :]
        speech: Float32 = held.astype(np.float32)
        return speech

    def _next_levels(self, sound: Int16) -> Float64:
        """The level of each octave in dB of full scale, frame by frame: (n, 6) float64.

        A Hann window covers each frame and the one before.
        """
        frames = np.concatenate([self._sound, sound / 32768.0]).reshape(-1, SAMPLES_PER_FRAME)
        self._sound = frames[-1]
        window = np.sin(np.pi * (np.arange(_WINDOW_SAMPLES) + 0.5) / _WINDOW_SAMPLES) ** 2
        spectrum = np.fft.rfft(np.hstack([frames[:-1], frames[1:]]) * window)[:, : _EDGES[-1]]
        power = 2 * np.abs(spectrum) ** 2 / (_WINDOW_SAMPLES * np.sum(window**2))
        octaves = np.add.reduceat(power, _EDGES[:-1], axis=1)
        levels: Float64 = 10 * np.log10(octaves + 10 ** (self._config.quietest_dbfs / 10))
        return levels


def build(config: EnergyConfig, context: Context) -> EnergyVad:
    """Build a detector for one sound."""
    return EnergyVad(config)
