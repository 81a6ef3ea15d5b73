"""Reads a result.json, as a result again."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..analysis.crops import Smoother
from ..analysis.square_pixels import Square
from ..arrays import checked_boxes, probability
from ..files import expanded
from ..result import Result, VideoInfo
from ..results import FILE
from ..scaling import Scaling, calibrated
from ..sync import Fit, Sync
from ..types import Float32, Float64, Heard, Spans, Track
from ..voice import Voice
from .checking import SETTINGS, inconsistencies, no_result, read_values

_ODDS = -104.0, 18.0
"""Log odds of which the probability is just 0, and just 1, in float32."""
_ULPS = 3
"""How many float32 numbers around an estimate are tried."""


def load(path: Path, video: Path | None = None) -> Result:
    """See `Result.load`."""
    path = expanded(str(path))
    if path.is_dir():
        path = path / FILE
    values = read_values(path, SETTINGS)
    for wrong in inconsistencies(values):
        raise no_result(path, wrong)
    try:
        result = _result(values, path.parent)
    except (ValueError, OverflowError) as error:
        raise no_result(path, str(error)) from error
    return result if video is None else of_video(result, video)


def of_video(result: Result, path: Path) -> Result:
    """The result of the same video in another place.

    The path becomes absolute: those of a result are looked for where its run was started first.
    """
    place = Path(os.path.abspath(expanded(str(path))))  # noqa: PTH100 - resolve() would follow links
    own_sound = result.sound_path == result.video.path
    return replace(
        result,
        video=replace(result.video, path=place),
        sound_path=place if own_sound else result.sound_path,
    )


def _result(values: Mapping[str, Any], folder: Path) -> Result:
    video = values["video"]
    path = Path(video["path"])
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
    boxes = checked_boxes(f"the boxes of track {values['id']}", values["boxes"])
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
        source_id=int(values["source_id"]) if "source_id" in values else None,
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
