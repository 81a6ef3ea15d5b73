"""Which labelled faces are trained on, and which are kept apart to validate on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..core.errors import ConfigError, InputError
from .examples import Example

_MOST_NAMED = 5
"""Most videos that an error names."""


def divided(
    examples: Sequence[Example], part: float, seed: int
) -> tuple[list[Example], list[Example]]:
    """Keep whole videos apart for validation, drawn by a seed.

    All faces of a video are on one side: the same people, room and microphone on both would make
    the validation too easy.

    Args:
        examples: All faces.
        part: Which part of the videos is kept apart, between 0 and 1; at least one is, and at
            least one is left to train on.
        seed: Decides which.

    Returns:
        The faces to train on, and those to validate on.

    Raises:
        ConfigError: There are faces of one video only.
    """
    videos = sorted({one.video for one in examples})
    if len(videos) < 2:
        raise ConfigError(
            f"The dataset has faces of one video only, {videos[0] if videos else 'or none'}, so "
            "none can be kept apart to validate on",
            "Name a second dataset: validation=NAME validation.OPTION=VALUE",
        )
    count = min(max(1, round(part * len(videos))), len(videos) - 1)
    drawn = np.random.default_rng([seed, len(videos)]).permutation(len(videos))[:count]
    kept = {videos[number] for number in drawn}
    train = [one for one in examples if one.video not in kept]
    return train, [one for one in examples if one.video in kept]


def check_divided(train: Sequence[Example], validation: Sequence[Example]) -> None:
    """Check that there is something to learn from, and something to measure with.

    Raises:
        InputError: One side has no labelled face, or none that speaks.
        ConfigError: A video is on both sides, by its name and its labels.
    """
    for examples, what in ((train, "train"), (validation, "validate")):
        if not any((one.labels >= 0).any() for one in examples):
            raise InputError(
                f"There is no labelled face to {what} on", "asd data check says what a dataset has"
            )
        if not any((one.labels == 1).any() for one in examples):
            raise InputError(
                f"No face to {what} on speaks, by the labels",
                "Choose other videos: another seed, a larger validation_part, or validation=NAME",
            )
    one, other = fingerprint(train), fingerprint(validation)
    both = sorted(name for name in one if one[name] == other.get(name))
    if both:
        raise ConfigError(
            f"{', '.join(both[:_MOST_NAMED])} would be trained and validated on, too",
            "Give the validation other videos",
        )


def fingerprint(examples: Sequence[Example]) -> dict[str, Mapping[str, Any]]:
    """By video: how many faces, frames and speaking frames there are, and a hash of the labels.

    The hash is of the names of the faces and of their labels, not of pictures and sound, which
    would take as long as to train on them.
    """
    found: dict[str, dict[str, Any]] = {}
    digests: dict[str, Any] = {}
    for one in sorted(examples, key=lambda one: (one.video, one.person)):
        of_video = found.setdefault(one.video, {"faces": 0, "frames": 0, "speaking": 0})
        of_video["faces"] += 1
        of_video["frames"] += len(one.labels)
        of_video["speaking"] += int((one.labels == 1).sum())
        digest = digests.setdefault(one.video, hashlib.blake2b(digest_size=16))
        digest.update(f"{one.person}\0{len(one.labels)}\0".encode())
        digest.update(np.ascontiguousarray(one.labels, np.int8).tobytes())
    return {
        video: {**values, "labels": digests[video].hexdigest()} for video, values in found.items()
    }
