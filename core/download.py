"""Downloads a file with a progress bar, and describes failures."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

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
    from tqdm import tqdm

    with ExitStack() as opened:
        bar = opened.enter_context(
            tqdm(
                desc=name,
                # pooch ignores a bar without a total, and sets the real total from the response;
                # the delay hides the bar until then.
                total=size_bytes or 1,
                delay=0.1,
                unit="B",
                unit_scale=True,
                leave=False,
                disable=None,
            )
        )

        def close_at_end(response: Any, **_: Any) -> None:
            opened.enter_context(response)  # pooch leaves it open when the download fails

        downloader = pooch.HTTPDownloader(
            progressbar=bar,
            chunk_size=BLOCK_BYTES,
            timeout=TIMEOUTS_S,
            hooks={"response": close_at_end},
        )
        downloader(url, str(path), None)


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
