"""A scorer without weights: high scores where a mouth moves, relative to the head, during sound.

A baseline: unlike a trained scorer, it cannot tell speech from chewing, nor which of two people
with moving mouths is heard. Each frame's score combines two pieces of evidence, as odds:

- Motion. The head's motion from frame to frame (shift, zoom, rotation) and the change of light are
  estimated on the upper face (least squares on the gradient, as Lucas and Kanade 1981) and undone.
  The residual at the mouth, minus the residual at the upper face (noise, compression, a bad fit),
  is the mouth's own motion. Division by the picture's gradient converts the residual to pixels, so
  that blurred and sharp pictures compare. A running median keeps lasting motion, as of speech, and
  drops brief motion: a smile, a swallow, a jump of the face box.
- Sound. The level relative to the clip's own background noise.

Both must hold: the odds are 1 / (1 / motion odds + 1 / sound odds).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from ...core.component import Component, Context
from ...core.types import (
    FACE_SIZE_PX,
    GRID_FPS,
    SAMPLES_PER_FRAME,
    Clip,
    Float32,
    Float64,
    Int16,
    Scores,
    UInt8,
)

_SIDE_PX = FACE_SIZE_PX // 2
"""Side of the compared pictures: at half size, speech motion still shows and noise is weaker."""
_BLUR_PX = 1.5
_FIT_STEPS = 4
_SMOOTHING_FRAMES = 2.5
_SOUND_SMOOTHING_FRAMES = 3.0
"""Long enough to bridge the stop consonants within a word."""

_LEAST_GRADIENT = 1.0
"""Added to the mean squared gradient (grey levels per pixel): flat pictures then show no motion."""
_LEAST_MOTION_PX = 0.1
"""Added to motion: a lesser motion is noise, and the logarithm stays finite."""
_LOGITS_PER_MOTION_RATIO = 3.0
"""Logits per unit of the natural logarithm of motion over `motion_px`."""
_DB_PER_LOGIT = 3.0
_BELOW_PEAK_DB = 20.0
"""Sound within so much of a clip's peak is likely speech, as a clip may have no pause."""
_QUIETEST_SPEECH_DB = -55.0
"""Sound below this level (0 is full scale) is unlikely speech, however quiet the clip is."""
_SILENCE_POWER = 1e-9
"""-90 dB, about one step of 16-bit sound."""


def _region(top: float, bottom: float, half_width: float) -> tuple[slice, slice]:
    """Rows and columns of a region, from distances to the face box's centre in half sizes.

    In the reference's crop (core/analysis/crops.py, `crop_scale` 0.4) a half size is 1 / 1.4 of the
    side of the crop that scorers read, and the box's centre lies 0.3 half sizes below its top.
    """
    half_size = _SIDE_PX / 1.4
    rows = [round(min(max(0.3 + y, 0.0), 1.4) * half_size) for y in (top, bottom)]
    columns = [round((0.7 + x) * half_size) for x in (-half_width, half_width)]
    return slice(*rows), slice(*columns)


_UPPER_FACE = _region(-0.2, 0.27, 0.45)
"""Eyes, nose and the cheeks beside it: the parts that move with the skull."""
_Y, _X = np.mgrid[_UPPER_FACE].astype(np.float32)
_CENTRE_Y, _CENTRE_X = float(_Y.mean()), float(_X.mean())
_Y, _X = _Y - _CENTRE_Y, _X - _CENTRE_X
"""Distances from the upper face's centre, which is the centre of zoom and rotation."""
_MOUTH = _region(0.3, 0.97, 0.4)
"""Lips and chin; in a detector's box the mouth lies about 0.54 half sizes below the centre."""


@dataclass(frozen=True)
class LipMotionConfig:
    """Parameters of `scorer=lip_motion`.

    Attributes:
        motion_px: Motion of the mouth from frame to frame, in pixels of the 112x112 face, at
            which it is as likely to speak as not.
        window_s: Seconds of the running median over that motion.
        sound_rise_db: How far the sound must rise above the clip's background noise to be as
            likely speech as not.
    """

    motion_px: float = 0.45
    window_s: float = 0.5
    sound_rise_db: float = 10.0

    def __post_init__(self) -> None:
        if self.motion_px <= 0:
            raise ValueError(f"motion_px must be above 0, got {self.motion_px}")
        if self.window_s <= 0:
            raise ValueError(f"window_s must be above 0, got {self.window_s}")


class LipMotion:
    """Scores clips by mouth motion and sound; see the module's docstring."""

    concurrent = True

    def __init__(self, config: LipMotionConfig) -> None:
        self._config = config

    def score(self, clips: Sequence[Clip]) -> list[Scores]:
        """Score clips of any length; the speaking logit is the log odds, the other logit is 0."""
        return [self._score(clip) for clip in clips]

    def _score(self, clip: Clip) -> Scores:
        motion, sound = self._motion_logit(clip.faces), self._sound_logit(clip.sound)
        score = -np.logaddexp(-motion, -sound)
        return Scores(np.stack([np.zeros(len(clip)), score], 1).astype(np.float32))

    def _motion_logit(self, faces: UInt8) -> Float64:
        from scipy.ndimage import gaussian_filter1d, median_filter  # slow to import

        window = 2 * round(self._config.window_s * GRID_FPS / 2) + 1
        lasting = median_filter(mouth_motion(faces), window, mode="nearest") + _LEAST_MOTION_PX
        smooth = gaussian_filter1d(np.log(lasting), _SMOOTHING_FRAMES, mode="nearest")
        neutral = np.log(self._config.motion_px + _LEAST_MOTION_PX)
        return np.asarray(_LOGITS_PER_MOTION_RATIO * (smooth - neutral), np.float64)

    def _sound_logit(self, sound: Int16) -> Float64:
        from scipy.ndimage import gaussian_filter1d  # slow to import

        samples = sound.reshape(-1, SAMPLES_PER_FRAME) / 32768
        power = np.square(samples).mean(1)
        noise, peak = np.percentile(_decibels(power), [10, 95])
        neutral = min(noise + self._config.sound_rise_db, peak - _BELOW_PEAK_DB)
        level = _decibels(gaussian_filter1d(power, _SOUND_SMOOTHING_FRAMES, mode="nearest"))
        return np.asarray((level - max(neutral, _QUIETEST_SPEECH_DB)) / _DB_PER_LOGIT, np.float64)


def _decibels(power: Float64) -> Float64:
    return np.asarray(10 * np.log10(power + _SILENCE_POWER), np.float64)


def mouth_motion(faces: UInt8) -> Float64:
    """How far the mouth moves relative to the head between each frame and the one before.

    Args:
        faces: (n, 112, 112) uint8, grey.

    Returns:
        (n,) in pixels of `faces`, root mean square; the first frame has the second's value, and
        a single frame 0.
    """
    compared = [_compare(*pair) for pair in pairwise(map(_small, faces))]
    if not compared:
        return np.zeros(1)
    left_over, gradient = np.array(compared).T
    motion = np.sqrt(np.maximum(left_over, 0) / (gradient.mean() + _LEAST_GRADIENT))
    motion *= FACE_SIZE_PX / _SIDE_PX
    return np.concatenate([motion[:1], motion])


def _small(face: UInt8) -> Float32:
    half = cv2.resize(face, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(half.astype(np.float32), (0, 0), _BLUR_PX), np.float32)


def _compare(previous: Float32, current: Float32) -> tuple[float, float]:
    """Undo the head's motion from `previous` to `current`.

    Returns:
        The mean squared residual at the mouth minus that at the upper face, and the mean squared
        gradient over both.
    """
    right = cv2.Sobel(current, cv2.CV_32F, 1, 0, ksize=1, scale=0.5)
    down = cv2.Sobel(current, cv2.CV_32F, 0, 1, ksize=1, scale=0.5)
    dx, dy, grey = right[_UPPER_FACE], down[_UPPER_FACE], current[_UPPER_FACE]
    mean = grey.mean()
    # Derivatives of the picture by shift in x and y, zoom, rotation, gain and offset.
    change = [dx, dy, dx * _X + dy * _Y, dy * _X - dx * _Y, grey - mean, np.ones_like(grey)]
    basis = np.stack([image.ravel() for image in change], 1).astype(np.float64)
    squares = basis.T @ basis
    # The ridge term keeps the system solvable for a flat picture, which shows no motion.
    squares += np.diag(1e-3 * np.diag(squares) + 1e-2)
    fit = np.zeros(len(change))
    left_over = current - previous
    for _ in range(_FIT_STEPS):
        fit += np.linalg.solve(squares, basis.T @ left_over[_UPPER_FACE].ravel())
        shift_x, shift_y, zoom, turn, gain, offset = fit
        warp = np.array(
            [
                [1 + zoom, -turn, shift_x - zoom * _CENTRE_X + turn * _CENTRE_Y],
                [turn, 1 + zoom, shift_y - turn * _CENTRE_X - zoom * _CENTRE_Y],
            ]
        )
        moved = cv2.warpAffine(
            previous,
            warp,
            (_SIDE_PX, _SIDE_PX),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        left_over = current - moved - gain * (current - mean) - offset
    noise = np.mean(np.square(left_over[_UPPER_FACE]))
    gradient = [np.mean(right[part] ** 2 + down[part] ** 2) for part in (_UPPER_FACE, _MOUTH)]
    return float(np.mean(np.square(left_over[_MOUTH])) - noise), float(np.mean(gradient))


def build(config: LipMotionConfig, context: Context) -> LipMotion:
    """Build the scorer; it runs on the CPU whatever device the context names."""
    return LipMotion(config)


LIP_MOTION = Component(
    "scorer",
    "lip_motion",
    LipMotionConfig,
    build,
    about="whose lips move with the sound: a baseline without weights",
)
