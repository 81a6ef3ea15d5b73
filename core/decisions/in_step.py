"""Decides whether a sound fits lips, and how late it is, from scores with shifted sound.

For each shift, what face and sound say together (`core.sync.Piece`) is added up over all blocks of
2 s in which a face may speak at some shift, and divided by the time that these blocks cover, so
that silent faces beside the speaker do not count. Before this, each agreement is split into three
parts, of which only the last counts: what the frame of the face has at all shifts, what the frame
of the sound has with all faces (else a shift that brings more speech into a block would look like a
better one), and the rest. It is the split with the least squares; as a frame of sound at the end of
a block meets few frames of faces, its part is divided by their number plus `_HELD_BACK`.

Weights of 1/4, 1/2 and 1/4 smooth the curve of each block. The offset is the top of the parabola
through the highest point of the sum of all curves and its neighbours. The certainty is the height
of this sum, from the lowest to the highest point: the mean log odds of speaking that the worst
shift loses; times the share to which the blocks agree: the height that they reach together, over
the sum of the heights that each reaches at a shift of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..sync import MOST_FRAMES, SHIFTS, Fit, Piece, Sync
from ..types import GRID_FPS, Float64

FITS_FROM, REFUSED_BELOW = 3.1, 2.6
"""Certainty from which a sound fits, and below which it fits nobody: from what the clips of
docs/input.md have with their own sounds and with foreign ones, for the scorer `lr_asd` with its
weights `ava`. In between nothing is said."""
LEAST_S = 5.0
"""Nothing is said about less than so many seconds in which a face may speak."""
_BLOCK_FRAMES = 2 * GRID_FPS
"""Pieces are cut into blocks of 2 s, so that a face may speak in one and not in the next."""
_MAY_SPEAK = 1.0
"""A face may speak in a block if its mean over the frames reaches this at some shift."""
_HELD_BACK = 20
_ROUNDS = 5
"""So often the parts of faces and of the sound are found from each other."""


def fit_of(pieces: Iterable[Piece], *, can_refuse: bool) -> Fit:
    """Whether the sound fits the faces of some pieces.

    Args:
        pieces: The pieces, of any number of faces.
        can_refuse: Whether a low certainty means that the sound fits nobody. Otherwise it means
            nothing, as `FITS_FROM` was not measured for the scorer.

    Returns:
        The fit; an offset at the end of the scan is not told, as the right one may lie beyond.
    """
    telling = [
        block
        for piece in pieces
        for block in _blocks(piece)
        if block.agreement.mean(axis=1).max() >= _MAY_SPEAK
    ]
    covered = _covered(telling)
    if covered < LEAST_S * GRID_FPS:
        return Fit()
    curves = _smooth(_matched(telling))
    curve = curves.sum(axis=0)
    height, apart = float(np.ptp(curve)), float(np.ptp(curves, axis=1).sum())
    certainty = round(height / covered * (height / apart), 3)
    best = int(curve.argmax())
    if certainty < REFUSED_BELOW and can_refuse:
        return Fit("no", None, certainty)
    if certainty < FITS_FROM or best in (0, len(curve) - 1):
        return Fit("unknown", None, certainty)
    return Fit("yes", round(_top(curve, best) / GRID_FPS, 2), certainty)


def _blocks(piece: Piece) -> Iterator[Piece]:
    """Its blocks of 2 s; a rest shorter than half of that is left out."""
    for first in range(0, len(piece), _BLOCK_FRAMES):
        agreement = piece.agreement[:, first : first + _BLOCK_FRAMES]
        if agreement.shape[1] >= _BLOCK_FRAMES // 2:
            yield Piece(piece.first_frame + first, agreement)


def _covered(pieces: Iterable[Piece]) -> int:
    """How many frames pieces cover together, which may overlap."""
    covered, end = 0, 0
    for piece in sorted(pieces, key=lambda piece: piece.first_frame):
        stop = piece.first_frame + len(piece)
        covered += max(stop - max(piece.first_frame, end), 0)
        end = max(end, stop)
    return covered


def _matched(pieces: Sequence[Piece]) -> Float64:
    """(m, 23): by piece and shift, the sum over frames of what face and sound have together."""
    begin = min(piece.first_frame for piece in pieces) - MOST_FRAMES
    # The agreements of each piece, and for each of them the number of its frame of sound.
    cells = [
        (
            piece.agreement.astype(np.float64),
            piece.first_frame - begin + np.add.outer(SHIFTS, np.arange(len(piece))),
        )
        for piece in pieces
    ]
    frames = 1 + max(int(heard.max()) for _, heard in cells)
    met = sum(np.bincount(heard.ravel(), minlength=frames) for _, heard in cells) + _HELD_BACK
    of_sound = np.zeros(frames)
    for _ in range(_ROUNDS):
        left = np.zeros(frames)
        for agreement, heard in cells:
            rest = agreement - (agreement - of_sound[heard]).mean(axis=0)
            left += np.bincount(heard.ravel(), rest.ravel(), frames)
        of_sound = left / met
    return np.array([(agreement - of_sound[heard]).sum(axis=1) for agreement, heard in cells])


def _smooth(curves: Float64) -> Float64:
    padded = np.pad(curves, ((0, 0), (1, 1)), mode="edge")
    smooth: Float64 = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 4
    return smooth


def _top(curve: Float64, best: int) -> float:
    """The top, in frames, of the parabola through the highest point and its two neighbours."""
    before, top, after = curve[best - 1 : best + 2]
    step = SHIFTS[1] - SHIFTS[0]
    return float(SHIFTS[best] + step / 2 * (before - after) / (before - 2 * top + after))


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
