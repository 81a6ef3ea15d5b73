"""The folder of a run's results, which appear in it only when all are complete.

Unfinished results are in a folder `incomplete` inside: in `incomplete/new` while writers write;
this is renamed to `whole` when all writers are done, while the files are moved into place. So if
`whole` exists, the results beside it may be a mixture of old and new. Network outputs stored for
resuming (see `core.resume`) are in `incomplete`, too.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile

from .errors import OutputError
from .file_patterns import INCOMPLETE, files_of
from .files import claim, missing_folders, remove_partial, same_folder
from .stopping import last_resort

_NEW, _WHOLE, _LOCK = "new", "whole", ".lock"


class ResultsFolder:
    """A folder of results, locked for one run; see `taken`.

    Attributes:
        folder: The folder.
        incomplete: The folder inside for unfinished results.
    """

    def __init__(self, folder: Path, names: Sequence[str], overwrite: bool) -> None:
        self.incomplete = folder / INCOMPLETE
        self.folder = folder
        self._replaced = [
            path.relative_to(folder) for name in names for path in files_of(folder, name)
        ]
        if self._replaced and not overwrite and not self.is_mixed:
            raise OutputError(
                f"{folder} already holds results ({self._replaced[0]})",
                "Choose another folder with output=FOLDER, or replace them with overwrite=true",
            )

    @property
    def is_mixed(self) -> bool:
        """Whether the results may be old and new ones, as a run was killed while it moved them."""
        return (self.incomplete / _WHOLE).is_dir()

    def clear(self) -> None:
        """Remove the leftovers of runs that were killed while writing."""
        shutil.rmtree(self.incomplete / _NEW, ignore_errors=True)
        for folder in {self.folder, self.incomplete, *(path.parent for path in self._old())}:
            remove_partial(folder)

    def remove_old(self) -> None:
        """Remove earlier results at once, for results that appear one by one.

        Raises:
            OutputError: A file cannot be removed.
        """
        try:
            self._remove_old()
        except OSError as error:
            raise self._refusal(error) from error
        self._replaced = []

    def _old(self) -> list[Path]:
        return [self.folder / name for name in self._replaced]

    def _remove_old(self) -> None:
        for path in self._old():
            path.unlink(missing_ok=True)

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """Yield a folder for writers; `put` moves its files into place.

        Yields:
            An empty folder; it is removed if the block raises.

        Raises:
            OutputError: The folder cannot be written to; earlier results are unchanged.
        """
        new = self.incomplete / _NEW
        with last_resort(lambda: shutil.rmtree(new, ignore_errors=True)):
            try:
                shutil.rmtree(new, ignore_errors=True)
                new.mkdir(parents=True)
                with same_folder(new):
                    yield new
            except BaseException as error:
                shutil.rmtree(new, ignore_errors=True)
                if isinstance(error, OSError):
                    raise self._refusal(error) from error
                raise

    def put(self, files: Sequence[Path]) -> list[Path]:
        """Move the written files into place, and remove earlier results.

        The results count as incomplete until `finish` is called.

        Args:
            files: The files written into the folder that `writing` yields; the first one is moved
                last.

        Returns:
            Their paths in the folder.

        Raises:
            OutputError: A file cannot be moved or removed.
        """
        new, whole = self.incomplete / _NEW, self.incomplete / _WHOLE
        first = files[:1]
        try:
            written = [path for path in new.rglob("*") if not path.is_dir()]
            if whole.exists():  # a run was killed at this point: remove its results, then this
                self._remove_old()
                shutil.rmtree(whole)
            new.rename(whole)
            self._remove_old()
            for path in sorted(written, key=lambda path: path in first):
                name = path.relative_to(new)
                (self.folder / name.parent).mkdir(parents=True, exist_ok=True)
                (whole / name).replace(self.folder / name)
        except OSError as error:
            raise self._refusal(error) from error
        return [self.folder / path.relative_to(new) for path in files]

    def finish(self) -> None:
        """Mark the results as complete, by removing `whole`."""
        shutil.rmtree(self.incomplete / _WHOLE, ignore_errors=True)

    def _refusal(self, error: OSError) -> OutputError:
        return OutputError(
            f"Cannot write to {self.folder}: {error.strerror or error}",
            "Choose another folder with output=FOLDER",
        )


def final_folder(folder: Path) -> Path:
    """The folder in which the files of a folder given to writers will be in the end."""
    return folder.parents[1] if folder.parts[-2:] == (INCOMPLETE, _NEW) else folder


@contextmanager
def taken(
    folder: Path, names: Sequence[str], own: Sequence[str], overwrite: bool
) -> Iterator[ResultsFolder]:
    """Create, if missing, and lock the results folder of a run; remove it if it stays empty.

    Args:
        folder: The folder.
        names: All possible names of results, relative to the folder, or patterns of them.
        own: The names that this run writes.
        overwrite: Whether existing results may be replaced.

    Raises:
        OutputError: Results exist already, another run uses the folder, or it cannot be written.
    """
    _check_room(folder, own)
    try:
        place = ResultsFolder(folder, names, overwrite)
    except OutputError:
        _tidy_finished(folder / INCOMPLETE)
        raise
    made = missing_folders(folder)
    lock = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
        place.incomplete.mkdir(exist_ok=True)
        try:
            lock = claim(place.incomplete / _LOCK)
            other = lock is None
        except OSError as error:
            if error.errno != errno.ENOSYS:
                raise
            other = False  # the file system has no locks
        if other:
            raise OutputError(
                f"Another asd run is at work in {folder}",
                "Wait until it ends, or choose another folder with output=FOLDER",
            )
        place.clear()
    except (OSError, ValueError) as error:
        _tidy(place.incomplete, made)
        raise OutputError(
            f"Cannot write to {folder}: {getattr(error, 'strerror', None) or error}",
            "Choose another folder with output=FOLDER",
        ) from error

    def leave() -> None:
        (place.incomplete / _LOCK).unlink(missing_ok=True)
        if lock:
            lock.release()
        _tidy(place.incomplete, made)

    with last_resort(leave):
        try:
            yield place
        finally:
            leave()


def _check_room(folder: Path, names: Sequence[str]) -> None:
    """Check that no folder exists in place of a file to write, or vice versa.

    Raises:
        OutputError: One does.
    """
    for name in names:
        path = folder / name
        around = [folder / parent for parent in Path(name).parents]
        if os.path.isdir(path) and not os.path.islink(path):  # noqa: PTH112, PTH114 - no errors
            what, wanted, found = path, "file", "folder"
        elif blocked := [p for p in around if os.path.lexists(p) and not os.path.isdir(p)]:  # noqa: PTH112
            what, wanted, found = blocked[0], "folder", "file"
        else:
            continue
        raise OutputError(
            f"{what} is a {found}, where a {wanted} is to be made",
            "Move it away, or choose another folder with output=FOLDER",
        )


def _tidy_finished(incomplete: Path) -> None:
    """Remove the leftovers of a run that was killed after its results were complete."""
    with suppress(OSError):
        if {path.name for path in incomplete.iterdir()} == {_LOCK} and (
            lock := claim(incomplete / _LOCK)
        ):
            (incomplete / _LOCK).unlink()
            lock.release()
    _tidy(incomplete, [])


def _tidy(incomplete: Path, made: Sequence[Path]) -> None:
    """Remove empty folders."""
    for path in (incomplete, *made):
        with suppress(OSError, ValueError):
            path.rmdir()
