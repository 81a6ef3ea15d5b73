"""The videos that are cut, each with its name and its part: for training, or for validation."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError, InputError
from .published import video_id
from .sources import Source

TRAIN, VALIDATION = "train", "val"
"""The parts, as published trainings call their folders."""
PICTURES, SOUNDS, LABELS = "clips_videos", "clips_audios", "labels"


@dataclass(frozen=True)
class Part:
    """A video that is to be cut.

    Attributes:
        source: The video.
        id: Its name in the published form.
        part: `TRAIN` or `VALIDATION`.
    """

    source: Source
    id: str
    part: str

    @property
    def labels(self) -> Path:
        """The file of its labels within the folder of the crops, written last."""
        return Path(LABELS, self.part, f"{self.id}.csv")


def parts_of(sources: Sequence[Source], validation_part: float, seed: int) -> list[Part]:
    """Divide videos into those for training and those for validation, by a hash of their names.

    So a video that is added leaves nearly all others where they are.

    Args:
        sources: The videos.
        validation_part: Which part of them is for validation, rounded, at least one if it is not 0.
        seed: Which these are.

    Raises:
        InputError: Two videos have one name in the published form.
        ConfigError: No video is left for training.
    """
    ids = [video_id(source.name) for source in sources]
    for number, one in enumerate(ids):
        alike = [sources[k].name for k in range(number) if ids[k].casefold() == one.casefold()]
        if alike:
            raise InputError(
                f"{alike[0]} and {sources[number].name} would both be called {one}: published "
                "loaders want names of 11 characters",
                "Rename one of them",
            )
    count = round(validation_part * len(sources))
    count = max(count, 1) if validation_part else 0
    if count >= len(sources):
        raise ConfigError(
            f"validation_part={validation_part:g} of {len(sources)} leaves no video for training",
            "Give more videos, or a smaller part",
        )
    drawn = sorted(ids, key=lambda one: hashlib.sha256(f"{seed} {one}".encode()).digest())[:count]
    return [
        Part(source, one, VALIDATION if one in drawn else TRAIN)
        for source, one in zip(sources, ids, strict=True)
    ]
