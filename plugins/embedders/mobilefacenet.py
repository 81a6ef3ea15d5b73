"""MobileFaceNet (Chen, Liu, Gao and Han, CCBR 2018), as published in ONNX by foamliu.

The network was trained to tell the people of MS-Celeb-1M apart, a data set of photographs from the
web that its publisher has withdrawn since; the output of its last layer is the embedding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...core.component import Context
from ...core.landmarks import FaceTemplate
from ...core.types import Float32, UInt8
from ...core.weights import Weights, locate
from ..support.onnx import OnnxSession
from ..support.onnx_devices import import_onnxruntime

WEIGHTS = Weights(
    name="mobilefacenet",
    url=(
        "https://github.com/foamliu/MobileFaceNet/raw/"
        "a6cc9032a659b615f477833e1a70b5e7931bcccc/weights/MobileFaceNet.onnx"
    ),
    published="MobileFaceNet.onnx",
    check="sha256:b7120c095d60094f28a4a54ba6a8bf51b297a6273fb40ef6350dfec1f63d9507",
    size_bytes=3_998_070,
    licence="Apache-2.0",
)
_TEMPLATE = FaceTemplate(
    112,
    np.array(
        [
            [38.2946, 51.6963],
            [73.5318, 51.5014],
            [56.0252, 71.7366],
            [41.5493, 92.3655],
            [70.7299, 92.2041],
        ]
    ),
)
"""Where landmarks were in the network's training pictures."""
_DIMENSIONS = 128
_INPUT = "input0"
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_STD = np.array([0.229, 0.224, 0.225], np.float32)
"""Normalisation of red, green and blue, where white is 1, as for networks trained on ImageNet."""


@dataclass(frozen=True)
class MobilefacenetConfig:
    """MobileFaceNet has no parameters."""


class MobilefacenetEmbedder:
    """Runs MobileFaceNet on one face after the other.

    The published graph takes one face at a time; on a CPU, batches would not be faster.

    Attributes:
        template: The aligned faces that the network reads.
        identity_distance: Measured; see docs/choosing.md.
        device: "cpu" or "cuda:N".
    """

    template = _TEMPLATE
    identity_distance = 0.55

    runtime = "onnx"

    def __init__(self, session: OnnxSession) -> None:
        self._session = session
        self.device = session.device

    def embed(self, faces: UInt8) -> Float32:
        """Embed faces; see `core.contracts.Embedder`. A row has 128 values."""
        found = np.empty((len(faces), _DIMENSIONS), np.float32)
        for row, face in zip(found, faces, strict=True):
            pixels = (np.float32(face) / 255 - _MEAN) / _STD
            vector = self._session.run({_INPUT: pixels.transpose(2, 0, 1)[None]})[0]
            row[:] = vector / np.linalg.norm(vector)
        return found


def build(config: MobilefacenetConfig, context: Context) -> MobilefacenetEmbedder:
    """Load the network onto the requested device.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
        DeviceError: The requested device does not exist.
        WeightsError: The weights are missing or damaged.
    """
    import_onnxruntime("embedder=mobilefacenet", instead="embedder=none")
    return MobilefacenetEmbedder(OnnxSession(locate(WEIGHTS), context))
