"""No voice activity detection: decisions depend on the faces' scores alone."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.component import Context


@dataclass(frozen=True)
class NoneConfig:
    """The choice of no voice activity detection has no parameters."""


def build(config: NoneConfig, context: Context) -> None:
    """Return None: there is no detector."""
