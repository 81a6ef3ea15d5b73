"""Detections and scores kept from one run to the next, in a bounded folder that may be deleted."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ..errors import OutputError
from ..files import sha256, whole
from ..provenance import WeightsFile

_IN_THE_MAKING_S = 3600
"""A file that is written aside and older than this was left by a process that died."""
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Entry:
    """Something kept.

    Attributes:
        arrays: Numbers, by name.
        about: Plain values about them.
        weights: The files of weights they were computed with, by kind of component.
    """

    arrays: Arrays
    about: Mapping[str, Any]
    weights: Mapping[str, tuple[WeightsFile, ...]]


class Cache:
    """Entries in a folder, each a file named by the hash of its key.

    Files appear whole, so that several processes may use a folder at once. What is damaged, or
    was computed with weights that have changed since, is as if it were not there.

    Args:
        folder: The folder; it may be deleted at any time.
        limit_bytes: When there is more, what was not used for longest is removed.
    """

    def __init__(self, folder: Path, limit_bytes: float) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes

    def get(self, key: Mapping[str, Any]) -> Entry | None:
        """The entry under a key of plain values; None if there is none."""
        path = self._path(key)
        try:
            # NumPy leaves a damaged file open that it has opened itself.
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = dict(stored)
            about = json.loads(str(arrays.pop("about")))
            used = {
                kind: tuple(WeightsFile(**file) for file in files)
                for kind, files in about.pop("weights").items()
            }
            os.utime(path)
            if about.pop("arrays") != sorted(arrays):
                return None
        except (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, BadZipFile):
            return None
        unchanged = all(_is_still(file) for files in used.values() for file in files)
        return Entry(arrays, about, used) if unchanged else None

    def put(self, key: Mapping[str, Any], entry: Entry) -> None:
        """Keep an entry.

        Raises:
            OutputError: The folder cannot be written to.
        """
        used = {kind: [vars(file) for file in files] for kind, files in entry.weights.items()}
        about = json.dumps({**entry.about, "weights": used, "arrays": sorted(entry.arrays)})
        try:
            with whole(self._path(key)) as aside:
                np.savez(aside, about=about, **entry.arrays)  # type: ignore[arg-type]
        except OutputError as error:
            raise OutputError(
                error.what, "Do without with cache=false, or set ASDKIT_CACHE to another folder"
            ) from error
        self._shrink()

    def _path(self, key: Mapping[str, Any]) -> Path:
        text = json.dumps(key, sort_keys=True)
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()}.npz"

    def _shrink(self) -> None:
        """Remove what was not used for longest, down to the limit."""
        found = []
        for path in self._folder.glob("*.npz"):
            with suppress(OSError):
                status = path.stat()
                if path.name[0] == "." and status.st_mtime > time() - _IN_THE_MAKING_S:
                    continue
                found.append((status.st_mtime_ns, status.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self._limit_bytes:
                break
            with suppress(OSError):
                path.unlink()
            total -= size


class LastEntry:
    """Keeps one entry, the latest, in memory; see `Cache`."""

    def __init__(self) -> None:
        self._key: Mapping[str, Any] | None = None
        self._entry: Entry | None = None

    def get(self, key: Mapping[str, Any]) -> Entry | None:
        """The entry under a key of plain values; None if there is none."""
        return self._entry if key == self._key else None

    def put(self, key: Mapping[str, Any], entry: Entry) -> None:
        """Keep an entry instead of the one before."""
        self._key, self._entry = key, entry


def _is_still(file: WeightsFile) -> bool:
    """Whether a file of weights is there, and the same."""
    path = Path(file.path)
    try:
        return path.stat().st_size == file.size_bytes and sha256(path) == file.sha256
    except OSError:
        return False
