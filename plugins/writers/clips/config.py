"""The parameters of the `clips` writer."""

from __future__ import annotations

from dataclasses import dataclass, field

PICTURES = ("face", "frame")
_SIZES_PX = (16, 2048)


@dataclass(frozen=True)
class ClipsConfig:
    """Parameters of the `clips` writer.

    Attributes:
        picture: `face` writes the square around the face, which follows it; `frame` the whole
            picture.
        size_px: Width and height of a face's videos in pixels, an even number from 16 to 2048.
        around: How much the square is wider than the face, as a part of it; 0.4 is what TalkNet
            and LR-ASD are given.
        around_s: Seconds before and after a turn that are written, too, within its shot, and with
            `picture=face` while the face is visible.
        least_s: Turns shorter than so many seconds are left out.
        most: At most so many turns are written, the longest ones, 1 or more.
        crf: Constant rate factor of H.264, from 0 (lossless, large) to 51 (worst, small).
    """

    picture: str = field(default="face", metadata={"values": PICTURES})
    size_px: int = 224
    around: float = 0.4
    around_s: float = 0.0
    least_s: float = 0.5
    most: int = 10_000
    crf: int = 20

    def __post_init__(self) -> None:
        if self.picture not in PICTURES:
            raise ValueError(f"picture must be {' or '.join(PICTURES)}, got {self.picture!r}")
        least, most = _SIZES_PX
        if self.size_px % 2 or not least <= self.size_px <= most:
            raise ValueError(
                f"size_px must be an even number from {least} to {most}, got {self.size_px}"
            )
        if not 0 <= self.around <= 5:
            raise ValueError(f"around must be from 0 to 5, got {self.around}")
        for name in ("around_s", "least_s"):
            value = getattr(self, name)
            if not 0 <= value <= 3600:
                raise ValueError(f"{name} must be from 0 to 3600, got {value}")
        if self.most < 1:
            raise ValueError(f"most must be 1 or more, got {self.most}")
        if not 0 <= self.crf <= 51:
            raise ValueError(f"crf must be from 0 to 51, got {self.crf}")
