"""Runs TalkNet with ONNX Runtime, from and to NumPy arrays; PyTorch need not be installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ....core.bundle import Bundle
from ....core.components import Context
from ....core.errors import WeightsError
from ....core.types import Float32, UInt8
from ...onnx_support import OnnxSession
from .tensors import FACES, LOGITS, MFCC, MODEL, SEEN, VISUAL
from .windows import WINDOW_FRAMES_PER_FACE, Int64, pictures


class SplitRuntime:
    """The two parts of a bundle, as `TorchRuntime` runs them.

    Args:
        bundle: The bundle.
        context: The device and the threads.
        tensorrt: Run on CUDA through TensorRT.
        batch_frames: How many frames the visual frontend takes at once.

    Raises:
        WeightsError: The bundle is of another model, or a file is missing or altered.
        DeviceError: The device asked for is not there.
    """

    def __init__(self, bundle: Bundle, context: Context, tensorrt: bool, batch_frames: int) -> None:
        if bundle.manifest["model"] != MODEL:
            raise WeightsError(
                f"{bundle.folder} is a bundle of {bundle.manifest['model']}, not of {MODEL}",
                f"Choose that scorer, or make a bundle with: asd export scorer={MODEL} output=DIR",
            )
        self._frontend = OnnxSession(bundle.file("frontend.onnx"), context, tensorrt)
        self._window = OnnxSession(bundle.file("window.onnx"), context, tensorrt)
        self.device = self._frontend.device
        self.window_frames = batch_frames * WINDOW_FRAMES_PER_FACE
        self._batch_frames = batch_frames

    def vectors(self, faces: UInt8, seen: Int64) -> Float32:
        """Compute visual vectors; see `TorchRuntime.vectors`."""
        found = []
        for first in range(0, len(seen), self._batch_frames):
            rows = seen[first : first + self._batch_frames]
            found.append(self._frontend.run({SEEN.name: pictures(faces, rows)}))
        return np.concatenate(found)

    def logits(self, visual: Float32, mfcc: Float32) -> Float32:
        """Look at windows of one length; see `TorchRuntime.logits`."""
        return self._window.run({MFCC.name: mfcc, VISUAL.name: visual})


class WholeRuntime:
    """A bare model.onnx: each window goes through the whole network.

    Args:
        path: The file; asdkit's own, or anyone's with the same inputs and output.
        context: The device and the threads.
        tensorrt: Run on CUDA through TensorRT.
        batch_frames: How many frames the network takes at once, if a window is not longer.

    Raises:
        WeightsError: It is not TalkNet, or not a graph that ONNX Runtime runs.
        DeviceError: The device asked for is not there.
    """

    def __init__(self, path: Path, context: Context, tensorrt: bool, batch_frames: int) -> None:
        self._path = path
        self._model = OnnxSession(path, context, tensorrt)
        named = self._model.metadata.get("asdkit.model", MODEL)
        if named != MODEL:
            raise WeightsError(f"{path} holds {named}, not {MODEL}", "Choose that scorer")
        found = {**self._model.inputs, **self._model.outputs}
        wanted = {tensor.name: tensor.shape for tensor in (MFCC, FACES, LOGITS)}
        if found.keys() != wanted.keys() or any(
            not _fits(found[name], wanted[name]) for name in wanted
        ):
            raise WeightsError(
                f"{path} is not TalkNet: it has {_listed(found)}, expected {_listed(wanted)}",
                f"Make one with: asd export scorer={MODEL} output=DIR",
            )
        self.device = self._model.device
        self.window_frames = batch_frames

    def vectors(self, faces: UInt8, seen: Int64) -> UInt8:
        """What a frame adds to a window: here its face itself.

        Args:
            faces: (n, 112, 112) uint8, the faces of a clip.
            seen: (m, 5) frames around each frame wanted, itself in the middle.

        Returns:
            (m, 112, 112) uint8.
        """
        return np.asarray(faces[seen[:, seen.shape[1] // 2]])

    def logits(self, visual: UInt8, mfcc: Float32) -> Float32:
        """Look at windows of one length.

        Args:
            visual: (k, T, 112, 112) uint8, faces.
            mfcc: (k, 4 T, 13) float32.

        Returns:
            (k, T, 2) float32: not speaking, speaking.
        """
        found = self._model.run({MFCC.name: mfcc, FACES.name: visual.astype(np.float32)})
        wanted = (*visual.shape[:2], LOGITS.shape[-1])
        if found.shape != wanted:
            raise WeightsError(f"{self._path} gave logits {found.shape}, expected {wanted}")
        return found


def _fits(found: list[Any], wanted: tuple[int | str, ...]) -> bool:
    """Whether fixed sizes are equal and free ones free."""
    return len(found) == len(wanted) and all(
        size == there if isinstance(size, int) else not isinstance(there, int)
        for there, size in zip(found, wanted, strict=True)
    )


def _listed(tensors: Any) -> str:
    return ", ".join(
        f"{name} ({', '.join(map(str, shape))})" for name, shape in sorted(tensors.items())
    )
