"""The network of TalkNet, 15.74 M parameters (Tao et al., "Is Someone Speaking?", ACM MM 2021).

The visual frontend reads each frame with its four neighbours; all later layers read a whole window
at once. Modules are named as in the published checkpoint.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..windowed.network import Body, Network
from .attention import Attention
from .audio import AudioEncoder
from .frames import FRAMES_SEEN, VECTOR
from .visual import VisualFrontend, visual_conv1d, visual_tcn


def network() -> Network:
    """TalkNet with random weights."""
    return Network(_Body(), 256, training_heads=("lossA", "lossV"))


class _Body(Body):
    """The two encoders and the attention between them."""

    def __init__(self) -> None:
        super().__init__()
        self.visualFrontend = VisualFrontend()
        self.visualTCN = visual_tcn()
        self.visualConv1D = visual_conv1d()
        self.audioEncoder = AudioEncoder()
        self.crossA2V = Attention(128)
        self.crossV2A = Attention(128)
        self.selfAV = Attention(256)

    def vectors(self, seen: Tensor) -> Tensor:
        """Encode the five faces around each frame, (n, 5, 112, 112), as vectors (n, 512)."""
        found: Tensor = self.visualFrontend(seen)
        return found

    def frontend(self, faces: Tensor) -> Tensor:
        """Encode the faces of whole windows, (B, T, 112, 112), zero-padded, as (B, T, 512)."""
        beside = FRAMES_SEEN // 2
        padded = functional.pad(faces, (0, 0, 0, 0, beside, beside))
        seen = padded.unfold(1, FRAMES_SEEN, 1).movedim(-1, 2)
        return self.vectors(seen.flatten(0, 1)).reshape(*faces.shape[:2], VECTOR)

    def read(self, visual: Tensor, mfcc: Tensor) -> tuple[Tensor, ...]:
        """Fuse visual vectors (B, T, 512) and MFCC (B, 4 T, 13) into (B, T, 256).

        The heads used only in training read the sound that has heard of the picture, and the
        picture that has heard of the sound.
        """
        audio = self.audioEncoder(mfcc.transpose(1, 2).unsqueeze(1))
        video = self.visualConv1D(self.visualTCN(visual.transpose(1, 2))).transpose(1, 2)
        heard, seen = self.crossA2V(audio, video), self.crossV2A(video, audio)
        both = torch.cat([heard, seen], dim=2)
        return self.selfAV(both, both), heard, seen

    def draw(self) -> None:
        """Draw the convolutions of the sound anew, as He et al. (ICCV 2015) do, by outputs."""
        for layer in self.audioEncoder.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
