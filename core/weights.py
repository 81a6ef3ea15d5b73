"""Published weights: where they come from, how they are checked, where they are kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class Weights:
    """A published file of weights.

    Attributes:
        name: What `asd weights` calls it, such as "talknet_talkset".
        url: Where it is downloaded from.
        published: Its file name as published.
        check: "sha256:HEX", "git:HEX" (a git blob id: SHA-1 over `blob <size>\\0` and the
            content) or "" where none is published.
        size_bytes: Its size; None where only the order of magnitude is known.
        licence: Its licence.
    """

    name: str
    url: str
    published: str
    check: str
    size_bytes: int | None
    licence: str

    @property
    def local(self) -> str:
        """The file name it is kept under: published names of two models can be the same."""
        return self.name + PurePosixPath(self.published).suffix


def locate(weights: Weights) -> Path:
    """The checked file: from the folder `ASDKIT_WEIGHTS`, from the cache, or downloaded."""
    raise NotImplementedError
