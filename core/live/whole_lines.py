"""Files that grow by whole lines."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from io import FileIO
from pathlib import Path

from ..errors import OutputError


class WholeLines:
    """A file to which lines are added one by one; at any moment it holds whole lines alone.

    Args:
        path: The file. It is made anew with the first line; its folder must be there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: FileIO | None = None
        self._size = 0

    def add(self, line: str) -> None:
        """Add a line.

        Args:
            line: The line, with or without its end.

        Raises:
            OutputError: It cannot be written, and no part of it was; or the file was removed or
                replaced meanwhile.
        """
        rest = memoryview(f"{line.removesuffix(chr(10))}\n".encode())
        size = self._size + len(rest)
        try:
            file = self._opened()
            while rest:
                rest = rest[file.write(rest) :]
        except BaseException as error:
            if self._file is not None:
                with suppress(OSError):
                    self._file.truncate(self._size)
            if isinstance(error, OSError):
                raise self._refusal(error) from error
            raise
        self._size = size

    def check(self) -> None:
        """Check that the file is still there, once it is.

        Raises:
            OutputError: It was removed or replaced meanwhile.
        """
        try:
            if self._file is not None:
                self._opened()
        except OSError as error:
            raise self._refusal(error) from error

    def _opened(self) -> FileIO:
        """The file; an OSError if its path leads to another by now, or to none."""
        if self._file is None:
            self._path.unlink(missing_ok=True)
            self._file = FileIO(self._path, "ab")
        elif not self._path.exists() or not os.path.samestat(
            os.fstat(self._file.fileno()), self._path.stat()
        ):
            raise FileNotFoundError(errno.ENOENT, "it was removed meanwhile")
        return self._file

    def _refusal(self, error: OSError) -> OutputError:
        return OutputError(
            f"Cannot write {self._path}: {error.strerror or error}",
            "Choose another folder with output=FOLDER",
        )

    def close(self) -> None:
        """Close the file; nothing is added any more."""
        if self._file is not None:
            self._file.close()
