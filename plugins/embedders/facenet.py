"""FaceNet (Schroff, Kalenichenko and Philbin, CVPR 2015), from facenet-pytorch.

The network is Inception-ResNet v1 (Szegedy et al., AAAI 2017), trained to classify the 8631 people
of VGGFace2; the output of the layer before the last is the embedding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.component import Context
from ...core.errors import MissingExtraError
from ...core.types import Float32, UInt8
from ...core.weights import Weights, chosen_path
from ..support.pytorch import import_torch, inference, pick_device, set_threads

if TYPE_CHECKING:
    import torch

VGGFACE2 = Weights(
    name="facenet_vggface2",
    url=(
        "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/"
        "20180402-114759-vggface2.pt"
    ),
    published="20180402-114759-vggface2.pt",
    # The release states no hash; this is the one that many projects pin for this URL.
    check="sha256:281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b",
    size_bytes=111_898_327,
    licence="MIT",
)
PUBLISHED = {"vggface2": VGGFACE2}
_CLASSES = 8631
"""People in VGGFace2's training set; the published checkpoint has a logit for each."""
_DIMENSIONS = 512
_HINT = "embedder.weights takes vggface2 or the path of a FaceNet checkpoint for VGGFace2"


@dataclass(frozen=True)
class FacenetConfig:
    """Parameters of the `facenet` embedder.

    Attributes:
        weights: "vggface2" (downloaded when first used) or the path of a checkpoint with the
            same keys.
        batch_faces: How many faces are computed at once; more takes more memory.
    """

    weights: str = "vggface2"
    batch_faces: int = 32

    def __post_init__(self) -> None:
        if self.batch_faces < 1:
            raise ValueError(f"batch_faces must be at least 1, got {self.batch_faces}")


class FacenetEmbedder:
    """Runs FaceNet on batches of faces.

    Attributes:
        device: "cpu" or "cuda:N".
    """

    runtime = "torch"

    def __init__(self, network: Any, device: torch.device, batch_faces: int) -> None:
        self._network = network.to(device).eval()
        self._device = device
        self._batch_faces = batch_faces
        self.device = str(device)

    def embed(self, faces: UInt8) -> Float32:
        """Embed faces; see `core.contracts.Embedder`. A row has 512 values."""
        import torch

        found = np.empty((len(faces), _DIMENSIONS), np.float32)
        with inference():
            for start in range(0, len(faces), self._batch_faces):
                # Copied, as PyTorch accepts no read-only or negatively strided arrays.
                batch = faces[start : start + self._batch_faces].copy()
                pixels = torch.from_numpy(batch).to(self._device).permute(0, 3, 1, 2)
                # fixed_image_standardization of facenet-pytorch 2.5.3 (models/mtcnn.py)
                embedded = self._network((pixels.float() - 127.5) / 128.0)
                found[start : start + len(batch)] = embedded.cpu().numpy()
        return found


def build(config: FacenetConfig, context: Context) -> FacenetEmbedder:
    """Load the network onto the requested device.

    Raises:
        MissingExtraError: PyTorch or facenet-pytorch is not installed.
        DeviceError: The requested device does not exist.
        WeightsError: The weights are missing, damaged or of another model.
    """
    import_torch("embedder=facenet", instead="embedder=mobilefacenet")
    try:
        from facenet_pytorch import InceptionResnetV1
    except ImportError as error:
        raise MissingExtraError(
            "embedder=facenet", "facenet-pytorch", "torch", instead="embedder=mobilefacenet"
        ) from error
    device = pick_device(context.device)
    set_threads(context.threads)
    from ..support.checkpoints import load_checkpoint

    # Built as a classifier to match the checkpoint's logits, then used without them. The class's
    # own `pretrained` would download without a check, and into another folder.
    network = InceptionResnetV1(classify=True, num_classes=_CLASSES)
    load_checkpoint(network, chosen_path(PUBLISHED, config.weights), "FaceNet", _HINT)
    network.classify = False
    return FacenetEmbedder(network, device, config.batch_faces)
