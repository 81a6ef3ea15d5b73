"""Runs the two parts of TalkNet with PyTorch, from and to NumPy arrays."""

from __future__ import annotations

import numpy as np
import torch

from ....core.features import FACE_MEAN, FACE_STD
from ....core.types import Float32, UInt8
from ...torch_support import inference
from .model import TalkNetNetwork
from .windows import WINDOW_FRAMES_PER_FACE, Int64


class TorchRuntime:
    """TalkNet on one device.

    Args:
        network: The network with its weights; it is moved to the device.
        device: Where to compute.
        batch_frames: How many frames the visual frontend takes at once.

    Attributes:
        device: "cpu" or "cuda:N".
        window_frames: How many frames the windows handed to `logits` may have in all.
    """

    def __init__(self, network: TalkNetNetwork, device: torch.device, batch_frames: int) -> None:
        self.device = str(device)
        self._network = network.to(device).eval()
        self.window_frames = batch_frames * WINDOW_FRAMES_PER_FACE
        self._batch_frames = batch_frames

    def vectors(self, faces: UInt8, seen: Int64) -> Float32:
        """Compute visual vectors.

        Args:
            faces: (n, 112, 112) uint8, the faces of a clip.
            seen: (m, 5) frames that each vector is computed from; -1 stands for zeros.

        Returns:
            (m, 512) float32.
        """
        pictures = torch.tensor(faces, device=self.device)
        rows = torch.tensor(seen, device=self.device)
        found = []
        with inference():
            for part in torch.split(rows, self._batch_frames):
                grey = (pictures[part.clamp(min=0)] / 255 - FACE_MEAN) / FACE_STD
                found.append(self._network.vectors(grey * (part >= 0)[:, :, None, None]).cpu())
            return np.asarray(torch.cat(found).numpy(), np.float32)

    def logits(self, visual: Float32, mfcc: Float32) -> Float32:
        """Look at windows of one length.

        Args:
            visual: (k, T, 512) float32, visual vectors.
            mfcc: (k, 4 T, 13) float32.

        Returns:
            (k, T, 2) float32: not speaking, speaking.
        """
        with inference():
            found = self._network.window(
                torch.tensor(visual, device=self.device), torch.tensor(mfcc, device=self.device)
            )
            return np.asarray(found.cpu().numpy(), np.float32)
