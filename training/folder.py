"""The folder of a training: looked at, locked, and cleared of an earlier one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..core.errors import OutputError
from ..core.files import claim, remove_partial
from . import records, state


def resolved(folder: Path) -> Path:
    """The folder with its whole path.

    Raises:
        OutputError: There is no such user whose home it would be in.
    """
    try:
        return folder.expanduser().resolve()
    except (OSError, RuntimeError) as error:  # RuntimeError: unknown user's home
        raise OutputError(
            f"Cannot write {folder}: {error}", "Choose another output=FOLDER"
        ) from error


def check_own(folder: Path) -> None:
    """Check that a folder is not there, is empty, or is of a training.

    Raises:
        OutputError: It holds something else, or cannot be read.
    """
    try:
        there = {path.name for path in folder.iterdir()} if folder.exists() else set()
    except OSError as error:
        raise OutputError(
            f"Cannot write {folder}: {error.strerror or error}",
            "Choose another folder with output=FOLDER",
        ) from error
    strange = sorted(name for name in there if name not in records.OWN and name[0] != ".")
    if strange:
        raise OutputError(
            f"{folder} holds something that is not of a training, {strange[0]}",
            "Choose another folder with output=FOLDER",
        )


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Have the folder for this training alone while the block runs.

    Raises:
        OutputError: Another training is at work there, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = claim(folder / records.LOCK)
    except OSError as error:
        raise OutputError(
            f"Cannot write {folder}: {error.strerror or error}",
            "Choose another folder with output=FOLDER",
        ) from error
    if lock is None:
        raise OutputError(
            f"Another asd train is at work in {folder}",
            "Wait for it, or choose another folder with output=FOLDER",
        )
    try:
        remove_partial(folder)
        yield
    finally:
        lock.release()


def remove_own(folder: Path) -> None:
    """Remove an earlier training, its state first, without which nothing goes on.

    Raises:
        OutputError: Something cannot be removed.
    """
    for name in (state.FILE, *records.OWN):
        path = folder / name
        if name == records.LOCK or not path.exists():
            continue
        try:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        except OSError as error:
            raise OutputError(
                f"Cannot replace {path}: {error.strerror or error}",
                "Choose another folder with output=FOLDER",
            ) from error
