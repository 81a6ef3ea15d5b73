"""Caches detections and scores between runs, in a folder of limited size that may be deleted."""

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
"""A temporary file older than this was left by a process that died."""
_SUFFIX = ".npz"
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Entry:
    """A cache entry.

    Attributes:
        arrays: Arrays, by name.
        about: Plain values that describe the arrays.
        weights: By kind of component: the weights files the arrays were computed with.
    """

    arrays: Arrays
    about: Mapping[str, Any]
    weights: Mapping[str, tuple[WeightsFile, ...]]


class Cache:
    """A folder of entries, each a file named by the hash of its key.

    Files are written atomically, so that several processes may use a folder at once. Entries that
    are damaged, or were computed with weights that have changed since, are ignored.

    Args:
        folder: The folder; it may be deleted at any time.
        limit_bytes: Size above which the least recently used entries are removed.
    """

    def __init__(self, folder: Path, limit_bytes: float) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes

    def get(self, key: Mapping[str, Any]) -> Entry | None:
        """The entry of a key of plain values; None if there is none."""
        path = self._path(key)
        try:
            # Opened here, as NumPy would not close a damaged file.
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
        """Store an entry.

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
        shrink(self._folder, _SUFFIX, self._limit_bytes)

    def _path(self, key: Mapping[str, Any]) -> Path:
        text = json.dumps(key, sort_keys=True)
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()}{_SUFFIX}"


def shrink(
    folder: Path, suffix: str, limit_bytes: float, needed: Mapping[Path, int] | None = None
) -> None:
    """Remove the least recently used files of a folder until the others take no more than a limit.

    Args:
        folder: The folder.
        suffix: The suffix of the files.
        limit_bytes: The limit.
        needed: Files that stay in any case, with their sizes in bytes.
    """
    stay = needed or {}
    found = []
    for path in folder.glob(f"*{suffix}"):
        with suppress(OSError):
            status = path.stat()
            if path.name[0] == "." and status.st_mtime > time() - _IN_THE_MAKING_S:
                continue
            if path not in stay:
                found.append((status.st_mtime_ns, status.st_size, path))
    total = sum(stay.values()) + sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= limit_bytes:
            break
        with suppress(OSError):
            path.unlink()
        total -= size


class LastEntry:
    """A cache that holds only the latest entry, in memory; see `Cache`."""

    def __init__(self) -> None:
        self._key: Mapping[str, Any] | None = None
        self._entry: Entry | None = None

    def get(self, key: Mapping[str, Any]) -> Entry | None:
        """The entry, if it is of this key of plain values; else None."""
        return self._entry if key == self._key else None

    def put(self, key: Mapping[str, Any], entry: Entry) -> None:
        """Store an entry in place of the previous one."""
        self._key, self._entry = key, entry


def _is_still(file: WeightsFile) -> bool:
    """Whether a weights file still exists unchanged."""
    path = Path(file.path)
    try:
        return path.stat().st_size == file.size_bytes and sha256(path) == file.sha256
    except OSError:
        return False
