"""No embedder of voices: nobody is recognised by voice."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.component import Context


@dataclass(frozen=True)
class NoneConfig:
    """The choice of no embedder of voices has no parameters."""


def build(config: NoneConfig, context: Context) -> None:
    """Return None: there is no embedder of voices."""
