"""How much memory a block has taken."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_PROCESS = Path("/proc/self")


@dataclass
class Peak:
    """The most memory a process has held.

    Attributes:
        bytes: How much; None where the system does not tell.
    """

    bytes: int | None = None


@contextmanager
def peak_memory() -> Iterator[Peak]:
    """Measure the most memory this process holds while the block runs.

    Linux begins anew with each block; elsewhere it is the most since the process began.

    Yields:
        What holds the measure once the block has ended.
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
