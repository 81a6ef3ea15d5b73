"""What the machine is, for the first line of every result."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import asdkit


def describe() -> str:
    """Processor, cores, Python and asdkit, in one line."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [row for row in info.read_text().splitlines() if row.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    python = platform.python_version()
    return f"{model}, {os.cpu_count()} cores, Python {python}, asdkit {asdkit.__version__}"
