"""Has the components work once before a live stream is opened.

First answers take far longer than later ones: networks are laid out in memory, and compiled. A
stream does not wait for that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..analysis.looking import Looker
from ..analysis.parts import Parts
from ..analysis.pass_options import PassOptions
from ..analysis.recent_frames import RecentFrames
from ..analysis.square_pixels import Square
from ..known_faces import Boxes, KnownFaces
from ..notes import Notes
from ..pictures import ArrayPicture, Frame
from ..progress import Stopwatch
from ..types import Int16
from .passing import LivePass
from .settings import LiveConfig

_SIZE = 720, 1280
"""Height and width of the pictures, as the stream's are not known yet."""
_MOST_HOP_S = 10.0
"""Hops are no longer; see `LiveConfig`."""
_FACE = 500.0, 200.0, 740.0, 500.0


class _Silence:
    """Sound without end in which there is nothing."""

    def read(self, first: int, stop: int) -> Int16:
        return np.zeros(stop - first, np.int16)

    def forget(self, sample: int) -> None:
        pass


def rehearse(
    parts: Parts, options: PassOptions, config: LiveConfig, anew: Callable[[str], Any]
) -> None:
    """Have the components work on pictures of noise, with one face that does not move.

    Args:
        parts: The components. Cutter, tracker and voice activity detector are not used, as they
            keep what they see.
        options: How to look at the frames.
        config: How faces are scored: a hop is as long as half of its context, or `_MOST_HOP_S`.
        anew: Makes a component of a kind.

    Raises:
        PluginError: A component breaks its contract.
    """
    watch, notes = Stopwatch(), Notes()
    noise = np.random.default_rng(0).integers(0, 256, (*_SIZE, 3), np.uint8)
    picture = ArrayPicture(noise)
    count = config.frames("context_s") + config.frames("hop_s")
    _look(parts, options, picture, watch)
    known = KnownFaces(Boxes(np.arange(count), np.tile(_FACE, (count, 1))))
    fresh = {kind: anew(kind) for kind in ("cutter", "tracker", "vad")}
    alone = replace(parts, detector=known, **fresh)
    hop_s = min(config.context_s / 2, _MOST_HOP_S)
    seldom = replace(config, hop_s=hop_s, lookahead_s=0.0)
    with LivePass(alone, _Silence(), watch, options, seldom, notes, anew=anew) as rehearsal:
        for index in range(count):
            rehearsal.take(Frame(index, picture), index == 0)
        rehearsal.end_stretch()


def _look(parts: Parts, options: PassOptions, picture: ArrayPicture, watch: Stopwatch) -> None:
    """Have the detector look at a picture."""
    frames = RecentFrames()
    frames.put(Frame(0, picture))
    looker = Looker(
        parts.detector,
        frames,
        Square(),
        watch,
        Notes(),
        batch_frames=1,
        max_faces=options.max_faces,
        name=parts.name("detector"),
    )
    looker.add(0)
    looker.look()
