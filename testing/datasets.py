"""The check of datasets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..core.contracts import Dataset
from ..core.evaluation.checked_dataset import measure_of, videos_of
from ..core.evaluation.protocols import NONE
from ..core.labelled_clip import LabelledClip
from ..core.labels import LabelledFace, LabelledVideo
from ..core.samples import result
from ..core.types import CLIP_FRAMES, Spans
from .holding import hold, name_of

_LONG_S = 86_400.0
"""Length of a video in which all labels lie."""


def check_dataset(dataset: Dataset) -> Sequence[LabelledVideo]:
    """Check that a dataset returns videos with unique names, always in the same order.

    Each video must be there, be labelled, and take a result in which no face was found.

    Args:
        dataset: The dataset.

    Returns:
        The dataset's videos.

    Raises:
        PluginError: It does not keep its contract; see `asdkit.plugin.Dataset`.
    """
    name = name_of(dataset)
    videos, again = videos_of(name, dataset), videos_of(name, dataset)
    hold(
        [video.name for video in videos] == [video.name for video in again],
        f"{name} gives its videos in another order when asked again",
        "Sort them by name; neither sets nor listings of folders have an order",
    )
    hold(
        measure_of(name, dataset).name,
        f"{name} has a measure without a name",
        'As in: measure = asdkit.plugin.Measure("average_precision")',
    )
    for video in videos:
        _check_video(f"{name}'s video {video.name!r}", video)
    protocol = getattr(dataset, "protocol", NONE)
    for video in videos_of(name, dataset, protocol) if protocol != NONE else ():
        _check_video(f"{name}'s video {video.name!r} with protocol={protocol}", video)
    return videos


def _check_video(what: str, video: LabelledVideo) -> None:
    hold(
        video.path is None or video.path.is_file(),
        f"{what} is at {video.path}, where no file is",
        "If a file is missing, raise asdkit.plugin.InputError",
    )
    for face in video.faces[:1]:
        _check_clips(what, face)
    for spans in [*(video.speakers or {}).values(), video.scored or ()]:
        _check_spans(what, spans)
    _check_judge(what, video)


def _check_clips(what: str, face: LabelledFace) -> None:
    if face.clips is None:
        return
    hold(
        all(len(c) <= CLIP_FRAMES or isinstance(c, LabelledClip) for c in face.clips()),
        f"{what} has a face with a clip longer than {CLIP_FRAMES} frames",
        "Give one crop for each box, in successive clips of at most a minute",
    )


def _check_spans(what: str, spans: Spans) -> None:
    times = [time_s for span in spans for time_s in span]
    hold(
        all(0 <= begin < end < math.inf for begin, end in spans) and times == sorted(times),
        f"{what} has spans that are not in order: {list(spans)[:3]}",
        "Spans are (start, end) in seconds, sorted, without overlap",
    )


def _check_judge(what: str, video: LabelledVideo) -> None:
    """Judge a result without a track, as of a video in which no face was found."""
    if video.judge is None:
        return
    found = result(video.path or Path(video.name))
    found = replace(found, tracks=(), video=replace(found.video, duration_s=_LONG_S))
    hold(
        not video.judge(found).found.any(),
        f"{what} says that faces were found where the result has none",
        "Rows of labels without a matching face have found=False and the logits (0, -inf)",
    )
