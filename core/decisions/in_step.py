"""Decides whether a sound fits the lips, and how late it is, from scores with shifted sound.

For each shift, what face and sound say together (`core.sync.Piece`) is added up over all pieces in
which a face may speak at some shift, and divided by the time that these pieces cover, so that
silent faces beside the speaker do not count. Weights of 1/4, 1/2 and 1/4 smooth the resulting
curve, which is as wide as networks are lenient: the offset is the centre of gravity of its upper
half around the highest point. The height of this point above the lowest one is the certainty: the
mean log odds of speaking that the worst shift loses.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ..sync import SHIFTS, Fit, Piece, Sync
from ..types import GRID_FPS, Float64

FITS_FROM = 2.15
"""Certainty from which a sound fits: between what the clips of docs/input.md have with their own
sound and with a foreign one, for the scorer `lr_asd` with its weights `ava`."""
LEAST_S = 5.0
"""Nothing is said about less than so many seconds in which a face may speak."""
_MAY_SPEAK = 1.0
"""A face may speak in a piece if its mean over the frames reaches this at some shift."""


def fit_of(pieces: Iterable[Piece], *, can_refuse: bool) -> Fit:
    """Whether the sound fits the faces of some pieces.

    Args:
        pieces: The pieces, of any number of faces.
        can_refuse: Whether a low certainty means that the sound fits nobody. Otherwise it means
            nothing, as `FITS_FROM` was not measured for the scorer.

    Returns:
        The fit; an offset at the end of the scan is not told, as the right one may lie beyond.
    """
    telling = [p for p in pieces if p.agreement.max() >= _MAY_SPEAK * p.frames]
    covered = _covered(telling)
    if covered < LEAST_S * GRID_FPS:
        return Fit()
    total: Float64 = np.array([p.agreement for p in telling], np.float64).sum(axis=0)
    curve = _smooth(total / covered)
    certainty = round(float(curve.max() - curve.min()), 3)
    best = int(curve.argmax())
    if certainty < FITS_FROM:
        return Fit("no" if can_refuse else "unknown", None, certainty)
    if best in (0, len(curve) - 1):
        return Fit("unknown", None, certainty)
    return Fit("yes", round(_centre(curve, best) / GRID_FPS, 2), certainty)


def _covered(pieces: Iterable[Piece]) -> int:
    """How many frames pieces cover together, which may overlap."""
    covered, end = 0, 0
    for piece in sorted(pieces, key=lambda piece: piece.first_frame):
        stop = piece.first_frame + piece.frames
        covered += max(stop - max(piece.first_frame, end), 0)
        end = max(end, stop)
    return covered


def _smooth(curve: Float64) -> Float64:
    padded = np.pad(curve, 1, mode="edge")
    smooth: Float64 = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    return smooth


def _centre(curve: Float64, best: int) -> float:
    """The centre of gravity, in frames, of what is above half of a curve's height around `best`."""
    above = np.clip(curve - (curve.max() + curve.min()) / 2, 0, None)
    low = np.flatnonzero(above == 0)
    above[: max(low[low < best], default=-1) + 1] = 0
    above[min(low[low > best], default=len(curve)) :] = 0
    return float((above * SHIFTS).sum() / above.sum())


def checked(tracks: Sequence[Sequence[Piece]], *, can_refuse: bool) -> Sync:
    """Whether the sound fits all tracks together, and each by itself.

    Of a single track it is never said that the sound does not fit: it may just listen.

    Args:
        tracks: The pieces of each track.
        can_refuse: See `fit_of`.
    """
    whole = fit_of((piece for pieces in tracks for piece in pieces), can_refuse=can_refuse)
    return Sync(whole, tuple(fit_of(pieces, can_refuse=False) for pieces in tracks))


def remark(sync: Sync) -> str:
    """A sentence for the notes of a result; "" for a sound that fits, or of which nothing is known.

    Args:
        sync: What was found.
    """
    if sync.whole.fits == "no":
        return f"{sync}: it may be of another video, of somebody not seen, music, or dubbed"
    if sync.moved_s:
        return str(sync)
    return f"{sync}: sync=auto puts it in step" if sync.whole.is_out_of_step else ""
