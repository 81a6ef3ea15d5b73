"""Reads a result.json, as a result again."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ..analysis.crops import Smoother
from ..analysis.square_pixels import Square
from ..arrays import probability
from ..errors import InputError
from ..files import expanded
from ..forms import misfit
from ..named_files import read_json
from ..result import Result, VideoInfo
from ..results import FILE, OLDER_SCHEMA, schema
from ..scaling import Scaling, calibrated
from ..sync import Fit, Sync
from ..types import Float32, Float64, Heard, Spans, Track
from ..voice import Voice

MOST_BYTES = 4 << 30
"""Largest size of a result.json; a day of video takes a few hundred million bytes."""
_ODDS = -104.0, 18.0
"""Log odds of which the probability is just 0, and just 1, in float32."""
_ULPS = 3
"""How many float32 numbers around an estimate are tried."""


def load(path: Path, video: Path | None = None) -> Result:
    """See `Result.load`."""
    path = expanded(str(path))
    if path.is_dir():
        path = path / FILE
    values = read_values(path)
    for wrong in _inconsistencies(values):
        raise no_result(path, wrong)
    try:
        return _result(values, path.parent, video)
    except (ValueError, OverflowError) as error:
        raise no_result(path, str(error)) from error


def read_values(path: Path, settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The values of a result.json, checked against its schema.

    Args:
        path: The file.
        settings: The schema of the settings; None for any.

    Raises:
        InputError: The file cannot be read, or is not a result.
    """
    found = read_json(
        path, "a result of asd run", "Name a folder of results of asd run", most_bytes=MOST_BYTES
    )
    form = schema()
    if isinstance(found, dict) and found.get("schema") == OLDER_SCHEMA:
        del form["properties"]["schema"]["const"]
        for key in ("start_s", "pixel_aspect", "notes"):
            form["properties"]["video"]["required"].remove(key)
    if settings is not None:
        form["properties"]["settings"] = settings
    if wrong := misfit(found, form):
        raise no_result(path, wrong)
    values: dict[str, Any] = found
    return values


def no_result(path: Path, wrong: str) -> InputError:
    """The error for a file that is no result."""
    return InputError(
        f"{path} is damaged, or another version of asdkit made it: {wrong}",
        "Install that version, or run the video again with asd run",
    )


def _inconsistencies(values: Mapping[str, Any]) -> Iterator[str]:
    """What of the values does not fit together, which a schema cannot say."""
    shots = values["shots"]
    ends = [0, *(frame for shot in shots for frame in shot)]
    if any(first > end for first, end in pairwise(ends)):
        yield "its shots are not in order"
    seen: set[int] = set()
    for number, track in enumerate(values["tracks"]):
        frames = len(track["boxes"])
        for key in ("scores", "probabilities", "silent_scores"):
            if len(track.get(key, track["boxes"])) != frames:
                yield f"tracks[{number}] has {frames} boxes, but {len(track[key])} {key}"
        if track["id"] in seen:
            yield f"two tracks have the number {track['id']}"
        seen.add(track["id"])
        shot = shots[track["shot"]] if track["shot"] < len(shots) else (0, -1)
        if not shot[0] <= track["first_frame"] <= track["first_frame"] + frames <= shot[1]:
            yield f"tracks[{number}] is not within its shot"
    names, spans = values.get("off_screen_names"), values["off_screen"] or ()
    if names is not None and len(names) != len(spans):
        yield f"it has {len(spans)} spans of off_screen, but {len(names)} off_screen_names"
    fits = (values.get("sync") or {}).get("tracks")
    if fits is not None and [fit["id"] for fit in fits] != [t["id"] for t in values["tracks"]]:
        yield "sync.tracks are not the tracks"


def _result(values: Mapping[str, Any], folder: Path, moved_to: Path | None) -> Result:
    video = values["video"]
    path = Path(video["path"]) if moved_to is None else moved_to
    settings = dict(values["settings"])
    if settings.get("end_s") == str(math.inf):  # JSON holds it as text
        settings["end_s"] = math.inf
    sound = settings.get("sound")
    pixel_aspect = float(video.get("pixel_aspect", 1.0))
    calibration = values.get("calibration")
    scaling = None if calibration is None else Scaling(**calibration)
    voices, names = values.get("voices"), values.get("off_screen_names")
    return Result(
        video=VideoInfo(
            path=path,
            duration_s=float(video["duration_s"]),
            width=int(video["width"]),
            height=int(video["height"]),
            fps=float(video["fps"]),
            has_sound=video["has_sound"],
            start_s=float(video.get("start_s", 0.0)),
            pixel_aspect=pixel_aspect,
            notes=tuple(video.get("notes", ())),
            name=video.get("name", ""),
        ),
        shots=tuple((int(first), int(end)) for first, end in values["shots"]),
        tracks=tuple(_track(track, scaling, Square.of(pixel_aspect)) for track in values["tracks"]),
        settings=settings,
        timings_s=values["timings_s"],
        speech=_spans(values["speech"]),
        off_screen=_spans(values["off_screen"]),
        voices=None if voices is None else tuple(_voice(voice) for voice in voices),
        off_screen_names=None if names is None else tuple(names),
        sync=_sync(values["sync"]) if "sync" in values else None,
        sound_path=(Path(sound) if sound else path) if video["has_sound"] else None,
        folder=folder,
        provenance=values["provenance"],
        heard=_heard(values["heard"]) if "heard" in values else None,
        calibration=scaling,
    )


def _track(values: Mapping[str, Any], scaling: Scaling | None, square: Square) -> Track:
    boxes = np.array(values["boxes"], np.float64)
    scores = _float32(values["scores"])
    track = Track(
        id=int(values["id"]),
        shot=int(values["shot"]),
        first_frame=int(values["first_frame"]),
        boxes=boxes,
        smoothed=_smoothed(boxes, square),
        logits=np.empty((len(boxes), 2), np.float32),
        speaking=_spans(values["speaking"]) or (),
        identity=values["identity"],
    )
    if "silent_scores" in values:
        return calibrated(track, np.stack([_float32(values["silent_scores"]), scores], 1), scaling)
    track.logits[:] = _logits(scores, _float32(values["probabilities"]))
    return track


def _float32(values: Sequence[float]) -> Float32:
    with np.errstate(over="ignore"):
        numbers = np.array(values, np.float64).astype(np.float32)
    if not np.isfinite(numbers).all():
        raise ValueError("a score is too large a number")
    return numbers


def _smoothed(boxes: Float64, square: Square) -> Float64:
    """`Track.smoothed` of boxes, as a run computes it."""
    smoother = Smoother()
    rows = np.concatenate([smoother.add(square.boxes(boxes)), smoother.finish()])
    return square.stored_smoothed(rows)


def _logits(scores: Float32, probabilities: Float32) -> Float32:
    """Logits (n, 2) that have these scores and probabilities, (n,) each.

    Where a probability is so close to 0 or 1 that float32 holds it as that, how close is lost. The
    nearest float32 numbers to the exact solution are tried, so that the probabilities are those
    given to the last digit, if there are such logits.
    """
    exact = probabilities.astype(np.float64)
    with np.errstate(divide="ignore"):
        odds = np.clip(np.log(exact) - np.log1p(-exact), *_ODDS)
    silent = (scores - odds).astype(np.float32)
    tried = [silent]
    for way in (-np.inf, np.inf):
        near = silent
        for _ in range(_ULPS):
            near = np.nextafter(near, np.float32(way))
            tried.append(near)
    off = [np.abs(probability(np.stack([one, scores], 1)) - probabilities) for one in tried]
    best = np.argmin(off, axis=0)
    return np.stack([np.stack(tried)[best, np.arange(len(scores))], scores], 1)


def _spans(values: Sequence[Sequence[float]] | None) -> Spans | None:
    return None if values is None else tuple((float(a), float(b)) for a, b in values)


def _heard(values: Mapping[str, Any]) -> Heard:
    return Heard(
        int(values["first_frame"]), _float32(values["probabilities"]), _float32(values["before"])
    )


def _voice(values: Mapping[str, Any]) -> Voice:
    return Voice(
        name=values["name"],
        turns=_spans(values["turns"]) or (),
        person=values["person"],
        confidence=float(values["confidence"]),
        tracks=tuple(int(number) for number in values["tracks"]),
        exceptions=tuple((float(a), float(b), person) for a, b, person in values["exceptions"]),
        cannot_be=tuple(values["cannot_be"]),
    )


def _sync(values: Mapping[str, Any]) -> Sync:
    fits = values["tracks"]
    return Sync(
        whole=_fit(values),
        tracks=None if fits is None else tuple(_fit(one) for one in fits),
        moved_s=float(values["moved_s"]),
    )


def _fit(values: Mapping[str, Any]) -> Fit:
    return Fit(values["fits"], values["offset_s"], float(values["certainty"]))
