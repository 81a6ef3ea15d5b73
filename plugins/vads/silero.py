"""Silero VAD (Silero Team, github.com/snakers4/silero-vad), the ONNX model of its package.

The package itself is never imported, for it imports PyTorch: its model is a file that ONNX
Runtime reads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ...core.component import Context
from ...core.errors import MissingExtraError, WeightsError
from ...core.types import SAMPLES_PER_FRAME, Float32, Int16
from ...core.weights import note
from ..support.onnx import OnnxSession
from ..support.onnx_devices import import_onnxruntime

_FILE = "silero_vad_16k_sequence.onnx"
"""The model that takes any number of windows at once, for 16 kHz alone; since silero-vad 6.2.2."""
_WINDOW_SAMPLES = 512
_CONTEXT_SAMPLES = 64
"""Each window is heard after the last samples of the one before."""
_STATE = {"h": "hn", "c": "cn"}
"""Inputs of the LSTM's state, and the outputs that hand it on; (1, 1, 128) float32 each."""
_UNIT_SAMPLES = math.gcd(_WINDOW_SAMPLES, SAMPLES_PER_FRAME)
"""The longest piece that windows and frames can both be cut into."""
_ALONE = "pip install --no-deps silero-vad"


@dataclass(frozen=True)
class SileroConfig:
    """The `silero` voice activity detection has no parameters."""


class SileroVad:
    """Hears one sound, piece by piece, on the CPU.

    The model judges windows of 32 ms, a frame takes the mean of the windows it overlaps, by the
    length of the overlap: four frames are five windows. The last window of a piece is filled up
    with silence if the piece is no multiple of four frames, so only the last one may be that.
    """

    memory_s = 8.0
    """After so much sound, whatever came before makes less than 0.1 of difference."""

    def __init__(self, session: OnnxSession) -> None:
        self._session = session
        self._context = np.zeros(_CONTEXT_SAMPLES, np.float32)
        self._state = {name: np.zeros((1, 1, 128), np.float32) for name in _STATE}

    def speech(self, sound: Int16) -> Float32:
        """Listen to the next piece; see `core.contracts.Vad`."""
        units = np.repeat(self.windows(sound), _WINDOW_SAMPLES // _UNIT_SAMPLES)
        of_frames = units[: len(sound) // _UNIT_SAMPLES].reshape(
            -1, SAMPLES_PER_FRAME // _UNIT_SAMPLES
        )
        speech: Float32 = of_frames.mean(axis=1, dtype=np.float32)
        return speech

    def windows(self, sound: Int16) -> Float32:
        """Listen to the next piece, in the model's own windows.

        Args:
            sound: (n,) int16, 16 kHz mono.

        Returns:
            (m,) float32 from 0 to 1, for each 512 samples how likely somebody speaks.
        """
        if not len(sound):
            return np.empty(0, np.float32)
        missing = -len(sound) % _WINDOW_SAMPLES
        windows = np.pad(sound / np.float32(32768), (0, missing)).reshape(-1, _WINDOW_SAMPLES)
        ends = windows[:, -_CONTEXT_SAMPLES:]
        contexts = np.vstack([self._context, ends[:-1]])
        found = self._session.run_all({"input": np.hstack([contexts, windows]), **self._state})
        self._context = ends[-1]
        self._state = {name: found[after] for name, after in _STATE.items()}
        return found["speech_probs"]


def build(config: SileroConfig, context: Context) -> SileroVad:
    """Load the model. It is tiny: one thread of the CPU, whatever device was asked for.

    Raises:
        MissingExtraError: ONNX Runtime or silero-vad is not installed.
        WeightsError: The silero-vad that is installed is too old.
    """
    import_onnxruntime("vad=silero")
    return SileroVad(OnnxSession(note(_model_path()), Context(device="cpu", threads=1)))


def _model_path() -> Path:
    """The model inside the installed package, which is found but not imported.

    Raises:
        MissingExtraError: silero-vad is not installed.
        WeightsError: It is too old to hold this model.
    """
    spec = find_spec("silero_vad")
    if spec is None:
        error = MissingExtraError("vad=silero", "silero-vad", "silero", instead="vad=energy")
        error.hint += f"; {_ALONE} leaves out PyTorch, which vad=silero does not need"
        raise error
    for folder in spec.submodule_search_locations or ():
        path = Path(folder, "data", _FILE)
        if path.is_file():
            return path
    raise WeightsError(
        f"The package silero-vad that is installed does not hold {_FILE}",
        f"It is there from version 6.2.2 on: {_ALONE} --upgrade, or choose vad=energy",
    )
