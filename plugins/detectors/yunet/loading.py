"""Loads YuNet: finds its weights and chooses what runs it."""

from __future__ import annotations

from pathlib import Path

import cv2

from ....core.component import Context
from ....core.errors import MissingExtraError
from ....core.weights import Weights, locate
from ...support.onnx_devices import import_onnxruntime
from .config import YunetConfig
from .detector import Runtime, YunetDetector
from .onnx_runtime import OnnxRuntime
from .opencv_runtime import OpencvRuntime

WEIGHTS = Weights(
    name="face_detection_yunet_2023mar",
    url=(
        "https://huggingface.co/opencv/face_detection_yunet/resolve/"
        "3cc26e7f1014a5ee5d74a42acee58bafc9d0a310/face_detection_yunet_2023mar.onnx"
    ),
    published="face_detection_yunet_2023mar.onnx",
    check="sha256:8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    size_bytes=232_589,
    licence="MIT",
)


def build(config: YunetConfig, context: Context) -> YunetDetector:
    """Load YuNet. It is small and runs on the CPU, whatever device is requested.

    Raises:
        MissingExtraError: ONNX Runtime is requested, but not installed.
        WeightsError: The weights are missing or damaged.
    """
    with_onnx = _uses_onnx(config)
    if context.threads:
        cv2.setNumThreads(context.threads)
    path = locate(WEIGHTS)
    return YunetDetector(config, _runtime(path, with_onnx, config, context))


def _uses_onnx(config: YunetConfig) -> bool:
    """Whether ONNX Runtime is to be used."""
    if config.runtime == "opencv":
        return False
    try:
        import_onnxruntime("detector.runtime=onnx", instead="detector.runtime=opencv")
    except MissingExtraError:
        if config.runtime == "onnx":
            raise
        return False
    return True


def _runtime(path: Path, with_onnx: bool, config: YunetConfig, context: Context) -> Runtime:
    if with_onnx:
        return OnnxRuntime(path, config.score_threshold, config.nms_threshold, context.threads)
    return OpencvRuntime(path, config.score_threshold, config.nms_threshold)
