"""What goes into TalkNet's graphs and what comes out, whichever runtime computes them."""

from __future__ import annotations

from ....core.features import FACE_MEAN, FACE_STD, MFCC_COEFFICIENTS, MFCC_STEPS_PER_FRAME
from ....core.graphs import Tensor
from ....core.types import FACE_SIZE_PX
from .windows import FRAMES_SEEN

MODEL = "talknet"
"""The name of the model in bundles and graphs."""
VECTOR = 512
"""Values of a visual vector."""

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
SEEN = Tensor(
    "seen",
    ("batch", FRAMES_SEEN, FACE_SIZE_PX, FACE_SIZE_PX),
    "five successive grey faces, the middle one that of the frame, as (x / 255 - "
    f"{FACE_MEAN}) / {FACE_STD}; zeros where the window has none",
    (0.0 - FACE_MEAN) / FACE_STD,
    (1.0 - FACE_MEAN) / FACE_STD,
)
VECTORS = Tensor("visual", ("batch", VECTOR), "a visual vector for each frame", 0.0, 2.0)
VISUAL = Tensor(
    "visual", ("batch", "frames", VECTOR), "the visual vectors of a window's frames", 0.0, 2.0
)
LOGITS = Tensor(
    "logits", ("batch", "frames", 2), "not speaking, speaking; not yet a probability", -10.0, 10.0
)
