"""What a planned crop path is made of. Nothing here looks at pictures."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

Kind = Literal["cut", "move", "hold"]
"""How a crop comes to a key from the one before: at once, in a straight line, or not at all."""
Layout = Literal["one", "split", "whole", "centre"]


@dataclass(frozen=True)
class Rect:
    """A rectangle, by its left upper corner and its size."""

    x: float
    y: float
    width: float
    height: float

    def toward(self, other: Rect, part: float) -> Rect:
        """The rectangle on the straight way to another one, from 0 (this) to 1 (the other)."""
        return Rect(
            self.x + part * (other.x - self.x),
            self.y + part * (other.y - self.y),
            self.width + part * (other.width - self.width),
            self.height + part * (other.height - self.height),
        )


@dataclass(frozen=True)
class Key:
    """Where a crop is at a moment.

    Attributes:
        frame: The grid frame.
        crop: The crop, in stored pixels of the upright picture.
        kind: How it comes here.
    """

    frame: int
    crop: Rect
    kind: Kind


@dataclass(frozen=True)
class Pane:
    """A part of the new picture that shows a crop of the source.

    Attributes:
        who: The names of the people it shows; none for a part without a person.
        tracks: The numbers of their tracks.
        place: Where it is in the new picture, whose width and height are 1.
        keys: Its crop, by frame, straight between them; the first one at the take's first frame.
    """

    who: tuple[str, ...]
    tracks: tuple[int, ...]
    place: Rect
    keys: tuple[Key, ...]

    def crop(self, position: float) -> Rect:
        """The crop at a position on the grid; before the first key and after the last it rests."""
        after = bisect_right(self.keys, position, key=lambda key: key.frame)
        if after == 0 or after == len(self.keys):
            return self.keys[after and -1].crop
        before, then = self.keys[after - 1], self.keys[after]
        return before.crop.toward(
            then.crop, (position - before.frame) / (then.frame - before.frame)
        )


@dataclass(frozen=True)
class Take:
    """A stretch of a shot that shows the same people in the same way.

    Attributes:
        shot: Number of the shot, from 0.
        first: Its first grid frame.
        end: The grid frame after its last one. A crop that goes on without a cut has its last key
            here.
        layout: One crop, two of them, the whole picture with bars, or its middle.
        panes: What is shown.
    """

    shot: int
    first: int
    end: int
    layout: Layout
    panes: tuple[Pane, ...]
