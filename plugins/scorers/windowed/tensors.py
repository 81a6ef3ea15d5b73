"""The inputs and outputs of the graphs, for every runtime."""

from __future__ import annotations

from collections.abc import Sequence

from ....core.analysis.features import FACE_MEAN, FACE_STD, MFCC_COEFFICIENTS, MFCC_STEPS_PER_FRAME
from ....core.exportable import Tensor
from ....core.types import FACE_SIZE_PX

MFCC = Tensor(
    "mfcc",
    ("batch", f"{MFCC_STEPS_PER_FRAME}*frames", MFCC_COEFFICIENTS),
    "MFCC of 16 kHz sound, windows of 25 ms every 10 ms, 26 filters, the first coefficient the "
    "logarithm of the energy; four steps to a frame of 25 fps",
    -20.0,
    20.0,
)
FACES = Tensor(
    "faces",
    ("batch", "frames", FACE_SIZE_PX, FACE_SIZE_PX),
    "grey faces at 25 fps, black 0 and white 255",
    0.0,
    255.0,
)
LOGITS = Tensor(
    "logits", ("batch", "frames", 2), "not speaking, speaking; not yet a probability", -10.0, 10.0
)


def seen(frames: int | str, meaning: str, name: str = "seen") -> Tensor:
    """The input of the visual frontend.

    Args:
        frames: How many successive faces each row has; "frames" for any number.
        meaning: Describes the faces.
        name: Its name.
    """
    return Tensor(
        name,
        ("batch", frames, FACE_SIZE_PX, FACE_SIZE_PX),
        f"{meaning}, as (x / 255 - {FACE_MEAN}) / {FACE_STD}",
        (0.0 - FACE_MEAN) / FACE_STD,
        (1.0 - FACE_MEAN) / FACE_STD,
    )


def context(name: str, shape: Sequence[int], meaning: str) -> Tensor:
    """A tensor of values within the visual frontend, with this shape for each clip."""
    return Tensor(name, ("batch", *shape), meaning, 0.0, 2.0)


def vectors(size: int, meaning: str, *axes: str) -> Tensor:
    """A tensor of visual vectors of `size` values, with these free axes before."""
    return Tensor("visual", (*axes, size), meaning, 0.0, 2.0)
