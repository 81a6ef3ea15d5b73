"""The options that the pass over a video reads."""

from __future__ import annotations

from typing import Protocol

AUTO = "auto"
"""The value of `detect_every` that adapts the distance between looks to the faces."""


class PassOptions(Protocol):
    """The options that the pass reads; `core.config.options.AnalysisOptions` has them all."""

    @property
    def crop_scale(self) -> float:
        """See `core.analysis.crops.crop`."""

    @property
    def detect_every(self) -> int | str:
        """Run the detector on one frame in so many, or "auto"; see `core.analysis.pacing`."""

    @property
    def batch_frames(self) -> int:
        """Most frames passed to the detector at once."""

    @property
    def embed_every(self) -> int:
        """Embed one face in so many of each track, if there is an embedder."""

    @property
    def sync(self) -> str:
        """Whether to score faces with shifted sound, too, if it is "check"; see `core.sync`."""

    @property
    def max_faces(self) -> int:
        """Most faces of a frame that are tracked."""
