"""The options of `asd batch`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..component import RUN_KINDS
from ..config.options import AnalysisOptions
from ..config.schemas import App, names


@dataclass(frozen=True, kw_only=True)
class BatchOptions(AnalysisOptions):
    """The options of a batch that belong to no component.

    Attributes:
        videos: A file, a pattern such as 'talks/**/*.mp4', a folder, a .txt file with a path in
            each line, or a list of these. Plain arguments say the same.
        output: Folder for the manifest and, in a folder for each video, the results.
        workers: Processes that work side by side; each loads the components once.
        shards: Into how many parts the videos are divided, for as many processes or machines.
        shard: Which of them is done here, from 0 on.
        retry_failed: Try again what failed before; else it is left as it is.
        video_timeout_s: A video that takes longer, in seconds, has failed, and the others go on;
            without limit if not given.
    """

    videos: Any
    output: str = "asd_batch"
    workers: int = 1
    shards: int = 1
    shard: int | None = None
    retry_failed: bool = True
    video_timeout_s: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("workers", "shards"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.video_timeout_s is not None and not self.video_timeout_s > 0:
            raise ValueError(f"video_timeout_s must be above 0, got {self.video_timeout_s}")
        if self.shard is not None and not 0 <= self.shard < self.shards:
            raise ValueError(
                f"shard must be from 0 to shards - 1, got shard={self.shard} and "
                f"shards={self.shards}"
            )


_ABOUT = """\
asd batch VIDEOS ... [output=FOLDER] [OPTION=VALUE ...]

Runs many videos: files, folders, patterns, lists in .txt files, any number of them. What became of
each stands in FOLDER/manifest-0.jsonl, its results in a folder of its own. Started again, it does
what is left, and what has changed. asd batch talks more/*.mp4 output=results

asd batch status FOLDER tells of a batch, also while it runs; asd batch table FOLDER puts the turns
of all its videos together; asd batch decide FOLDER decides anew who speaks, without inference.
"""
BATCH = App("batch", BatchOptions, RUN_KINDS, _ABOUT, writers=True)

_INDIFFERENT = {"allow_silent", "batch_frames", "device", "threads", "quiet"}
_INDIFFERENT |= set(names(BatchOptions)) - set(names(AnalysisOptions))
"""Options that affect whether and how a video is processed, but not its results."""


def telling(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that results depend on."""
    return {key: value for key, value in settings.items() if key not in _INDIFFERENT}


def settings_hash(settings: Mapping[str, Any]) -> str:
    """A hash, 16 hexadecimal digits, of the settings that results depend on."""
    text = json.dumps(telling(settings), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
