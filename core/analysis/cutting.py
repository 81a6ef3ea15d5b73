"""Asks the cutter of each frame whether a shot begins with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing

from ..contracts import Cutter
from ..media.ahead import ahead
from ..pictures import Frame, Picture, unseen
from ..progress import Stopwatch
from ..types import UInt8
from .answers import asked, checked_cut
from .attributes import checked_concurrent, checked_lookahead, checked_looks, checked_side

_MOST_AHEAD = 2
"""How many frames may wait that are decoded and asked about."""

Cuts = Generator[tuple[Frame, bool], None, None]
"""Frames in order, each with whether a shot begins with it."""


def with_cuts(
    frames: Generator[Frame, None, None],
    cutter: Cutter,
    watch: Stopwatch,
    name: str,
    *,
    overlap: bool,
) -> Cuts:
    """Tell of each frame whether a shot begins with it.

    To be closed by who does not take all, which closes `frames`, too.

    Args:
        frames: The frames, in order.
        cutter: The cutter.
        watch: Times the stages "decode" and "cut".
        name: The cutter in words.
        overlap: Whether frames may be decoded, and the cutter asked, in a thread beside the
            caller's; it is done if the cutter allows it.

    Raises:
        InputError: The video is not usable.
        PluginError: The cutter breaks its contract.
    """
    cuts = _Cutting(cutter, watch, name).cuts(frames)
    return ahead(cuts, _MOST_AHEAD) if checked_concurrent(name, cutter) and overlap else cuts


class _Cutting:
    """Asks a cutter; see `with_cuts`."""

    def __init__(self, cutter: Cutter, watch: Stopwatch, name: str) -> None:
        self._cutter = cutter
        self._watch = watch
        self._name = name
        self._looks = checked_looks(name, cutter)
        self._side_px = checked_side(name, getattr(cutter, "input_side_px", None))
        self._lookahead = checked_lookahead(name, cutter)

    def cuts(self, frames: Generator[Frame, None, None]) -> Cuts:
        """The frames, each with whether a shot begins with it."""
        with closing(frames):
            waiting: deque[Frame] = deque()
            frame = self._next(frames)
            while frame is not None:
                waiting.append(frame)
                cut = self._starts_shot(frame.picture, frame.index)
                if len(waiting) > self._lookahead:
                    yield waiting.popleft(), cut
                last, frame = frame, self._next(frames)
            for later in range(1, self._lookahead + 1) if waiting else ():
                cut = self._starts_shot(last.picture, last.index + later)
                if len(waiting) > self._lookahead - later:
                    yield waiting.popleft(), cut

    def _next(self, frames: Iterator[Frame]) -> Frame | None:
        with self._watch("decode"):
            return next(frames, None)

    def _starts_shot(self, picture: Picture, index: int) -> bool:
        """Call the cutter; its answer is about the frame `lookahead_frames` before this one."""
        with self._watch("cut"):
            image = self._shown(picture)
            with asked(self._name):
                cut = self._cutter.starts_shot(image, index)
        return checked_cut(self._name, cut)

    def _shown(self, picture: Picture) -> UInt8:
        """As much of a picture as the cutter looks at."""
        if not self._looks:
            return unseen(picture.height, picture.width)
        return picture.rgb() if self._side_px is None else picture.scaled(self._side_px)
