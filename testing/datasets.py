"""The check of datasets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..core.analysis.answers import asked
from ..core.contracts import Dataset
from ..core.labels import Judged, LabelledFace, LabelledVideo, Measure
from ..core.samples import result
from ..core.types import CLIP_FRAMES, Clip, Spans
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
    with asked(name):
        videos, again = dataset.videos(), dataset.videos()
    hold(
        all(
            isinstance(found, Sequence) and all(isinstance(one, LabelledVideo) for one in found)
            for found in (videos, again)
        ),
        f"{name} must answer with a sequence of LabelledVideo, which can be gone through twice",
        "Return a list",
    )
    names = [video.name for video in videos]
    hold(
        names == [video.name for video in again],
        f"{name} gives its videos in another order when asked again",
        "Sort them by name; neither sets nor listings of folders have an order",
    )
    hold(
        len(set(names)) == len(names),
        f"{name} gives two videos one name",
        "Make names unique, for example by the name of the folder",
    )
    measure = getattr(dataset, "measure", None)
    hold(
        isinstance(measure, Measure) and measure.name,
        f"{name} must have a Measure as its measure, but has {measure!r}",
        'As in: measure = asdkit.plugin.Measure("average_precision")',
    )
    for video in videos:
        _check_video(f"{name}'s video {video.name!r}", video)
    return videos


def _check_video(what: str, video: LabelledVideo) -> None:
    hold(
        video.name and not set(video.name) & {"/", "\\"},
        f"{what} must have a name without path separators",
        "Results of the video are written under its name",
    )
    hold(
        video.judge or video.speakers is not None,
        f"{what} has no labels",
        "Give it judge if labels are about faces, speakers if they say who speaks when, or both",
    )
    if video.path is None:
        hold(
            video.faces and all(face.clips for face in video.faces),
            f"{what} has neither a path nor faces with clips, so there is nothing to score",
            "Give the path of the video, or the crops of each labelled face",
        )
    else:
        hold(
            isinstance(video.path, Path) and video.path.is_file(),
            f"{what} is at {video.path}, where no file is",
            "If a file is missing, raise asdkit.plugin.InputError; paths are pathlib.Path",
        )
    for face in video.faces:
        _check_face(what, face)
    for face in video.faces[:1]:
        _check_clips(what, face)
    for spans in [*(video.speakers or {}).values(), video.scored or ()]:
        _check_spans(what, spans)
    _check_judge(what, video)


def _check_face(what: str, face: LabelledFace) -> None:
    hold(
        len(face.boxes) and face.first_frame >= 0,
        f"{what} has a labelled face from frame {face.first_frame} on with {len(face.boxes)} "
        "boxes, but frames count from 0 and a face has one at least",
        "Frames are those of the 25 fps grid",
    )
    fine = np.isfinite(face.boxes).all(1) & (face.boxes[:, :2] <= face.boxes[:, 2:]).all(1)
    hold(
        fine.all(),
        f"{what} has the box {face.boxes[~fine][:1].tolist()}, which is no x1, y1, x2, y2",
        "Boxes end after they begin, in pixels of the video",
    )


def _check_clips(what: str, face: LabelledFace) -> None:
    if face.clips is None:
        return
    with asked(what):
        clips = face.clips()
    hold(
        all(isinstance(clip, Clip) and len(clip) <= CLIP_FRAMES for clip in clips)
        and sum(map(len, clips)) == len(face.boxes),
        f"{what} has a face of {len(face.boxes)} frames, but its clips are not Clip, or longer "
        f"than {CLIP_FRAMES} frames, or not {len(face.boxes)} frames in all",
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
    with asked(f"{what}.judge"):
        judged = video.judge(found)
    hold(
        isinstance(judged, Judged),
        f"{what} judges a result by {type(judged).__name__}, which must be Judged",
        "asdkit.plugin.judge_matches makes it of labels and matched faces",
    )
    hold(
        not judged.found.any(),
        f"{what} says that faces were found where the result has none",
        "Rows of labels without a matching face have found=False and the logits (0, -inf)",
    )
