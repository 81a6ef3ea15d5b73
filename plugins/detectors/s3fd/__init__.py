"""S3FD, compatible with the published checkpoint; PyTorch is imported when it is built."""

from ....core.component import Component
from .config import S3fdConfig
from .loading import PUBLISHED, build

__all__ = ["S3FD"]

S3FD = Component(
    "detector",
    "s3fd",
    S3fdConfig,
    build,
    weights=tuple(PUBLISHED.values()),
    about="S3FD (Zhang et al., ICCV 2017): faces of all sizes, slow without a GPU",
    needs=("torch", "torchvision"),
)
