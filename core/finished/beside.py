"""The files that lie beside those that are written of a result."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from ..file_patterns import files_of
from ..registry import registry


def left_as_they_are(folder: Path, writers: Collection[str]) -> dict[str, list[str]]:
    """By other writer: its files in a folder, which some writers leave as they are.

    Args:
        folder: The folder that is written to.
        writers: The names of the writers that write.
    """
    every = registry().of_kind("writer")
    own = {path for one in every if one.name in writers for path in _files(folder, one.files)}
    found = {one.name: _files(folder, one.files) for one in every if one.name not in writers}
    left = {
        name: [str(path.relative_to(folder)) for path in files if path not in own]
        for name, files in found.items()
    }
    return {name: files for name, files in left.items() if files}


def _files(folder: Path, patterns: Collection[str]) -> list[Path]:
    return [path for pattern in patterns for path in files_of(folder, pattern)]
