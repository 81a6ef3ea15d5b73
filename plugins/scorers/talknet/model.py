"""TalkNet (Tao et al., "Is Someone Speaking?", ACM MM 2021), the network.

It runs in two parts. `vectors` sees each frame with its four neighbours, is nearly all of the
work, and is the same for every window that a frame falls into; `window` is cheap and looks at a
whole window at once. The names of modules are those of the published checkpoint.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .audio import AudioEncoder
from .tensors import VECTOR
from .visual import VisualFrontend, visual_conv1d, visual_tcn
from .windows import FRAMES_SEEN

_HEADS = 8


class TalkNetNetwork(nn.Module):
    """The whole network, 15.74 M parameters; make it `eval()` before use."""

    def __init__(self) -> None:
        super().__init__()
        self.model = _Body()
        self.lossAV = _Head(256)
        self.lossA = _Head(128)  # these two serve training alone
        self.lossV = _Head(128)

    def vectors(self, seen: Tensor) -> Tensor:
        """The visual vectors of single frames.

        Args:
            seen: (n, 5, 112, 112) float, five successive normalised faces (`x / 255` less 0.4161,
                over 0.1688) around each frame; zeros where the window has none.

        Returns:
            (n, 512) float.
        """
        found: Tensor = self.model.visualFrontend(seen)
        return found

    def frontend(self, faces: Tensor) -> Tensor:
        """The visual vectors of whole windows, which see zeros before and after.

        Args:
            faces: (B, T, 112, 112) float, normalised.

        Returns:
            (B, T, 512) float.
        """
        beside = FRAMES_SEEN // 2
        padded = functional.pad(faces, (0, 0, 0, 0, beside, beside))
        seen = padded.unfold(1, FRAMES_SEEN, 1).movedim(-1, 2)
        return self.vectors(seen.flatten(0, 1)).reshape(*faces.shape[:2], VECTOR)

    def window(self, visual: Tensor, mfcc: Tensor) -> Tensor:
        """The logits of whole windows, all of one length, from both senses.

        Args:
            visual: (B, T, 512) float, visual vectors.
            mfcc: (B, 4 T, 13) float.

        Returns:
            (B, T, 2) float: not speaking, speaking.
        """
        logits: Tensor = self.lossAV(self.model(visual, mfcc))
        return logits

    def forward(self, faces: Tensor, mfcc: Tensor) -> Tensor:
        """The logits of whole windows: `window` of `frontend`."""
        return self.window(self.frontend(faces), mfcc)


class _Body(nn.Module):
    """The two encoders and the attention between them."""

    def __init__(self) -> None:
        super().__init__()
        self.visualFrontend = VisualFrontend()
        self.visualTCN = visual_tcn()
        self.visualConv1D = visual_conv1d()
        self.audioEncoder = AudioEncoder()
        self.crossA2V = _Attention(128)
        self.crossV2A = _Attention(128)
        self.selfAV = _Attention(256)

    def forward(self, visual: Tensor, mfcc: Tensor) -> Tensor:
        """(B, T, 512) visual vectors and (B, 4 T, 13) MFCC to (B, T, 256)."""
        audio = self.audioEncoder(mfcc.transpose(1, 2).unsqueeze(1))
        video = self.visualConv1D(self.visualTCN(visual.transpose(1, 2))).transpose(1, 2)
        both = torch.cat([self.crossA2V(audio, video), self.crossV2A(video, audio)], dim=2)
        fused: Tensor = self.selfAV(both, both)
        return fused


class _Attention(nn.Module):
    """A transformer layer whose query may be another sequence than the one it adds to."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(width, _HEADS, batch_first=True)
        self.linear1 = nn.Linear(width, 4 * width)
        self.linear2 = nn.Linear(4 * width, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        # The residual is on the source although the target asks, as in the published network.
        found, _ = self.self_attn(target, source, source, need_weights=False)
        x = self.norm1(source + found)
        result: Tensor = self.norm2(x + self.linear2(functional.relu(self.linear1(x))))
        return result


class _Head(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.FC = nn.Linear(width, 2)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.FC(x)
        return logits
