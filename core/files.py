"""Files that appear only when whole, and what is in them."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from .errors import OutputError


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


MOST_BYTES = 256 << 20
"""Of a file that is read as a whole, unless its reader says otherwise."""


def read_file(path: Path, most_bytes: int = MOST_BYTES) -> bytes:
    """The content of a regular file that a user named.

    Args:
        path: The file. A pipe, from which one might wait for ever, or a device is refused.
        most_bytes: How large it may be.

    Raises:
        OSError: It cannot be read, is no regular file or is larger; `strerror` says so.
    """
    # Opening a pipe waits for a writer, unless told not to.
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except ValueError as error:
        raise OSError(errno.EINVAL, "no file has a name with a NUL in it", str(path)) from error
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor has no Path
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is a pipe or a device, not a file", str(path))
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError(errno.EFBIG, f"it is larger than {most_bytes} bytes", str(path))
    return content


def read_text_file(path: Path, most_bytes: int = MOST_BYTES) -> str:
    """The text of a regular file that a user named: UTF-8, with or without a byte order mark.

    Args:
        path: The file; see `read_file`.
        most_bytes: How large it may be.

    Raises:
        OSError: As for `read_file`.
        UnicodeDecodeError: It is not UTF-8; a ValueError.
    """
    return read_file(path, most_bytes).decode("utf-8-sig")


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
