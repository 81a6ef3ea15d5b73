"""The check of cutters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from ..core.analysis.answers import checked_cut
from ..core.analysis.attributes import checked_lookahead, checked_looks
from ..core.contracts import Cutter
from ..core.pictures import unseen
from ..core.samples import noise_picture
from ..core.types import UInt8
from .holding import asking, hold, made, name_of
from .threads import called

_SIZES = ((90, 160), (16, 16), (181, 47))
"""(height, width) of the test pictures: usual, tiny, tall and odd."""
_FIRST_FRAMES = (0, 500)
"""Frame number of the first picture, as in a whole video and in a part of one."""


def check_cutter(make: Callable[[], Cutter]) -> None:
    """Check that a cutter answers for each frame, and equally for equal pictures.

    It is shown noise, black and white, and at the end the last picture again for as many frames
    as it looks ahead.

    Args:
        make: Builds a new cutter.

    Raises:
        PluginError: It does not keep its contract; see `asdkit.plugin.Cutter`.
    """
    for size in _SIZES:
        for first in _FIRST_FRAMES:
            one, other = (_cuts(made(make), _pictures(size), first) for _ in range(2))
            hold(
                one == other,
                f"{name_of(made(make))} answers otherwise for the same pictures, but each video "
                "has a new cutter",
                "Keep what it knows in the instance, not in the class or the module, and no chance",
            )
            blind = made(make)
            if not checked_looks(name_of(blind), blind):
                black = [unseen(*size)] * len(_pictures(size))
                hold(
                    one == _cuts(blind, black, first),
                    f"{name_of(blind)} says by looks = False that it looks at no pictures, but "
                    "answers otherwise for others",
                    "Leave looks out for a cutter that looks at pictures",
                )


def _cuts(cutter: Cutter, pictures: Sequence[UInt8], first: int) -> list[bool]:
    """What a cutter says of the pictures of a video that begins with frame `first`."""
    name = name_of(cutter)
    ahead = checked_lookahead(name, cutter)
    said = []
    for index, picture in enumerate([*pictures, *[pictures[-1]] * ahead], first):
        with asking(name, picture):
            answer = called(cutter, name, partial(cutter.starts_shot, picture, index))
        said.append(checked_cut(name, answer))
    return said


def _pictures(size: tuple[int, int]) -> list[UInt8]:
    """Black, two greys, white, and noise; some repeat the one before as the same array."""
    plain = [np.full((*size, 3), level, np.uint8) for level in (0, 40, 200, 255)]
    noise = list(noise_picture((3, *size, 3), seed=4))
    return [picture for plain_one in plain for picture in [plain_one] * 6] + noise
