"""A cutter for videos of a single shot."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.component import Context
from ...core.types import UInt8


@dataclass(frozen=True)
class NoneConfig:
    """The `none` cutter has no parameters."""


class NoCutter:
    """Treats the whole video as one shot."""

    looks = False
    concurrent = True

    def starts_shot(self, frame: UInt8, index: int) -> bool:
        """Return False; see `core.contracts.Cutter`."""
        return False


def build(config: NoneConfig, context: Context) -> NoCutter:
    """Build the cutter."""
    return NoCutter()
