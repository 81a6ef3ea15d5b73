"""The network of LoCoNet, 34.3 M parameters: one face, with others on screen as its context.

Wang et al., "LoCoNet: Long-Short Context Network for Active Speaker Detection", CVPR 2024. Long
context is a face's whole track (attention over time), short context the faces beside it in the
same and nearby frames (convolution over faces and time). The visual encoder and the attention
layers are TalkNet's. Modules are named as in the published checkpoint.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..talknet.attention import Attention
from ..talknet.visual import VisualFrontend, visual_conv1d, visual_tcn
from .beside import SPEAKERS
from .sound import STEPS_PER_FRAME

_WIDTH = 256
_NEARBY_FRAMES = 7
_LAYERS = 3


class LoCoNet(nn.Module):
    """The whole network as published, with random weights; call `eval()` before use."""

    def __init__(self) -> None:
        super().__init__()
        self.model = _Body()
        self.lossAV = _Head(_WIDTH)
        # Used in training only.
        self.lossA, self.lossV = _Head(_WIDTH // 2), _Head(_WIDTH // 2)

    def vectors(self, seen: Tensor) -> Tensor:
        """Compute visual vectors (m, 512), each from five pictures; see `beside.stacks`.

        Args:
            seen: (m, 5, 112, 112) float, normalised as (x / 255 - 0.4161) / 0.1688, with x = 0
                where a face is not there; zeros where there is no picture.
        """
        found: Tensor = self.model.visualFrontend(seen)
        return found

    def forward(self, visual: Tensor, log_mel: Tensor) -> Tensor:
        """Compute the logits of one track with its context.

        Args:
            visual: (3, T, 512) float, vectors of the face in question and of two others.
            log_mel: (4 T, 64) float; see `sound.log_mel`.

        Returns:
            (3, T, 2) float: not speaking, speaking; the first row is of the face in question.
        """
        logits: Tensor = self.lossAV.FC(self.model(visual, log_mel))
        return logits


class _Head(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.FC = nn.Linear(width, 2)


class _Body(nn.Module):
    """Encoders of faces and sound, attention between them, and context of three layers."""

    def __init__(self) -> None:
        super().__init__()
        self.visualFrontend = VisualFrontend()
        # The published checkpoint lacks this module of TalkNet's, which is unused.
        del self.visualFrontend.resnet.layer1.downsample
        self.visualTCN = visual_tcn()
        self.visualConv1D = visual_conv1d()
        self.audioEncoder = _SoundEncoder()
        self.crossA2V = Attention(_WIDTH // 2)
        self.crossV2A = Attention(_WIDTH // 2)
        layers: list[nn.Module] = []
        for _ in range(_LAYERS):
            layers += [_ShortContext(), Attention(_WIDTH)]
        self.convAV = nn.ModuleList(layers)

    def forward(self, visual: Tensor, log_mel: Tensor) -> Tensor:
        """Encode and fuse; the result is (3, T, 256)."""
        video = self.visualConv1D(self.visualTCN(visual.transpose(1, 2))).transpose(1, 2)
        audio = self.audioEncoder(log_mel).expand(len(visual), -1, -1)
        x = torch.cat([self.crossA2V(audio, video), self.crossV2A(video, audio)], dim=2)
        for short, long in zip(self.convAV[::2], self.convAV[1::2], strict=True):
            x = short(x)
            x = long(x, x)
        return x


class _SoundEncoder(nn.Module):
    """The convolutions of VGGish, read at a fourth and an eighth of the rate and put together."""

    def __init__(self) -> None:
        super().__init__()
        pool, relu = nn.MaxPool2d(2), nn.ReLU()
        self.features = nn.Sequential(
            *(_conv3x3(1, 64), relu, pool),
            *(_conv3x3(64, 128), relu, pool),
            *(_conv3x3(128, 256), relu, _conv3x3(256, 256), relu, pool),
            *(_conv3x3(256, 512), relu, _conv3x3(512, 512), relu),
        )
        self.deconv = nn.ConvTranspose2d(512, 256, 2, stride=2)
        self.conv1 = nn.Conv2d(512, 256, 1)
        self.conv2 = nn.Conv2d(256, 128, 1)

    def forward(self, log_mel: Tensor) -> Tensor:
        """Encode a log mel spectrogram (4 T, 64) as (1, T, 128)."""
        steps = len(log_mel)
        # One to eight steps of zeros are added, so that halving three times leaves none over.
        x = functional.pad(log_mel[None, None], (0, 0, 0, 8 - steps % 8))
        fourth = self.features[:10](x)
        eighth = self.features[10:](fourth)
        both = torch.cat([fourth, self.deconv(eighth)], dim=1)
        encoded: Tensor = self.conv2(self.conv1(both)).mean(3)
        return encoded[:, :, : steps // STEPS_PER_FRAME].transpose(1, 2)


def _conv3x3(channels_in: int, channels: int) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels, 3, padding=1)


class _ShortContext(nn.Module):
    """A residual block: a convolution over all faces and seven frames, then one per frame."""

    def __init__(self) -> None:
        super().__init__()
        kernel = (SPEAKERS, _NEARBY_FRAMES)
        self.conv2d = nn.Conv2d(_WIDTH, _WIDTH * SPEAKERS, kernel, padding=(0, _NEARBY_FRAMES // 2))
        self.ln = nn.LayerNorm(_WIDTH)
        self.conv2d_1x1 = nn.Conv2d(_WIDTH, 2 * _WIDTH, 1)
        self.conv2d_1x1_2 = nn.Conv2d(2 * _WIDTH, _WIDTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        # The convolution leaves one face of 768 channels: three for each of 256, one per speaker.
        mixed = self.conv2d(x.permute(2, 0, 1)[None])[0, :, 0].unflatten(0, (_WIDTH, SPEAKERS))
        mixed = self.ln(mixed.permute(1, 2, 0)).permute(2, 0, 1)[None]
        mixed = self.conv2d_1x1_2(functional.gelu(self.conv2d_1x1(mixed)))
        result: Tensor = x + mixed[0].permute(1, 2, 0)
        return result
