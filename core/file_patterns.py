"""The names and patterns by which a component says which files it writes into its folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path, PureWindowsPath

INCOMPLETE = "incomplete"
"""The folder, in that of results, for what is not whole yet; see `core.results_folder`."""
_WILD = re.compile(r"[*?\[]")
_WILDCARDS = re.compile(r"[*?]|\[[!^]?\]?[^\]]*\]?")
_FIXED = re.compile(r"[^\W_]{3}")
"""What tells a component's own files from others: three letters or digits in a row."""


def fault_of(name: str) -> str:
    """What is wrong with a name or pattern of files; empty if nothing is.

    With `overwrite=true` the files that match are removed, so a pattern must tell those that its
    component has written from others of the user.

    Args:
        name: As in `core.component.Component.files`.
    """
    path = PureWindowsPath(name)  # knows drives and both separators, so it is a name everywhere
    first, *more = path.parts or ("",)
    if "\\" in name or path.anchor or not first or ".." in path.parts:
        return f"files must be names within a folder, but one is {name!r}"
    if first.casefold() == INCOMPLETE:
        return f"files cannot be in {INCOMPLETE}, which is a folder of asdkit's own, as {name!r} is"
    if "**" in name:
        return f"files must be in folders that they name, so ** cannot be in {name!r}"
    if more and _WILD.search(first):
        return f"files must name the first folder that they are in, which {name!r} does not"
    # A suffix alone would take in all files of a kind that are in the user's folder.
    fixed = _WILDCARDS.sub("\n", path.name if more else path.stem)
    if _WILD.search(path.name) and not _FIXED.search(fixed):
        where = "" if more else " before its suffix"
        return (
            f"files must have three letters or digits in a row{where}, besides wildcards, so that "
            f"no other file matches, which {name!r} has not"
        )
    return ""


def is_pattern(name: str) -> bool:
    """Whether what a writer calls its files is a pattern for names rather than a name."""
    return _WILD.search(name) is not None


def files_of(folder: Path, name: str) -> list[Path]:
    """The files and links of a name, or of a pattern, that are in a folder."""
    paths = [folder / name]
    if is_pattern(name):
        try:
            paths = sorted(folder.glob(name))
        except (OSError, ValueError):  # no folder can have this name
            return []
    return [path for path in paths if _is_file(path)]


def not_among(files: Iterable[Path], folder: Path, names: Iterable[str]) -> list[Path]:
    """The files, and those in folders, that have none of the names or patterns.

    Args:
        files: Paths that begin with `folder`.
        folder: The folder.
        names: Names and patterns relative to it.
    """
    own = {path for name in names for path in files_of(folder, name)}
    return [path for one in files for path in _below(one) if path not in own]


def _below(path: Path) -> list[Path]:
    if _is_file(path):
        return [path]
    return sorted(below for below in path.rglob("*") if _is_file(below))


def _is_file(path: Path) -> bool:
    return os.path.lexists(path) and (path.is_symlink() or not path.is_dir())
