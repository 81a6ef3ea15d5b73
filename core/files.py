"""Files that appear only when whole, and what is in them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from unicodedata import normalize

from .errors import OutputError

_LITTER = {"__macosx", "desktop.ini", "ehthumbs.db", "thumbs.db"}
"""In lower case: what Windows and Macs leave in folders."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A path to write to, which becomes `path` once the block ends well.

    Args:
        path: The file to make; its folder is made if need be.

    Yields:
        A path beside it with the same suffix. If the block raises, that file is removed and
        `path` stays as it was.

    Raises:
        OutputError: The file system refuses.
    """
    # By its process, so that two of them do not write into one file.
    aside = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield aside
        aside.replace(path)
    except OSError as error:
        raise OutputError(
            f"Cannot write {path}: {error.strerror or error}",
            "Choose another folder with output=FOLDER",
        ) from error
    finally:
        with suppress(OSError):  # what went wrong has been raised already
            aside.unlink()


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A folder to write to, which becomes `folder` once the block ends well.

    Args:
        folder: The folder to make; one that is there is replaced.

    Yields:
        An empty folder beside it. If the block raises, it is removed and `folder` stays as it was.

    Raises:
        OutputError: The file system refuses.
    """
    made: list[Path] = []
    try:
        made = [path for path in folder.parents if not path.exists()]
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(
            dir=folder.parent, prefix=f".{folder.name}.", ignore_cleanup_errors=True
        ) as aside:
            new, old = Path(aside, "new"), Path(aside, "old")
            new.mkdir()
            yield new
            if folder.exists():
                folder.rename(old)
            try:
                new.rename(folder)
            except BaseException:
                if old.exists():
                    old.rename(folder)
                raise
    except BrokenPipeError:  # of whoever reads what the block prints
        raise
    except OSError as error:
        raise OutputError(
            f"Cannot write {folder}: {error.strerror or error}",
            "Choose another folder with output=FOLDER",
        ) from error
    finally:
        for path in made:
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()


def is_litter(path: Path) -> bool:
    """Whether a file is one that systems leave beside others, or hidden: none that is meant.

    Macs write a `._NAME` beside each NAME on disks that are not their own, and folders
    `__MACOSX` into archives.
    """
    name = path.name.casefold()
    return name.startswith(".") or name in _LITTER


def folder_name(video: Path) -> str:
    """What a folder for a video is called: its stem, but never `.` or `..`, which are others."""
    return video.stem if video.stem.strip(". ") else f"video-{video.name.strip('. ')}"


def same_form(name: str) -> str:
    """A name in the one form in which names are compared.

    An accented letter may be one character or two: systems differ, and so do labels and files.
    """
    return normalize("NFC", name)


def expanded(path: str) -> Path:
    """A path with the user's home for `~`; one that is nobody's home stays as it is."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in lower-case hexadecimal digits.

    Raises:
        OSError: It cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
