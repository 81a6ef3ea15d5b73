"""Runs the two parts of a network with PyTorch on NumPy arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ....core.analysis.features import FACE_MEAN, FACE_STD
from ....core.types import Float32, UInt8
from ...support.pytorch import inference, placed
from .network import Network, flatten
from .scorer import WINDOW_FRAMES_PER_FACE
from .windows import ZEROS, Int64, Sharing, Span


class TorchRuntime:
    """A network on one device.

    Args:
        network: The network with its weights; it is moved to the device and made faster, so that
            its state dict is no longer that of a checkpoint.
        sharing: Plans which visual vectors its windows share.
        device: The device to compute on.
        batch_frames: How many frames the visual frontend takes at once.

    Attributes:
        device: "cpu" or "cuda:N".
        concurrent: Whether other components may run while it does. On CUDA it turns TF32 off
            meanwhile, for the whole process.
        window_frames: Most frames in a batch of windows passed to `logits`.
    """

    name = "torch"

    def __init__(
        self, network: Network, sharing: Sharing, device: torch.device, batch_frames: int
    ) -> None:
        self.device = str(device)
        self.concurrent = device.type == "cpu"
        flatten(network)
        self._network = placed(network, device).eval()
        self._sharing = sharing
        self.window_frames = batch_frames * WINDOW_FRAMES_PER_FACE
        self._batch_frames = batch_frames

    def look(self, faces: UInt8, spans: Sequence[Span]) -> tuple[Float32, list[Int64]]:
        """Compute visual vectors.

        Args:
            faces: (n, 112, 112) uint8, the faces of a clip.
            spans: Windows of the clip, as `windows.cut` gives them.

        Returns:
            (m, V) float32, the vectors, and for each window the (T,) row numbers of its frames.
        """
        pieces, rows = self._sharing.plan(spans, self._batch_frames)
        pictures = torch.tensor(faces, device=self.device)
        found = []
        with inference():
            for piece in pieces:
                frames = torch.tensor(piece, device=self.device)
                grey = (pictures[frames.clamp(min=0)] / 255 - FACE_MEAN) / FACE_STD
                seen = grey * (frames != ZEROS)[..., None, None]
                found.append(self._network.vectors(seen).flatten(0, -2).cpu())
            return np.asarray(torch.cat(found).numpy(), np.float32), rows

    def logits(self, visual: Float32, mfcc: Float32) -> Float32:
        """Compute the logits of windows of one length.

        Args:
            visual: (k, T, V) float32, visual vectors.
            mfcc: (k, 4 T, 13) float32.

        Returns:
            (k, T, 2) float32: not speaking, speaking.
        """
        with inference():
            found = self._network.window(
                torch.tensor(visual, device=self.device), torch.tensor(mfcc, device=self.device)
            )
            return np.asarray(found.cpu().numpy(), np.float32)
