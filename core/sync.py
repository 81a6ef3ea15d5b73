"""Whether the sound of a video fits the lips, and how late it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

OFF, CHECK, AUTO = "off", "check", "auto"
MODES = (OFF, CHECK, AUTO)
"""The values of the option `sync`."""
MOST_FRAMES = 22
SHIFTS = tuple(range(-MOST_FRAMES, MOST_FRAMES + 1, 2))
"""The shifts that are tried, in grid frames: every 0.08 s up to 0.88 s, either way. A shift of k
frames pairs each face with the sound k frames later."""
IN_STEP_S = 0.06
"""A smaller offset is none: one grid frame, and half of the next."""

Fits = Literal["yes", "no", "unknown"]


@dataclass(frozen=True, eq=False)
class Piece:
    """Up to a minute of one face, scored with its sound at each of `SHIFTS`.

    Attributes:
        first_frame: Its first grid frame.
        agreement: (23, n) float32, by shift and frame: how strongly face and sound say together
            that the face speaks, 0 or more; see `core.analysis.shifting`.
    """

    first_frame: int
    agreement: NDArray[np.float32]

    def __len__(self) -> int:
        """Its length in grid frames."""
        return len(self.agreement.T)


@dataclass(frozen=True)
class Fit:
    """Whether a sound fits lips, and how late it is.

    Attributes:
        fits: "yes": lips move with the sound, moved by `offset_s`; "no": at none of the offsets
            that were tried; "unknown": there is too little to tell by, or the scorer cannot.
        offset_s: How many seconds later than the picture the sound comes: what is heard at time t
            belongs to the lips seen at t - offset_s. Negative if it comes early; None unless
            `fits` is "yes".
        certainty: How much better the best offset is than the worst, in log odds of speaking, times
            the share to which all pieces agree on it; 0 or more. See `core.decisions.in_step`.
    """

    fits: Fits = "unknown"
    offset_s: float | None = None
    certainty: float = 0.0

    @property
    def is_out_of_step(self) -> bool:
        """Whether the sound fits, but comes late or early."""
        return self.offset_s is not None and abs(self.offset_s) >= IN_STEP_S

    def to_json(self) -> dict[str, Any]:
        """Its attributes as plain values."""
        return {"fits": self.fits, "offset_s": self.offset_s, "certainty": self.certainty}

    def __str__(self) -> str:
        """A sentence, such as "The sound comes 0.20 s late"."""
        if self.fits == "no":
            return "The sound fits nobody in sight"
        if self.offset_s is None:
            return "Whether the sound fits the lips cannot be told"
        if not self.is_out_of_step:
            return "The sound fits the lips"
        word = "late" if self.offset_s > 0 else "early"
        return f"The sound comes {abs(self.offset_s):.2f} s {word}"


@dataclass(frozen=True)
class Sync:
    """Whether the sound of a video fits the lips.

    Attributes:
        whole: Of all faces together.
        tracks: Of each track of the result, in its order, never "no", as a track may just listen;
            with `sync=auto` None, as only the beginning of the video was looked at, before the run.
        moved_s: By how many seconds the sound was moved to an earlier time for the run; negative
            to a later one, and 0 if it was left as it is.
    """

    whole: Fit
    tracks: tuple[Fit, ...] | None = None
    moved_s: float = 0.0

    def __str__(self) -> str:
        """A sentence on all faces together."""
        return f"{self.whole}: it was put in step" if self.moved_s else str(self.whole)
