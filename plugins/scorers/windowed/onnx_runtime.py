"""Runs a network with ONNX Runtime on NumPy arrays; PyTorch need not be installed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ....core.bundle import Bundle
from ....core.component import Context
from ....core.errors import WeightsError
from ....core.exportable import Tensor
from ....core.onnx_file import hold_in_one_file
from ....core.types import Float32, UInt8
from ...support.onnx import OnnxSession
from .config import WindowedConfig
from .going_on import GoingOn
from .model import Model
from .reach import Reach
from .scorer import WINDOW_FRAMES_PER_FACE
from .stream import Stream, plan
from .tensors import FACES, LOGITS, MFCC
from .windows import Int64, Span, pictures


class SplitRuntime:
    """Runs the two graphs of a bundle, with the methods of `TorchRuntime`.

    Args:
        model: The model the bundle should be of.
        bundle: The bundle.
        config: The parameters.
        context: The device and the threads.

    Raises:
        WeightsError: The bundle is of another model, or a file is missing or altered.
        DeviceError: The requested device does not exist.
    """

    concurrent = True
    name = "onnx"

    def __init__(
        self, model: Model, bundle: Bundle, config: WindowedConfig, context: Context
    ) -> None:
        if bundle.manifest["model"] != model.name:
            raise WeightsError(
                f"{bundle.folder} is a bundle of {bundle.manifest['model']}, not of {model.name}",
                "Choose that scorer, or make a bundle with: "
                f"asd export scorer={model.name} output=DIR",
            )
        sharing = model.sharing
        self._frontend = _session(
            model, bundle.file("frontend.onnx"), config, context, (sharing.seen, sharing.vectors)
        )
        self._stream = _stream(model, bundle, config, context, self._frontend.device)
        self._window = _session(
            model, bundle.file("window.onnx"), config, context, (MFCC, sharing.visual, LOGITS)
        )
        self._sharing = sharing
        self.device = self._frontend.device
        self.window_frames = config.batch_frames * WINDOW_FRAMES_PER_FACE
        self._batch_frames = config.batch_frames

    def look(self, faces: UInt8, spans: Sequence[Span]) -> tuple[Float32, list[Int64]]:
        """Compute visual vectors; see `TorchRuntime.look`."""
        stream, reach = self._stream, self._sharing
        found: list[Float32] = []
        if stream is not None and isinstance(reach, Reach):
            through, pieces, rows = plan(reach, spans, self._batch_frames)
            found += stream.vectors(faces, through)
        else:
            pieces, rows = self._sharing.plan(spans, self._batch_frames)
        for piece in pieces:
            vectors = self._frontend.run({self._sharing.seen.name: pictures(faces, piece)})
            found.append(vectors.reshape(-1, vectors.shape[-1]))
        return np.concatenate(found), rows

    def going_on(self) -> GoingOn | None:
        """The vectors of a face that goes on; None where there are no graphs for it."""
        return GoingOn(self._stream) if self._stream else None

    def logits(self, visual: Float32, mfcc: Float32) -> Float32:
        """Compute the logits of windows of one length; see `TorchRuntime.logits`."""
        return self._window.run({MFCC.name: mfcc, self._sharing.visual.name: visual})


class WholeRuntime:
    """Runs a bare model.onnx: the whole network on each window, without sharing.

    Args:
        model: The model the file should be of.
        path: The file; made by asdkit, or by anyone with the same inputs and output.
        config: The parameters; a batch has at most `batch_frames` frames, or one window if that
            is longer.
        context: The device and the threads.

    Raises:
        WeightsError: The file is of another model, or not a graph that ONNX Runtime runs.
        DeviceError: The requested device does not exist.
    """

    concurrent = True
    name = "onnx"

    def __init__(self, model: Model, path: Path, config: WindowedConfig, context: Context) -> None:
        self._path = path
        hold_in_one_file(path)
        self._model = _session(model, path, config, context, (MFCC, FACES, LOGITS))
        self.device = self._model.device
        self.window_frames = config.batch_frames

    def look(self, faces: UInt8, spans: Sequence[Span]) -> tuple[UInt8, list[Int64]]:
        """Return the (n, 112, 112) uint8 faces themselves: this runtime has no frontend."""
        return faces, [np.arange(*span) for span in spans]

    def logits(self, visual: UInt8, mfcc: Float32) -> Float32:
        """Compute the logits of windows of one length.

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


def _stream(
    model: Model, bundle: Bundle, config: WindowedConfig, context: Context, device: str
) -> Stream | None:
    """Open the graphs that compute the vectors of a clip piece by piece.

    None for models without, for bundles made before there were such graphs, and on a GPU, which
    is faster with fewer and larger pieces.
    """
    reach = model.sharing
    if not isinstance(reach, Reach) or device != "cpu":
        return None
    if "alone.onnx" not in bundle.manifest["files"]:
        return None
    return Stream(
        reach,
        *(
            _session(model, bundle.file(f"{name}.onnx"), config, context, (*inputs, *outputs))
            for name, (inputs, outputs) in reach.graphs.items()
        ),
    )


def _session(
    model: Model, path: Path, config: WindowedConfig, context: Context, tensors: tuple[Tensor, ...]
) -> OnnxSession:
    """Open a graph of a model, and check its inputs and output.

    Raises:
        WeightsError: The graph is of another model, or ONNX Runtime cannot run it.
    """
    session = OnnxSession(path, context, config.tensorrt)
    named = session.metadata.get("asdkit.model", model.name)
    if named != model.name:
        raise WeightsError(f"{path} holds {named}, not {model.name}", "Choose that scorer")
    session.hold(tensors, model.title, f"Make one with: asd export scorer={model.name} output=DIR")
    return session
