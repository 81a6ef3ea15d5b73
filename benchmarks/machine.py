"""What the machine is, for the first lines of every result."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import asdkit


def describe() -> str:
    """Processor, cores, Python and asdkit, in one line."""
    return f"{machine()}, Python {platform.python_version()}, asdkit {asdkit.__version__}"


def machine() -> str:
    """Processor and cores."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [row for row in info.read_text().splitlines() if row.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    return f"{model}, {os.cpu_count()} cores"
