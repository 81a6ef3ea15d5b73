"""TalkNet, checkpoint-compatible with the published weights, by PyTorch or by ONNX Runtime.

Either is imported only when it is built.
"""

from ....core.components import Component
from .exporting import exportable
from .loading import PUBLISHED, build
from .scorer import TalkNetConfig
from .tensors import MODEL

__all__ = ["TALKNET"]

TALKNET = Component(
    "scorer",
    MODEL,
    TalkNetConfig,
    build,
    weights=tuple(PUBLISHED.values()),
    export=exportable,
)
