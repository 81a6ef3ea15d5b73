"""Downloads a file with a progress bar, and describes failures."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from .bars import drawn

TIMEOUTS_S = (5.0, 30.0)
"""Timeouts for the connection, and for each read after it."""
BLOCK_BYTES = 1 << 18


def download(url: str, path: Path, name: str, size_bytes: int | None) -> None:
    """Download to `path`, with a bar on stderr if that is a terminal.

    Args:
        url: What to download.
        path: The file to write.
        name: Label of the progress bar.
        size_bytes: Size of the file, if known.

    Raises:
        OSError: The server cannot be reached or refuses, or `path` cannot be written.
    """
    import pooch

    with ExitStack() as opened:
        bar = opened.enter_context(_Bar(name, size_bytes))

        def close_at_end(response: Any, **_: Any) -> None:
            opened.enter_context(response)  # pooch leaves it open when the download fails

        downloader = pooch.HTTPDownloader(
            progressbar=bar,
            chunk_size=BLOCK_BYTES,
            timeout=TIMEOUTS_S,
            hooks={"response": close_at_end},
        )
        downloader(url, str(path), None)


class _Bar:
    """A bar on stderr, with the methods that pooch calls; nothing is drawn but on a terminal.

    Attributes:
        total: How many bytes there will be, which pooch sets when the server has answered.
    """

    def __init__(self, name: str, size_bytes: int | None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

        console = Console(stderr=True)
        columns = ("{task.description}", BarColumn(), DownloadColumn(), TransferSpeedColumn())
        self._bars = Progress(*columns, console=console, transient=True)
        self._open = ExitStack()
        self._task = self._bars.add_task(name, total=size_bytes)

    def __enter__(self) -> _Bar:
        if sys.stderr.isatty():
            self._open.enter_context(drawn(self._bars))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()  # rich 13.7 would print an empty line even for a bar that is not shown

    @property
    def total(self) -> float | None:
        """How many bytes there will be."""
        return self._bars.tasks[0].total

    @total.setter
    def total(self, total: float) -> None:
        if total:  # 0 where the server does not say
            self._bars.update(self._task, total=total)

    def update(self, count: int) -> None:
        """Count bytes that have come."""
        self._bars.advance(self._task, count)

    def reset(self) -> None:
        """Count from the beginning."""
        self._bars.reset(self._task)

    def close(self) -> None:
        """Stay until the block ends."""


def describe_failure(error: OSError) -> str:
    """Why a download failed, in a few words, from the root cause of the error."""
    response = getattr(error, "response", None)
    if response is not None and not response.ok:
        return f"HTTP {response.status_code} {response.reason}"
    root: BaseException = error
    # requests and urllib3 pass the underlying error on as the cause or as the last argument.
    while isinstance(inner := root.__cause__ or (root.args or ("",))[-1], BaseException):
        root = inner
    return f"{type(error).__name__}: {getattr(root, 'strerror', None) or root}"
