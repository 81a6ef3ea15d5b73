"""Writes who speaks when as a timeline of OpenTimelineIO, for video editors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import cycle
from pathlib import Path
from typing import Any

from ...core.component import Context
from ...core.files import whole
from ...core.media.of_result import place_of
from ...core.result import Result
from ...core.results import printable
from .speakers import Speaker, in_steps, speakers_of

FILE = "speakers.otio"
_COLOURS = "GREEN", "ORANGE", "CYAN", "MAGENTA", "YELLOW", "BLUE", "RED", "PURPLE", "PINK"
"""Colours of markers by OpenTimelineIO's names, without black and white."""
_OF_NTSC = (Fraction(fps * 1000, 1001) for fps in (24, 30, 48, 60, 120))
_RATES = sorted([*_OF_NTSC, *map(Fraction, (24, 25, 30, 48, 50, 60, 100, 120))])
"""The rates that editors know."""
_ALIKE = 2e-4
"""Relative difference of rates that mean the same: a fifth of that of 30 and 29.97."""
_VARYING = 0.01
"""By so much the mean rate of a recording with varying times may exceed the rate that is meant."""

Json = dict[str, Any]


@dataclass(frozen=True)
class OtioConfig:
    """The `otio` writer has no parameters."""


class OtioWriter:
    """Writes `speakers.otio`: a timeline with the video, its sound, and a track for each speaker.

    The first track has the whole video as one clip, with a marker for each turn, coloured by
    speaker. The others are named after a speaker each, with a clip of the same video for each turn,
    at its place. All times are on the clock of the file, in frames at the video's own rate, as far
    as editors know that (`editors_rate`); a turn begins and ends at the nearest frame. See
    `core.results.turns` for what turns are.

    The form is that of OpenTimelineIO, whose files are JSON:
    https://opentimelineio.readthedocs.io/en/latest/tutorials/otio-serialized-schema.html.
    """

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write the file; see `core.contracts.Writer`."""
        path = folder / FILE
        with whole(path) as aside, aside.open("w", encoding="utf-8", newline="\n") as file:
            json.dump(_timeline(result), file, ensure_ascii=False, indent=1, allow_nan=False)
            file.write("\n")
        return [path]


def editors_rate(fps: float) -> float:
    """The rate that editors know for a video: 30000/1001 for 29.97, and 30 for 15.

    It is the video's rate or a multiple of it, so that each frame begins with one; where there is
    none, as where times vary, the next higher one, or one that is lower by 1 % at most.

    Args:
        fps: The mean rate of the video, above 0.
    """
    for times in range(1, int(float(_RATES[-1]) / fps) + 2):
        for rate in _RATES:
            if abs(float(rate) / times - fps) <= _ALIKE * fps:
                return float(rate)
    higher = (rate for rate in _RATES if float(rate) >= (1 - _VARYING) * fps)
    return float(next(higher, _RATES[-1]))


def _timeline(result: Result) -> Json:
    rate = editors_rate(result.video.fps)
    zero_s = result.video.start_s
    end = max(1, round((zero_s + result.video.duration_s) * rate))
    source = place_of(result.video.path, result)
    whole_video = _clip(printable(source.name), range(end), rate, _media(source, range(end), rate))
    tracks = [_track("Picture", "Video", [whole_video])]
    for speaker, colour in zip(speakers_of(result), cycle(_COLOURS), strict=False):
        spans = [(zero_s + start_s, zero_s + end_s) for start_s, end_s in speaker.turns]
        turns = in_steps(spans, rate, end)
        whole_video["markers"] += [_marker(speaker.shown, turn, rate, colour) for turn in turns]
        if turns:
            media = _media(source, range(end), rate)
            tracks.append(_of_speaker(speaker, turns, rate, media))
    if result.video.has_sound:
        tracks.append(_sound(result, end, rate))
    return {
        "OTIO_SCHEMA": "Timeline.1",
        "metadata": {},
        "name": printable(result.video.name),
        "global_start_time": None,
        "tracks": {
            "OTIO_SCHEMA": "Stack.1",
            **_item("tracks", None),
            "children": tracks,
        },
    }


def _of_speaker(speaker: Speaker, turns: Sequence[range], rate: float, media: Json) -> Json:
    """A track with the turns as clips, and gaps before them."""
    children = []
    done = 0
    for turn in turns:
        if done < turn.start:
            children.append(_gap(turn.start - done, rate))
        children.append(_clip(speaker.shown, turn, rate, media))
        done = turn.stop
    return _track(speaker.shown, "Video", children)


def _sound(result: Result, end: int, rate: float) -> Json:
    """The track of the sound; that of another file begins with the picture and is as long."""
    source = place_of(result.video.path, result)
    path = source if result.sound_path is None else place_of(result.sound_path, result)
    first = 0 if path == source else min(round(result.video.start_s * rate), end - 1)
    media = _media(path, range(end - first), rate)
    clip = _clip(printable(path.name), range(end - first), rate, media)
    return _track("Sound", "Audio", [*([_gap(first, rate)] if first else []), clip])


def _item(name: str, source_range: Json | None) -> Json:
    """What clips, gaps, tracks and stacks have in common."""
    return {
        "metadata": {},
        "name": name,
        "source_range": source_range,
        "effects": [],
        "markers": [],
        "enabled": True,
    }


def _track(name: str, kind: str, children: Sequence[Json]) -> Json:
    return {
        "OTIO_SCHEMA": "Track.1",
        **_item(name, None),
        "children": list(children),
        "kind": kind,
    }


def _clip(name: str, frames: range, rate: float, media: Json) -> Json:
    return {
        "OTIO_SCHEMA": "Clip.2",
        **_item(name, _range(frames, rate)),
        "media_references": {"DEFAULT_MEDIA": media},
        "active_media_reference_key": "DEFAULT_MEDIA",
    }


def _gap(length: int, rate: float) -> Json:
    return {"OTIO_SCHEMA": "Gap.1", **_item("", _range(range(length), rate))}


def _media(path: Path, frames: range, rate: float) -> Json:
    return {
        "OTIO_SCHEMA": "ExternalReference.1",
        "metadata": {},
        "name": printable(path.name),
        "available_range": _range(frames, rate),
        "target_url": path.as_uri(),
    }


def _marker(name: str, frames: range, rate: float, colour: str) -> Json:
    return {
        "OTIO_SCHEMA": "Marker.2",
        "metadata": {},
        "name": name,
        "color": colour,
        "marked_range": _range(frames, rate),
        "comment": "",
    }


def _range(frames: range, rate: float) -> Json:
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "start_time": _time(frames.start, rate),
        "duration": _time(len(frames), rate),
    }


def _time(frame: int, rate: float) -> Json:
    return {"OTIO_SCHEMA": "RationalTime.1", "value": float(frame), "rate": rate}


def build(config: OtioConfig, context: Context) -> OtioWriter:
    """Make the writer."""
    return OtioWriter()
