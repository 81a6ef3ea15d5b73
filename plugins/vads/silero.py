"""Silero VAD (Silero Team, github.com/snakers4/silero-vad), by the ONNX model in its package.

The package is never imported, as it imports PyTorch; ONNX Runtime runs its model file.
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
"""The model for 16 kHz that takes any number of windows at once; since silero-vad 6.2.2."""
_WINDOW_SAMPLES = 512
_CONTEXT_SAMPLES = 64
"""The model's input is a window, preceded by so many samples of the one before."""
_STATE = {"h": "hn", "c": "cn"}
"""Inputs of the LSTM's state, and the outputs with the next state; (1, 1, 128) float32 each."""
_UNIT_SAMPLES = math.gcd(_WINDOW_SAMPLES, SAMPLES_PER_FRAME)
"""The longest unit that divides both windows and frames."""
_ALONE = "pip install --no-deps silero-vad"


@dataclass(frozen=True)
class SileroConfig:
    """The `silero` voice activity detection has no parameters."""


class SileroVad:
    """Processes one sound, piece by piece, on the CPU.

    The model scores windows of 32 ms; a frame gets the mean of the windows it overlaps, weighted by
    the overlap: four frames are five windows. If a piece is not a multiple of four frames, its last
    window is padded with silence, so this is allowed only for the last piece.
    """

    memory_s = 8.0
    """After so much sound, anything earlier changes the output by less than 0.1."""

    def __init__(self, session: OnnxSession) -> None:
        self._session = session
        self._context = np.zeros(_CONTEXT_SAMPLES, np.float32)
        self._state = {name: np.zeros((1, 1, 128), np.float32) for name in _STATE}

    def speech(self, sound: Int16) -> Float32:
        """Process the next piece; see `core.contracts.Vad`."""
        units = np.repeat(self.windows(sound), _WINDOW_SAMPLES // _UNIT_SAMPLES)
        of_frames = units[: len(sound) // _UNIT_SAMPLES].reshape(
            -1, SAMPLES_PER_FRAME // _UNIT_SAMPLES
        )
        speech: Float32 = of_frames.mean(axis=1, dtype=np.float32)
        return speech

    def windows(self, sound: Int16) -> Float32:
        """Process the next piece, with a value for each of the model's windows.

        Args:
            sound: (n,) int16, 16 kHz mono.

        Returns:
            (m,) float32 from 0 to 1: for each 512 samples, the probability that somebody speaks.
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
    """Load the model. It is tiny and runs on one CPU thread, whatever device is requested.

    Raises:
        MissingExtraError: ONNX Runtime or silero-vad is not installed.
        WeightsError: The installed silero-vad is too old.
    """
    import_onnxruntime("vad=silero")
    return SileroVad(OnnxSession(note(_model_path()), Context(device="cpu", threads=1)))


def _model_path() -> Path:
    """Find the model file in the installed package, without importing the package.

    Raises:
        MissingExtraError: silero-vad is not installed.
        WeightsError: The installed silero-vad is too old to have this model.
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
