"""Says which grid frame each picture of a source belongs to, and so which shot.

At more than 25 pictures a second some are shown by no grid frame. Where a shot begins between two
grid frames, pictures between those that they show may belong to either shot; there the pictures
themselves are compared.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np
from av.video.frame import VideoFrame

from ..types import GRID_FPS, Int16
from .colours import Reformatters
from .picture import last_shown

_COMPARED = (32, 18)
"""Width and height at which pictures are compared."""

Timed = tuple[Fraction, Fraction, VideoFrame]
"""When a picture begins and ends, in seconds from time zero, and the picture."""


def placed(
    pictures: Iterable[Timed], cuts: Collection[int], early_s: Fraction
) -> Iterator[tuple[range, Timed]]:
    """Give each picture of a source its grid frames.

    A picture has those that show it. One that none shows has the last one before it, but before a
    cut the one on its side: the cut is where two pictures that follow each other differ most.

    Args:
        pictures: The pictures, in order.
        cuts: The grid frames where shots begin.
        early_s: See `core.media.container.Media.early_s`.

    Yields:
        (grid frames, at least one, and picture); grid frames never fall.
    """
    compared = Reformatters()
    last: int | None = None
    sure: Timed | None = None
    unsure: list[Timed] = []
    for picture, following in _with_following(pictures):
        begin, end, _ = picture
        if last is None:
            last = math.ceil(begin * GRID_FPS) - 1
        if following is None:
            reached = round(end * GRID_FPS) - 1
        else:
            reached = last_shown(begin, following[0], early_s)
        if reached <= last:
            if last + 1 in cuts and sure is not None:
                unsure.append(picture)
            else:
                yield _one(last if sure else last + 1), picture
            continue
        before = _before_cut([sure, *unsure, picture], compared) if unsure and sure else 0
        yield from ((_one(last + (place >= before)), one) for place, one in enumerate(unsure))
        yield range(last + 1, reached + 1), picture
        last, sure, unsure = reached, picture, []
    yield from ((_one(last or 0), one) for one in unsure)


def _with_following(pictures: Iterable[Timed]) -> Iterator[tuple[Timed, Timed | None]]:
    """Each picture with the one after it; None after the last one."""
    before: Timed | None = None
    for picture in pictures:
        if before is not None:
            yield before, picture
        before = picture
    if before is not None:
        yield before, None


def _one(frame: int) -> range:
    return range(frame, frame + 1)


def _before_cut(pictures: list[Timed], compared: Reformatters) -> int:
    """How many pictures after the first one are still before the greatest change."""
    small: list[Int16] = [
        compared.rgb(frame, *_COMPARED).astype(np.int16) for _, _, frame in pictures
    ]
    changes = [np.abs(b - a).mean() for a, b in pairwise(small)]
    return int(np.argmax(changes))
