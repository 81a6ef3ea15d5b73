"""Videos with JSON files that label, frame by frame, who speaks in which region of the picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...core.component import Context
from ...core.errors import InputError
from ...core.files import same_form
from ...core.labels import Bool, Judged, LabelledVideo, Measure
from ...core.matching import Found, Label, judge_matches
from ...core.media.probe import probe
from ...core.named_files import parse_json, shown, text_of
from ...core.result import Result
from ...core.rttm import read_rttm
from ...core.types import GRID_FPS, Float64, Spans, Track
from .folders import check_times, files_in, video_of, videos_in
from .rttm import speakers_of

_FORM = (
    'Write {"fps": 25, "shots": [[FIRST, END], ...], "regions": {NAME: [x1, y1, x2, y2], ...}, '
    '"speaking": {NAME: [0 or 1 for each frame], ...}}, shots in order from 0 to the last frame, '
    'and, if it is known, "off_screen": [0 or 1 for each frame]'
)

_LARGEST = 10**9
"""Largest number accepted as a frame or a pixel position."""
_LONGEST_NAME = 1000
"""Most characters of a name: in an array of strings, each takes as much memory as the longest."""


@dataclass(frozen=True)
class DialogueConfig:
    """Parameters of the `dialogue` dataset.

    Attributes:
        folder: Holds NAME.json beside each video NAME.mp4 (or with another suffix), and perhaps
            NAME.rttm with who speaks when.
    """

    folder: str = "???"


@dataclass(frozen=True, eq=False)
class Truth:
    """The content of one JSON file.

    Attributes:
        path: The file.
        shots: (first, end) grid frames of each shot, end excluded, without gaps.
        regions: x1, y1, x2, y2 in source pixels, by name.
        speaking: (n,) bool by region: whether it speaks, for each grid frame of the shots.
        off_screen: (n,) bool, whether somebody speaks who is in no region; None if not known.
    """

    path: Path
    shots: tuple[tuple[int, int], ...]
    regions: Mapping[str, Float64]
    speaking: Mapping[str, Bool]
    off_screen: Bool | None = None


class Dialogue:
    """Videos of people who speak in turn; see `core.contracts.Dataset`."""

    measure = Measure("average_precision")

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def videos(self) -> list[LabelledVideo]:
        """The videos that have labels, by name."""
        found = videos_in(self._folder)
        labelled = []
        for path in files_in(self._folder, ".json", "labels"):
            video = video_of(path.stem, found, self._folder, path)
            truth = read_dialogue(path)
            labelled.append(
                LabelledVideo(
                    name=same_form(path.stem),
                    path=video,
                    judge=partial(judge_regions, truth),
                    speakers=_speakers(path.with_suffix(".rttm"), video),
                    off_screen=truth.off_screen,
                )
            )
        return labelled


def _speakers(truth: Path, video: Path) -> dict[str, Spans] | None:
    """Who speaks when in a video, if there is an RTTM file that says so."""
    if not truth.exists():
        return None
    info = probe(video, allow_silent=True).info
    return speakers_of(video.stem, read_rttm([truth]), info, truth)


def read_dialogue(path: Path) -> Truth:
    """Read the labels of one video.

    Raises:
        InputError: The file cannot be read or is invalid.
    """
    text = text_of(path, "labels")
    try:
        found = parse_json(text)
    except ValueError as error:
        raise InputError(f"{path} is no JSON of labels: {error}", _FORM) from error
    for key in ("regions", "speaking"):
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found[key] = {same_form(name): value for name, value in found[key].items()}
    if wrong := next(_wrongs(found), ""):
        raise InputError(f"{path} {wrong}", _FORM)
    return Truth(
        path,
        tuple((first, end) for first, end in found["shots"]),
        {name: np.array(box, np.float64) for name, box in found["regions"].items()},
        {name: np.array(frames, np.bool_) for name, frames in found["speaking"].items()},
        np.array(found["off_screen"], np.bool_) if "off_screen" in found else None,
    )


def _wrongs(found: Any) -> Iterator[str]:
    """Yield the errors of a file; each check relies on the ones before it."""
    for key, kind in {"shots": list, "regions": dict, "speaking": dict}.items():
        if not (isinstance(found, dict) and isinstance(found.get(key), kind) and found[key]):
            yield f'has no "{key}"'
    if found.get("fps", GRID_FPS) != GRID_FPS:
        yield f"has labels at {shown(found['fps'])} frames a second, not at {GRID_FPS}"
    end = 0
    for shot in found["shots"]:
        if not (_are_numbers(shot, 2, int) and shot[0] == end < shot[1]):
            yield f'has {shown(shot)} in "shots" where [{end}, END] was expected'
        end = shot[1]
    for name in sorted(found["regions"].keys() ^ found["speaking"].keys()):
        yield f'has "{name:.100}" in only one of "regions" and "speaking"'
    yield from _wrong_people(found, end)


def _wrong_people(found: Mapping[str, Any], end: int) -> Iterator[str]:
    """What is wrong with regions and labels, in shots that last `end` frames."""
    for name, box in found["regions"].items():
        if len(name) > _LONGEST_NAME:
            yield f"has a name of {len(name)} characters; {_LONGEST_NAME} are allowed"
        if not (_are_numbers(box, 4, (int, float)) and box[0] < box[2] and box[1] < box[3]):
            yield f'has {shown(box)} as the region "{name:.100}"'
    labels = {f'"speaking" of "{name:.100}"': one for name, one in found["speaking"].items()}
    if "off_screen" in found:
        labels['"off_screen"'] = found["off_screen"]
    for what, frames in labels.items():
        if not (_are_numbers(frames, end, int) and set(frames) <= {0, 1}):
            yield f"should have {shown(end)} of 0 or 1 as {what}, as its shots say"


def _are_numbers(found: Any, count: int, kind: Any) -> bool:
    return (
        isinstance(found, list)
        and len(found) == count
        and all(isinstance(number, kind) and abs(number) <= _LARGEST for number in found)
    )


def judge_regions(truth: Truth, result: Result) -> Judged:
    """Match tracks with regions.

    In each shot a track belongs to the region that contains the mean centre of its boxes there.
    Regions of different shots may overlap: a region that speaks in the shot is preferred, then a
    smaller one. If two tracks are in one region, the larger face is used.

    Args:
        truth: The labels.
        result: The result to judge.

    Returns:
        A row for each frame of each region with a track; and of each region that speaks in the
        shot, also without a track: its face was not found.

    Raises:
        InputError: The labels extend beyond the video's end.
    """
    end = truth.shots[-1][1]
    hint = "Label the frames of this video, at 25 a second"
    check_times(0, (end - 1) / GRID_FPS, result.video.duration_s, truth.path, hint)
    labels: list[Label] = []
    matched: list[Found | None] = []
    for first, stop in truth.shots:
        speaks_here = [name for name in truth.regions if truth.speaking[name][first:stop].any()]
        faces: dict[tuple[str, int], Found] = {}
        for track in result.tracks:
            frames = range(max(first, track.first_frame), min(stop, track.frames.stop))
            region = _region(truth, speaks_here, track, frames)
            if region is None:
                continue
            for frame in frames:
                face = (track, frame - track.first_frame)
                other = faces.setdefault((region, frame), face)
                if _size(face) > _size(other):
                    faces[region, frame] = face
        for frame in range(first, stop):
            for name in truth.regions:
                face_there = faces.get((name, frame))
                if face_there or name in speaks_here:
                    speaks = bool(truth.speaking[name][frame])
                    labels.append(Label(name, frame / GRID_FPS, speaks))
                    matched.append(face_there)
    return judge_matches(labels, matched, result.tracks)


def _region(truth: Truth, speaks_here: list[str], track: Track, frames: range) -> str | None:
    """The region that a track is in during some of its frames; None for no region."""
    if not frames:
        return None
    boxes = track.boxes[frames.start - track.first_frame : frames.stop - track.first_frame]
    x, y = ((boxes[:, :2] + boxes[:, 2:]) / 2).mean(0)
    holding = [
        (name not in speaks_here, (x2 - x1) * (y2 - y1), name)
        for name, (x1, y1, x2, y2) in truth.regions.items()
        if x1 <= x < x2 and y1 <= y < y2
    ]
    return min(holding)[2] if holding else None


def _size(face: Found) -> float:
    track, place = face
    x1, y1, x2, y2 = track.boxes[place]
    return float((x2 - x1) * (y2 - y1))


def build(config: DialogueConfig, context: Context) -> Dialogue:
    """Build the dataset."""
    return Dialogue(Path(config.folder))
