"""No voice activity detection: what a face's score says is not checked against the sound."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.component import Context


@dataclass(frozen=True)
class NoneConfig:
    """The choice of no voice activity detection has no parameters."""


def build(config: NoneConfig, context: Context) -> None:
    """There is nothing to make."""
