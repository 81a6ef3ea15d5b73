"""The folder of a run's results, in which nothing of them is seen before there is all of it.

What is on its way stands in a folder `incomplete` inside: `new` while writers write, renamed to
`whole` when all of them are done, while the files are put in place. So whoever finds `whole` knows
that the results beside it are a mixture. Answers that are kept (see `core.resume`) are there, too.
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
from .files import claim, missing_folders, remove_partial, same_folder
from .stopping import last_resort

INCOMPLETE = "incomplete"
_NEW, _WHOLE, _LOCK = "new", "whole", ".lock"


class ResultsFolder:
    """A folder of results that a run has to itself; see `taken`.

    Attributes:
        folder: The folder.
        incomplete: The folder inside for what is on its way.
    """

    def __init__(self, folder: Path, names: Sequence[str], overwrite: bool) -> None:
        self.incomplete = folder / INCOMPLETE
        self.folder = folder
        self._replaced = [Path(name) for name in names if _is_file(folder / name)]
        if self._replaced and not overwrite and not (self.incomplete / _WHOLE).is_dir():
            raise OutputError(
                f"{folder} already holds results ({self._replaced[0]})",
                "Choose another folder with output=FOLDER, or replace them with overwrite=true",
            )

    def clear(self) -> None:
        """Remove what writers of runs that were killed have left."""
        shutil.rmtree(self.incomplete / _NEW, ignore_errors=True)
        for folder in {self.folder, self.incomplete, *(path.parent for path in self._old())}:
            remove_partial(folder)

    def _old(self) -> list[Path]:
        return [self.folder / name for name in self._replaced]

    def _remove_old(self) -> None:
        for path in self._old():
            path.unlink(missing_ok=True)

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """A folder to write to; `put` puts what is in it in place.

        Yields:
            The folder, which is empty; if the block raises, it is removed.

        Raises:
            OutputError: The file system refuses; what was there before is as it was.
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
        """Put what was written in place, and remove what was there of earlier results.

        Until `finish` is called the results do not count as all of them.

        Args:
            files: The files written; the first is put in place last.

        Returns:
            Their paths in the folder.

        Raises:
            OutputError: The file system refuses.
        """
        new, whole = self.incomplete / _NEW, self.incomplete / _WHOLE
        first = files[:1]
        try:
            written = [path for path in new.rglob("*") if not path.is_dir()]
            if whole.exists():  # of a run that was killed here; it goes after its results
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
        inside = [path.is_relative_to(new) for path in files]  # a writer may know better
        return [
            self.folder / path.relative_to(new) if own else path
            for path, own in zip(files, inside, strict=True)
        ]

    def finish(self) -> None:
        """Say that the results are all there, after everything else that was on its way is gone."""
        shutil.rmtree(self.incomplete / _WHOLE, ignore_errors=True)

    def _refusal(self, error: OSError) -> OutputError:
        return OutputError(
            f"Cannot write to {self.folder}: {error.strerror or error}",
            "Choose another folder with output=FOLDER",
        )


def _is_file(path: Path) -> bool:
    """Whether there is a file, or a link to something."""
    return os.path.lexists(path) and (path.is_symlink() or not path.is_dir())


@contextmanager
def taken(
    folder: Path, names: Sequence[str], own: Sequence[str], overwrite: bool
) -> Iterator[ResultsFolder]:
    """The folder for the results of a run, made if need be, and for this run alone.

    If nothing gets written it is removed again.

    Args:
        folder: The folder.
        names: What results may be called, relative to the folder.
        own: Of these, what this run writes.
        overwrite: Whether results that are there may be replaced.

    Raises:
        OutputError: There are results already, another run is at it, or the file system refuses.
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
            other = False  # nobody can lock anything there
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
    """Refuse to begin where a folder stands in the way of a file, or the reverse.

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
    """Remove what a run has left that was killed when all its results were there."""
    with suppress(OSError):
        if {path.name for path in incomplete.iterdir()} == {_LOCK} and (
            lock := claim(incomplete / _LOCK)
        ):
            (incomplete / _LOCK).unlink()
            lock.release()
    _tidy(incomplete, [])


def _tidy(incomplete: Path, made: Sequence[Path]) -> None:
    """Remove folders in which there is nothing."""
    for path in (incomplete, *made):
        with suppress(OSError, ValueError):
            path.rmdir()
