"""The check of writers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..core.contracts import Writer
from ..core.result import Result
from ..core.samples import result
from ..core.writing import written
from .holding import asking, hold, name_of


def check_writer(
    writer: Writer,
    folder: Path,
    *,
    of: Result | None = None,
    files: Sequence[str] | None = None,
) -> list[Path]:
    """Check that a writer writes exactly the files it returns, inside its folder only.

    It writes the result, the same without tracks, without sound, and once more as given.

    Args:
        writer: The writer.
        folder: An empty folder.
        of: The result to write; by default that of `asdkit.testing.result`, which names a video
            file that is not there.
        files: The `files` of its `asdkit.Component`, which must name all that it writes, as in a
            run; None leaves that out.

    Returns:
        The files.

    Raises:
        PluginError: It does not keep its contract; see `asdkit.plugin.Writer`.
    """
    given = of or result(folder / "talk.mp4")
    silent = replace(given, video=replace(given.video, has_sound=False), sound_path=None)
    told = _written(writer, given, folder, files)
    kept = {path: path.read_bytes() for path in _files_in(folder)}
    _written(writer, replace(given, tracks=()), folder, files)
    _written(writer, silent, folder, files)
    again = _written(writer, given, folder, files)
    hold(
        again == told and kept.keys() == set(_files_in(folder)),
        f"{name_of(writer)} writes other files if it writes the same result again",
        "Replace what is there under the same name",
    )
    return told


def _written(
    writer: Writer, given: Result, folder: Path, names: Sequence[str] | None
) -> list[Path]:
    """The files that a writer tells of, checked."""
    name = name_of(writer)
    with asking(name, *_arrays(given)):
        files = written(name, writer, given, folder, names)
    hold(files, f"{name} tells of no file", "Return the paths of all files written")
    place = folder.resolve()
    told = [path.resolve() for path in files]
    hold(
        len(set(told)) == len(told),
        f"{name} tells of a file twice",
        "Return each file once",
    )
    own = {given.video.path.resolve(), *([given.sound_path] if given.sound_path else [])}
    more = {path for path in _files_in(place) if not {path, *path.parents} & set(told)} - own
    hold(
        not more,
        f"{name} leaves {_names(sorted(more))}, of which it does not tell",
        "Return it, or remove it; asdkit.plugin.whole removes what is half-written",
    )
    return files


def _files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _names(paths: Iterable[Path]) -> str:
    return ", ".join(path.name for path in paths)


def _arrays(given: Result) -> list[np.ndarray[Any, Any]]:
    """The arrays of a result, which writers share."""
    found = [value for track in given.tracks for value in vars(track).values()]
    return [value for value in found if isinstance(value, np.ndarray)]
