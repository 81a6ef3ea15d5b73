"""Inputs and checkpoints made from a name and a shape, as the stored reference figures were.

The figures in tests/data were computed on these same arrays by the published implementations.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from asdkit.core.types import Float32, Int16, UInt8


def generator(name: str) -> np.random.Generator:
    """A random generator seeded by the CRC-32 of the name."""
    return np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))


def parameter(key: str, shape: Sequence[int]) -> NDArray:
    """The entry `key` of a checkpoint: variances above 1, offsets near 0, gains near 1."""
    leaf = key.rpartition(".")[2]
    if leaf == "num_batches_tracked":
        return np.zeros(shape, np.int64)
    normal = generator(key).standard_normal(shape)
    if leaf == "running_var":
        normal = 1.0 + 0.2 * np.abs(normal)
    elif leaf in {"bias", "beta", "running_mean", "in_proj_bias"}:
        normal = 0.05 * normal
    elif leaf == "gamma" or len(shape) == 1:
        normal = 1.0 + 0.1 * normal
    else:  # a kernel: the spread that keeps the scale of what passes through
        inputs = int(np.prod(shape[1:]))
        normal = normal * np.sqrt(2.0 / inputs) * 0.9
    return normal.astype(np.float32)


def checkpoint(shapes: Mapping[str, Sequence[int]]) -> dict[str, NDArray]:
    """A whole checkpoint: every key with its array."""
    return {key: parameter(key, shape) for key, shape in shapes.items()}


def face_frames(tag: str, frames: int) -> UInt8:
    """(frames, 112, 112) uint8: 7x7 squares whose grey drifts from one set to the next, noisy."""
    random = generator(f"faces:{tag}")
    squares = random.integers(40, 216, (frames // 5 + 2, 7, 7)).astype(np.float64)
    at = np.arange(frames) / 5.0
    first = at.astype(int)
    share = (at - first)[:, None, None]
    grey = squares[first] * (1 - share) + squares[first + 1] * share
    pictures = grey.repeat(16, axis=1).repeat(16, axis=2)
    pictures += random.normal(0, 6, (frames, 112, 112))
    return np.rint(pictures).clip(0, 255).astype(np.uint8)


def mfcc(tag: str, steps: int) -> Float32:
    """(steps, 13) float32, about as large as real MFCC."""
    return (generator(f"mfcc:{tag}").standard_normal((steps, 13)) * 9.0).astype(np.float32)


def waveform(tag: str, samples: int) -> Int16:
    """(samples,) int16 at 16 kHz: noise that swells four times a second."""
    swell = 0.55 + 0.45 * np.sin(2 * np.pi * 4.0 * np.arange(samples) / 16000.0)
    noise = generator(f"sound:{tag}").normal(0, 2500, samples)
    return np.rint(noise * swell).clip(-32768, 32767).astype(np.int16)
