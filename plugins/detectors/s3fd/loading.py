"""Loads S3FD: chooses its weights and device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....core.component import Context
from ....core.errors import MissingExtraError
from ....core.weights import Weights, chosen_path
from ...support.pytorch import import_torch, pick_device, placed, set_threads
from .config import S3fdConfig

if TYPE_CHECKING:
    from .detector import S3fdDetector

WIDER_FACE = Weights(
    name="s3fd",
    url=(
        "https://huggingface.co/lithiumice/syncnet/resolve/"
        "345f55fc8d94d74437095b34158c68645e113c01/sfd_face.pth"
    ),
    published="sfd_face.pth",
    check="sha256:d54a87c2b7543b64729c9a25eafd188da15fd3f6e02f0ecec76ae1b30d86c491",
    size_bytes=89_844_381,
    licence="as S3FD.pytorch",
)
PUBLISHED = {"wider_face": WIDER_FACE}
_INSTEAD = "detector=yunet"
_HINT = "detector.weights takes wider_face or the path of an S3FD checkpoint"


def build(config: S3fdConfig, context: Context) -> S3fdDetector:
    """Load S3FD onto the requested device.

    Raises:
        MissingExtraError: PyTorch or torchvision is not installed.
        DeviceError: The requested device does not exist.
        WeightsError: The weights are missing, damaged or of another model.
    """
    import_torch("detector=s3fd", instead=_INSTEAD)
    try:
        from .detector import S3fdDetector
    except ImportError as error:
        raise MissingExtraError("detector=s3fd", "torchvision", "torch", _INSTEAD) from error
    from ...support.checkpoints import load_checkpoint
    from .network import S3fdNetwork

    device = pick_device(context.device)
    set_threads(context.threads)
    network = S3fdNetwork()
    load_checkpoint(network, chosen_path(PUBLISHED, config.weights), "S3FD", _HINT)
    return S3fdDetector(config, placed(network, device).eval(), str(device))
