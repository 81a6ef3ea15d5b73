"""The parameters of the detector `s3fd`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class S3fdConfig:
    """S3FD (Zhang et al., ICCV 2017).

    Attributes:
        weights: "wider_face" (the published ones, trained on WIDER FACE) or the path of a
            checkpoint.
        longer_side_px: Frames with a longer side than this are scaled down to it.
        reference_scale: If given, the rule of TalkNet-ASD scripts in place of longer_side_px:
            frames of less than a million pixels are scaled by this factor, others by this factor
            and so as to fit into 640x480. detector=s3fd_reference sets it.
        min_face_px: Faces whose larger side is smaller than this, in source pixels, are left out.
        score_threshold: A face needs more confidence than this, from 0 to 1.
        nms_threshold: Overlap, as intersection over union from 0 to 1, above which two boxes
            count as one face.
    """

    weights: str = "wider_face"
    longer_side_px: int = 640
    reference_scale: float | None = None
    min_face_px: float = 20.0
    score_threshold: float = 0.9
    nms_threshold: float = 0.1

    def __post_init__(self) -> None:
        if self.longer_side_px < 32:
            raise ValueError(f"longer_side_px must be at least 32, got {self.longer_side_px}")
        if self.reference_scale is not None and not 0 < self.reference_scale <= 1:
            raise ValueError(
                f"reference_scale must be above 0 and at most 1, got {self.reference_scale}"
            )
        if self.min_face_px < 0:
            raise ValueError(f"min_face_px must not be negative, got {self.min_face_px}")
        for name in ("score_threshold", "nms_threshold"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be from 0 to 1, got {getattr(self, name)}")
