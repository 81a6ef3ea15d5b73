"""Files that appear only when whole, and names of files."""

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
from unicodedata import normalize

from filelock import FileLock, Timeout

from .errors import OutputError
from .stopping import last_resort

_HOST = f"{zlib.crc32(platform.node().encode()):08x}"
_PARTIAL = re.compile(r"\..+\.(\d+)(?:-([0-9a-f]{8}))?(?:-\d+)?\.partial(?:\.[^.]*)?")
"""Names that `whole` gives: by process, machine and count, so that no two are alike."""
_partial_count = itertools.count()
_partial_now: set[str] = set()
"""Names of this process that are being written to."""

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
    number = next(_partial_count)
    aside = path.with_name(f".{path.stem}.{os.getpid()}-{_HOST}-{number}.partial{path.suffix}")
    _partial_now.add(aside.name)

    def remove() -> None:
        with suppress(OSError):  # what went wrong has been raised already
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
    """Remove what `whole` has left in a folder, of processes of this machine that are no more.

    In a container every process may have the same number: so a name with this one's number counts
    as left by an earlier one, unless a thread of this one is writing to it.
    """
    with suppress(OSError):
        for path in folder.iterdir():
            match = _PARTIAL.fullmatch(path.name)
            if not match or path.name in _partial_now:
                continue
            if match[2] in (None, _HOST) and not _lives(int(match[1])):
                with suppress(OSError):
                    path.unlink()


def _lives(pid: int) -> bool:
    """Whether there is a process of that number, and not this one."""
    if pid == os.getpid():
        return False
    if os.name == "nt":  # asking would end it
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
    """A folder to write to, which becomes `folder` once the block ends well.

    Args:
        folder: The folder to make; one that is there is replaced.
        parents: Whether the folders that it lies in are made if need be.

    Yields:
        An empty folder beside it. If the block raises, it is removed and `folder` stays as it was.

    Raises:
        OutputError: The file system refuses.
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


_APPLE_DOUBLE = bytes.fromhex("00051607")
"""How the files begin in which a Mac keeps what other file systems have no room for."""


def is_apple_double(path: Path) -> bool:
    """Whether a file only holds what a Mac had to say of the one beside it: `._talk.mp4`.

    By its content, for files that a user has named; what is merely found goes by `is_litter`.
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
    """A block at whose end a folder must still be the one that it was, not another in its place.

    Raises:
        OSError: It was removed.
    """
    if os.name == "nt":  # a folder cannot be opened
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)  # while it is open its number is not used again
    try:
        yield
        if not os.path.samestat(os.fstat(descriptor), folder.stat()):
            raise FileNotFoundError(errno.ENOENT, "it was removed meanwhile")
    finally:
        os.close(descriptor)


def missing_folders(folder: Path) -> list[Path]:
    """Of a folder and those it lies in, the ones that are not there, the innermost first."""
    return [path for path in (folder, *folder.parents) if not os.path.lexists(path)]


def claim(path: Path) -> FileLock | None:
    """A lock that the system takes back when this process ends; None if another holds it.

    Raises:
        OSError: The file system refuses.
    """
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return None
    except NotImplementedError as error:  # how filelock says it
        raise OSError(errno.ENOSYS, "the file system has no locks (flock)") from error
    return lock


def is_litter(path: Path) -> bool:
    """Whether a file is one that systems leave beside others, or hidden: none that is meant.

    Macs write a `._NAME` beside each NAME on disks that are not their own, and folders
    `__MACOSX` into archives.
    """
    name = path.name.casefold()
    return name.startswith(".") or name in _LITTER


def folder_name(video: Path) -> str:
    """What a folder for a video is called: its stem, but not hidden, nor `.` or `..`."""
    shown = video.stem.lstrip(".")
    return shown if shown.strip(". ") else f"video-{video.name.strip('. ')}"


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
