"""Downloading a file, with a bar, and why that failed."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

TIMEOUTS_S = (5.0, 30.0)
"""Longest wait for a connection, and then for the next bytes."""
BLOCK_BYTES = 1 << 18


def download(url: str, path: Path, name: str, size_bytes: int | None) -> None:
    """Download to `path`, with a bar on stderr if that is a terminal.

    Args:
        url: What to download.
        path: The file to write.
        name: What the bar calls it.
        size_bytes: How large it will be, if that is known.

    Raises:
        OSError: The server cannot be reached or refuses, or `path` cannot be written.
    """
    import pooch
    from tqdm import tqdm

    with ExitStack() as opened:
        bar = opened.enter_context(
            tqdm(
                desc=name,
                # pooch takes a bar without a total for no bar, and sets the real one when the
                # answer comes; until then the delay keeps it from showing.
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
    """Why a download failed, in the few words of the error at its root."""
    response = getattr(error, "response", None)
    if response is not None and not response.ok:
        return f"HTTP {response.status_code} {response.reason}"
    root: BaseException = error
    # requests and urllib3 hand the error below on as the cause or as the last argument.
    while isinstance(inner := root.__cause__ or (root.args or ("",))[-1], BaseException):
        root = inner
    return f"{type(error).__name__}: {getattr(root, 'strerror', None) or root}"
