"""Files that appear only when whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

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
    aside = path.with_name(f".{path.stem}.partial{path.suffix}")
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
