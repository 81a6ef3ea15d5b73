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
    cuts = _cuts(frames, Cutting(cutter, watch, name), watch)
    return ahead(cuts, _MOST_AHEAD) if checked_concurrent(name, cutter) and overlap else cuts


def _cuts(frames: Generator[Frame, None, None], cutting: Cutting, watch: Stopwatch) -> Cuts:
    with closing(frames):
        while (frame := _next(frames, watch)) is not None:
            yield from cutting.put(frame)
        yield from cutting.end()


def _next(frames: Iterator[Frame], watch: Stopwatch) -> Frame | None:
    with watch("decode"):
        return next(frames, None)


class Cutting:
    """Asks a cutter about frames as they come.

    A cutter that needs later frames is told of a frame with those, and so frames are given back as
    many frames late.

    Args:
        cutter: The cutter.
        watch: Times the stage "cut".
        name: The cutter in words.
    """

    def __init__(self, cutter: Cutter, watch: Stopwatch, name: str) -> None:
        self._cutter = cutter
        self._watch = watch
        self._name = name
        self._looks = checked_looks(name, cutter)
        self._side_px = checked_side(name, getattr(cutter, "input_side_px", None))
        self._lookahead = checked_lookahead(name, cutter)
        self._waiting: deque[Frame] = deque()

    def put(self, frame: Frame) -> Cuts:
        """Take the next frame; yield the frame that is decided with it, if any.

        Raises:
            PluginError: The cutter breaks its contract.
        """
        self._waiting.append(frame)
        cut = self._starts_shot(frame.picture, frame.index)
        if len(self._waiting) > self._lookahead:
            yield self._waiting.popleft(), cut

    def end(self) -> Cuts:
        """End the video, or a stretch of it; yield the frames that waited for later ones.

        The cutter is passed the last picture again in place of those. Frames may follow.

        Raises:
            PluginError: The cutter breaks its contract.
        """
        if not self._waiting:
            return
        last = self._waiting[-1]
        for later in range(1, self._lookahead + 1):
            cut = self._starts_shot(last.picture, last.index + later)
            if len(self._waiting) > self._lookahead - later:
                yield self._waiting.popleft(), cut

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
