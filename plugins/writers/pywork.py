"""Writes tracks and scores as pickles in the reference's format, for scripts that read those."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...core.component import Context
from ...core.files import whole
from ...core.result import Result
from ...core.types import Float64, Track

FILES = ("pywork/tracks.pckl", "pywork/scores.pckl")
EMBEDDING_SIZE = 512


@dataclass(frozen=True)
class PyworkConfig:
    """The `pywork` writer has no parameters."""


class PyworkWriter:
    """Writes `pywork/tracks.pckl` and `pywork/scores.pckl`.

    The tracks are a list of `{"track": {"frame": int64 (n,), "bbox": float64 (n, 4)},
    "proc_track": {"x", "y", "s": float64 (n,)}, "embeddings": float64 (n, 512)}`, the scores a
    list of float64 (n,). Unlike the reference's, scores are not rounded, and there is one for every
    frame. A frame without an embedding gets that of the nearest frame with one; without an embedder
    `embeddings` is an empty (0, 512).
    """

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write the files; see `core.contracts.Writer`."""
        paths = [folder / name for name in FILES]
        tracks = [_track(track) for track in result.tracks]
        scores = [track.scores.astype(np.float64) for track in result.tracks]
        for path, value in zip(paths, (tracks, scores), strict=True):
            with whole(path) as aside, aside.open("wb") as file:
                _Pickler(file, protocol=4).dump(value)
        return paths


def _track(track: Track) -> dict[str, Any]:
    x, y, s = track.smoothed.T
    return {
        "track": {"frame": np.array(track.frames, np.int64), "bbox": track.boxes},
        "proc_track": {"x": x, "y": y, "s": s},
        "embeddings": _embeddings(track),
    }


def _embeddings(track: Track) -> Float64:
    if not len(track.embedded):
        return np.empty((0, EMBEDDING_SIZE))
    halfway = (track.embedded[1:] + track.embedded[:-1]) / 2
    return np.asarray(track.embeddings[np.searchsorted(halfway, track.frames)], np.float64)


class _Pickler(pickle.Pickler):
    """Pickles arrays such that every version of NumPy can read them.

    NumPy 2 would refer to functions that NumPy before 1.26 does not have, and scripts written for
    the reference often run with older versions.
    """

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            # A bytearray, unlike bytes, leaves the array writable.
            return np.ndarray, (value.shape, value.dtype.str, bytearray(value.tobytes()))
        return NotImplemented


def build(config: PyworkConfig, context: Context) -> PyworkWriter:
    """Make the writer."""
    return PyworkWriter()
