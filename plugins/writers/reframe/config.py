"""The parameters of the `reframe` writer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction

EMPTY = ("blur", "black", "centre")
_SHAPE = re.compile(r"(\d+(?:\.\d+)?)\s*[:x/]\s*(\d+(?:\.\d+)?)")
_WIDEST = 10
_LEAST_SIDE_PX, _MOST_SIDE_PX = 16, 4320


@dataclass(frozen=True)
class ReframeConfig:
    """Parameters of the `reframe` writer.

    Attributes:
        shape: Width and height of the new picture as a ratio, such as 9:16, 1:1, 4:5 or 2.39:1;
            from 1:10 to 10:1.
        short_side_px: The shorter side of `reframe.mp4` in pixels, from 16 to 4320; both sides are
            rounded to even numbers.
        hold_s: Whoever speaks for less than so many seconds is not gone to, and what is shown is
            shown for at least so long, unless the shot is shorter.
        pause_s: A turn goes on over pauses of up to so many seconds.
        lead_s: What is shown changes so many seconds before the turn that it changes for, but not
            before another one is over.
        split_s: Two people whose turns overlap for so many seconds or more are shown at once, in
            one crop if they fit, else in a pane each; null never does so.
        absent_s: In a shot with faces, `empty` is shown while none is visible for so many seconds.
        empty: What is shown of a shot without faces: `blur` and `black` show the whole picture
            with bars, which are a blurred copy of it or black; `centre` shows the largest crop,
            from the middle.
        face_share: The height of a face that is wanted, as a part of the height of its crop.
        max_zoom: The largest crop of the shape is at most so many times as high as the one shown,
            1 or more, so that small faces are not magnified without bounds.
        headroom: Where the middle of the face is wanted, as a part of the crop's height from
            above.
        dead_zone: The crop stays where it is while the face moves by no more than this part of
            the crop's shorter side, to either side.
        speed: The crop moves at most by so many of its shorter sides a second.
        ease_s: Seconds in which the crop comes to full speed, and to rest.
        pan_overlap: Within a shot the crop moves to another person if this part of it, or more,
            stays in the picture; else it is cut.
        render: Write `reframe.mp4`; false writes `reframe.json` alone.
        crf: Constant rate factor of H.264, from 0 (lossless, large) to 51 (worst, small).
    """

    shape: str = "9:16"
    short_side_px: int = 1080
    hold_s: float = 1.0
    pause_s: float = 0.8
    lead_s: float = 0.2
    split_s: float | None = 2.0
    absent_s: float = 3.0
    empty: str = field(default="blur", metadata={"values": EMPTY})
    face_share: float = 0.22
    max_zoom: float = 2.0
    headroom: float = 0.38
    dead_zone: float = 0.08
    speed: float = 0.8
    ease_s: float = 0.6
    pan_overlap: float = 0.6
    render: bool = True
    crf: int = 20

    def __post_init__(self) -> None:
        aspect_of(self.shape)
        if not _LEAST_SIDE_PX <= self.short_side_px <= _MOST_SIDE_PX:
            raise ValueError(
                f"short_side_px must be from {_LEAST_SIDE_PX} to {_MOST_SIDE_PX}, "
                f"got {self.short_side_px}"
            )
        if self.empty not in EMPTY:
            raise ValueError(f"empty must be one of {', '.join(EMPTY)}, got {self.empty!r}")
        for name in ("hold_s", "pause_s", "lead_s", "absent_s", "ease_s"):
            _within(name, getattr(self, name), 0, 3600)
        if self.split_s is not None and not 0 < self.split_s <= 3600:
            raise ValueError(f"split_s must be above 0 and up to 3600, or null, got {self.split_s}")
        _within("face_share", self.face_share, 0.01, 1)
        _within("max_zoom", self.max_zoom, 1, 100)
        _within("headroom", self.headroom, 0, 1)
        _within("dead_zone", self.dead_zone, 0, 0.5)
        _within("speed", self.speed, 0.01, 100)
        _within("pan_overlap", self.pan_overlap, 0, 1)
        _within("crf", self.crf, 0, 51)

    @property
    def aspect(self) -> Fraction:
        """Width over height of the new picture."""
        return aspect_of(self.shape)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of `reframe.mp4` in pixels, both even."""
        aspect = self.aspect
        longer = self.short_side_px * max(aspect, 1 / aspect)
        short, long = _even(Fraction(self.short_side_px)), _even(longer)
        return (long, short) if aspect > 1 else (short, long)


def aspect_of(shape: str) -> Fraction:
    """Width over height of a shape such as "9:16".

    Raises:
        ValueError: It is no ratio, or an extreme one.
    """
    found = _SHAPE.fullmatch(shape.strip())
    sides = [Fraction(side) for side in found.groups()] if found else []
    if not sides or not all(sides) or not Fraction(1, _WIDEST) <= sides[0] / sides[1] <= _WIDEST:
        raise ValueError(
            f"shape must be WIDTH:HEIGHT, such as 9:16, 1:1 or 4:5, from 1:{_WIDEST} to "
            f"{_WIDEST}:1, got {shape!r}"
        )
    return sides[0] / sides[1]


def _even(side: Fraction) -> int:
    return 2 * round(side / 2)


def _within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ValueError(f"{name} must be from {least:g} to {most:g}, got {value}")
