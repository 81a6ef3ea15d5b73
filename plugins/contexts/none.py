"""No context: each face keeps the scores that the scorer gives it."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.component import Context


@dataclass(frozen=True)
class NoneConfig:
    """The choice of no context has no parameters."""


def build(config: NoneConfig, context: Context) -> None:
    """Return None: there is no context."""
