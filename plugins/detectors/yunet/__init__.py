"""YuNet, by its published weights, run by ONNX Runtime or OpenCV."""

from ....core.component import Component
from .config import YunetConfig
from .loading import WEIGHTS, build

__all__ = ["YUNET"]

YUNET = Component(
    "detector",
    "yunet",
    YunetConfig,
    build,
    weights=(WEIGHTS,),
    about="YuNet (Wu et al., 2023): small, fast on CPUs (ONNX Runtime or OpenCV)",
)
