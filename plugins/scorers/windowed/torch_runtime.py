"""Runs the two parts of a network with PyTorch on NumPy arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch

from ....core.analysis.features import FACE_MEAN, FACE_STD
from ....core.types import Float32, UInt8
from ...support.pytorch import inference, placed
from .going_on import GoingOn
from .model import Parts
from .network import Network, flatten
from .reach import Contract, Reach
from .scorer import WINDOW_FRAMES_PER_FACE
from .stream import Stream
from .windows import ZEROS, Int64, Sharing, Span


class TorchRuntime:
    """A network on one device.

    Args:
        network: The network with its weights; it is moved to the device and made faster, so that
            its state dict is no longer that of a checkpoint.
        sharing: Plans which visual vectors its windows share.
        device: The device to compute on.
        batch_frames: How many frames the visual frontend takes at once.
        parts: The modules of the graphs that `stream.Stream` runs, if there are such; see `Model`.

    Attributes:
        device: "cpu" or "cuda:N".
        concurrent: Whether other components may run while it does. On CUDA it turns TF32 off
            meanwhile, for the whole process.
        window_frames: Most frames in a batch of windows passed to `logits`.
    """

    name = "torch"

    def __init__(
        self,
        network: Network,
        sharing: Sharing,
        device: torch.device,
        batch_frames: int,
        parts: Parts | None = None,
    ) -> None:
        self.device = str(device)
        self.concurrent = device.type == "cpu"
        flatten(network)
        self._network = placed(network, device).eval()
        self._sharing = sharing
        self.window_frames = batch_frames * WINDOW_FRAMES_PER_FACE
        self._batch_frames = batch_frames
        self._parts = parts

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

    def going_on(self) -> GoingOn | None:
        """The vectors of a face that goes on; None where there are no modules for it."""
        return GoingOn(self._stream) if self._stream else None

    @cached_property
    def _stream(self) -> Stream | None:
        """Made when the first face is followed: its modules are copies of the network."""
        reach = self._sharing
        if self._parts is None or not isinstance(reach, Reach):
            return None
        graphs = zip(self._parts(self._network), reach.graphs.values(), strict=True)
        return Stream(reach, *(TorchGraph(module, graph, self.device) for module, graph in graphs))

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


class TorchGraph:
    """A module run as a graph; see `stream.Graph`.

    Args:
        module: Takes and returns tensors in the order of the contract; it is on the device.
        contract: The names of these.
        device: The device: "cpu" or "cuda:N".
    """

    def __init__(self, module: torch.nn.Module, contract: Contract, device: str) -> None:
        self._module = module
        self._contract = contract
        self._device = device

    def run(self, inputs: Mapping[str, Any]) -> Float32:
        """See `stream.Graph`."""
        first, *_ = self._ran(inputs)
        return np.asarray(first.cpu().numpy(), np.float32)

    def run_on(self, inputs: Mapping[str, Any]) -> dict[str, torch.Tensor]:
        """See `stream.Graph`; all but the first output stay on the device."""
        first, *others = self._ran(inputs)
        names = [tensor.name for tensor in self._contract.outputs]
        return dict(zip(names, [first.cpu(), *others], strict=True))

    def _ran(self, inputs: Mapping[str, Any]) -> tuple[torch.Tensor, ...]:
        with inference():
            given = [
                torch.as_tensor(inputs[tensor.name], device=self._device)
                for tensor in self._contract.inputs
            ]
            found = self._module(*given)
        return found if isinstance(found, tuple) else (found,)
