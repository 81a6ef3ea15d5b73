"""Calls a writer, says what it is doing, and checks the files that it says it has written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .analysis.answers import asked, shown
from .component import Component
from .contracts import Writer
from .errors import PluginError
from .file_patterns import is_pattern, not_among
from .result import Result


def stage_of(writer: Component) -> str:
    """What a writer's work is called while it goes on: by its files, but for patterns of names."""
    names = [name for name in writer.files if not is_pattern(name)]
    return f"writing {', '.join(names or [writer.name])}"


def written(
    name: str, writer: Writer, result: Result, folder: Path, names: Sequence[str] | None
) -> list[Path]:
    """Call a writer, and check the files it returns.

    Args:
        name: The writer in words.
        writer: The writer.
        result: The result to write.
        folder: The folder to write into.
        names: The names and patterns of its files, as in `core.component.Component.files`; None
            if they are not known.

    Returns:
        The files, as paths that begin with `folder`.

    Raises:
        PluginError: The writer failed, or returned anything but a list of files and folders that
            are in `folder`, or a file that has none of the names.
        OSError: The folder cannot be written to, or its disk is full.
    """
    with asked(name, folder):
        answer = writer.write(result, folder)
    if not isinstance(answer, Sequence) or isinstance(answer, str | bytes):
        raise PluginError(
            f"{name} must answer with a list of Path, but answered {shown(answer)}",
            "Return the paths of all files written, also of a single one, as in: return [path]",
        )
    with asked(name):
        files = [_checked_file(name, path, folder) for path in answer]
    if names is not None and (more := not_among(files, folder, names)):
        listed = ", ".join(names) or "none"
        raise PluginError(
            f"{name} has written {more[0].relative_to(folder)}, but its Component says that its "
            f"files are {listed}",
            "Name all that it writes in Component.files, by which earlier results are found",
        )
    return files


def _checked_file(name: str, path: Any, folder: Path) -> Path:
    """A file that a writer returned, as a path that begins with `folder`."""
    if not isinstance(path, Path):
        raise PluginError(f"{name} must answer with a list of Path, but in it is {shown(path)}")
    # The file itself may be a link to elsewhere, but not the folder around it.
    place = Path(os.path.normpath(path.parent.resolve() / path.name))
    if folder.resolve() not in place.parents:
        raise PluginError(
            f"{name} must write into the folder that it is given, but says it has written {path}",
            "Write to folder / NAME, which is later moved with the whole folder",
        )
    if not path.exists():
        raise PluginError(
            f"{name} says it has written {path.name}, which is not there",
            "Return the files that were written",
        )
    return folder / place.relative_to(folder.resolve())
