"""The components that a pass runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..contracts import Cutter, Detector, Embedder, Scorer, Tracker, Vad


@dataclass(frozen=True)
class Parts:
    """The components that a pass runs.

    Attributes:
        names: By kind: the component in words, for errors and notes.
    """

    cutter: Cutter
    detector: Detector
    tracker: Tracker
    scorer: Scorer
    embedder: Embedder | None = None
    vad: Vad | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    def name(self, kind: str) -> str:
        """A component in words, such as "detector=yunet (asdkit 0.1.0)"."""
        return self.names.get(kind, f"The {kind}")
