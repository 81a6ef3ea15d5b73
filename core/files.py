"""Atomic writing of files and folders, and file names."""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import platform
import re
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from unicodedata import normalize

from .errors import OutputError
from .stopping import last_resort

if TYPE_CHECKING:
    from filelock import FileLock

_HOST = f"{zlib.crc32(platform.node().encode()):08x}"
_PARTIAL = re.compile(r"\..+\.(\d+)(?:-([0-9a-f]{8}))?(?:-\d+)?\.partial(?:\.[^.]*)?")
"""Temporary names given by `whole`, unique by process, machine and count."""
_partial_count = itertools.count()
_partial_now: set[str] = set()
"""Temporary names this process is writing to."""
DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ESTALE}
"""System errors of a disk, which would also hit whatever is written to it next."""

_LITTER = {"__macosx", "desktop.ini", "ehthumbs.db", "thumbs.db"}
"""Files that Windows and macOS leave in folders, in lower case."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Write a file atomically: yield a temporary path, renamed to `path` if the block succeeds.

    Args:
        path: The file to write; its folder is created if missing.

    Yields:
        A path in the same folder with the same suffix. If the block raises, that file is removed
        and `path` stays as it was.

    Raises:
        OutputError: The file cannot be written.
    """
    number = next(_partial_count)
    aside = path.with_name(f".{path.stem}.{os.getpid()}-{_HOST}-{number}.partial{path.suffix}")
    _partial_now.add(aside.name)

    def remove() -> None:
        with suppress(OSError):  # the actual error has been raised already
            aside.unlink()
        _partial_now.discard(aside.name)

    with last_resort(remove):
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
            remove()


def remove_partial(folder: Path) -> None:
    """Remove temporary files of `whole` from a folder, left by dead processes of this machine.

    In containers all processes may have the same pid. So a name with this process's pid counts as
    left by an earlier process, unless a thread of this one is writing to it.
    """
    with suppress(OSError):
        for path in folder.iterdir():
            match = _PARTIAL.fullmatch(path.name)
            if not match or path.name in _partial_now:
                continue
            if match[2] in (None, _HOST) and not lives(int(match[1])):
                with suppress(OSError):
                    path.unlink()


def lives(pid: int) -> bool:
    """Whether a process with this pid is running on this machine, other than this one."""
    if pid == os.getpid() or pid < 1:
        return False
    if os.name == "nt":  # os.kill would end it
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


@contextmanager
def whole_folder(folder: Path, *, parents: bool = True) -> Iterator[Path]:
    """Write a folder atomically: yield a temporary one, renamed to `folder` if the block succeeds.

    Args:
        folder: The folder to write; an existing one is replaced.
        parents: Whether to create missing parent folders.

    Yields:
        An empty folder beside `folder`. If the block raises, it is removed and `folder` stays as
        it was.

    Raises:
        OutputError: The folder cannot be written.
    """
    made: list[Path] = []
    try:
        if parents:
            made = missing_folders(folder)[1:]
            folder.parent.mkdir(parents=True, exist_ok=True)
        with (
            TemporaryDirectory(
                dir=folder.parent, prefix=f".{folder.name}.", ignore_cleanup_errors=True
            ) as aside,
            last_resort(lambda: shutil.rmtree(aside, ignore_errors=True)),
        ):
            new, old = Path(aside, "new"), Path(aside, "old")
            new.mkdir()
            with same_folder(new):
                yield new
            if folder.exists():
                folder.rename(old)
            try:
                new.rename(folder)
            except BaseException:
                if old.exists():
                    old.rename(folder)
                raise
    except BrokenPipeError:  # from printing within the block
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


_APPLE_DOUBLE = bytes.fromhex("00051607")
"""Magic number of AppleDouble files, in which macOS stores metadata on foreign file systems."""


def is_apple_double(path: Path) -> bool:
    """Whether a file such as `._talk.mp4` holds only macOS's metadata of the file beside it.

    Decided by content, for files that a user names; for files found in folders see `is_litter`.
    """
    if not path.name.startswith("._"):
        return False
    try:
        with path.open("rb") as file:
            return file.read(4) == _APPLE_DOUBLE
    except (OSError, ValueError):
        return False


@contextmanager
def same_folder(folder: Path) -> Iterator[None]:
    """Check at the end of the block that a folder has not been removed or replaced.

    Raises:
        OSError: It has.
    """
    if os.name == "nt":  # folders cannot be opened
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)  # while open, its inode number is not reused
    try:
        yield
        if not os.path.samestat(os.fstat(descriptor), folder.stat()):
            raise FileNotFoundError(errno.ENOENT, "it was removed meanwhile")
    finally:
        os.close(descriptor)


def missing_folders(folder: Path) -> list[Path]:
    """The missing ones of a folder and its parents, innermost first."""
    return [path for path in (folder, *folder.parents) if not os.path.lexists(path)]


def claim(path: Path) -> FileLock | None:
    """Take a lock, which the system releases when this process ends; None if it is taken.

    Raises:
        OSError: The file system has no locks, or the file cannot be created.
    """
    from filelock import FileLock, Timeout  # slow to import, and help takes no lock

    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return None
    except NotImplementedError as error:  # filelock's error for file systems without locks
        raise OSError(errno.ENOSYS, "the file system has no locks (flock)") from error
    return lock


def is_litter(path: Path) -> bool:
    """Whether a file is hidden, or one that operating systems leave in folders.

    macOS writes a `._NAME` beside each NAME on foreign file systems, and folders `__MACOSX` into
    archives.
    """
    name = path.name.casefold()
    return name.startswith(".") or name in _LITTER


def folder_name(video: Path) -> str:
    """The name of a video's folder: its stem, changed if it is hidden or `.` or `..`."""
    shown = video.stem.lstrip(".")
    return shown if shown.strip(". ") else f"video-{video.name.strip('. ')}"


def same_form(name: str) -> str:
    """Normalise a name (Unicode NFC) for comparison.

    An accented letter may be one character or two, depending on the system that wrote it.
    """
    return normalize("NFC", name)


def beside(path: Path, folder: Path) -> str | None:
    """The path of a file from a folder, by which both can be moved together.

    Returns:
        With slashes; None if there is none, as on another drive of Windows.
    """
    try:
        return Path(os.path.relpath(path, folder.absolute())).as_posix()
    except ValueError:
        return None


def expanded(path: str) -> Path:
    """A path with `~` expanded; one with an unknown user's home stays as it is."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def digest_of(path: Path) -> str:
    """Identify a file without reading all of it: a hash of its size, beginning and end.

    Raises:
        OSError: The file cannot be read.
    """
    size = path.stat().st_size
    digest = hashlib.blake2b(str(size).encode(), digest_size=16)
    with path.open("rb") as file:
        digest.update(file.read(1 << 20))
        file.seek(max(0, size - (1 << 20)))
        digest.update(file.read(1 << 20))
    return digest.hexdigest()


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in lower-case hexadecimal digits.

    Raises:
        OSError: The file cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
