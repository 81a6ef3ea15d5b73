"""The names of devices: auto, cpu, cuda and cuda:N."""

from __future__ import annotations

import re

DEVICES = "auto, cpu, cuda or cuda:N"


def read_device(name: str) -> tuple[str, int] | None:
    """The kind of a device, "auto", "cpu" or "cuda", and its number; None if that is no device.

    Without a number it is the first one, 0.
    """
    match = re.fullmatch(r"(auto|cpu|cuda)|cuda:([0-9]+)", name)
    return match and (match[1] or "cuda", int(match[2] or 0))
