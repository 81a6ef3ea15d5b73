"""Measures the peak memory of this process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_PROCESS = Path("/proc/self")


@dataclass
class Peak:
    """The peak memory of a process.

    Attributes:
        bytes: Peak resident memory; None if the system does not report it.
    """

    bytes: int | None = None


@contextmanager
def peak_memory() -> Iterator[Peak]:
    """Measure the peak memory of this process while the block runs.

    On Linux the peak is reset at the start of the block; elsewhere it is the peak since the process
    began.

    Yields:
        The peak, whose `bytes` is set when the block ends.
    """
    peak = Peak()
    with suppress(OSError):
        (_PROCESS / "clear_refs").write_text("5")  # proc(5): resets the peak
    try:
        yield peak
    finally:
        peak.bytes = _peak_bytes()


def _peak_bytes() -> int | None:
    with suppress(OSError, StopIteration):
        lines = (_PROCESS / "status").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM:")).split()[1])
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
