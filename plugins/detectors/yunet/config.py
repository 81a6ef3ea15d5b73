"""The parameters of the detector `yunet`."""

from __future__ import annotations

from dataclasses import dataclass, field

from ....core.spelling import one_of

RUNTIMES = ("auto", "onnx", "opencv")


@dataclass(frozen=True)
class YunetConfig:
    """YuNet (Wu, Peng and Yu, Machine Intelligence Research 2023).

    Attributes:
        runtime: "onnx" (ONNX Runtime, on the CPU, the faster one), "opencv", or "auto": ONNX
            Runtime if it is installed, else OpenCV. Both find the same faces.
        longer_side_px: Frames with a longer side than this are scaled down to it; faces smaller
            than about 16 px are then not seen. null makes it so large that faces of min_face_px
            are, and looks a second time at 640 for the largest ones: with the default
            min_face_px that takes about 4 times as long in 720p, 30 times in 4K.
        min_face_px: Faces whose larger side is smaller than this, in source pixels, are left out.
        score_threshold: Confidence from 0 to 1 that a face needs.
        nms_threshold: Overlap from 0 to 1 from which two boxes count as one face.
    """

    runtime: str = field(default="auto", metadata={"values": RUNTIMES})
    longer_side_px: int | None = 640
    min_face_px: float = 20.0
    score_threshold: float = 0.7
    nms_threshold: float = 0.3

    def __post_init__(self) -> None:
        if self.runtime not in RUNTIMES:
            raise ValueError(one_of("runtime", self.runtime, RUNTIMES))
        if self.longer_side_px is not None and self.longer_side_px < 32:
            raise ValueError(f"longer_side_px must be at least 32, got {self.longer_side_px}")
        if self.min_face_px < 0:
            raise ValueError(f"min_face_px must not be negative, got {self.min_face_px}")
        for name in ("score_threshold", "nms_threshold"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be from 0 to 1, got {getattr(self, name)}")
