"""The result as JSON, in the form of `result.schema.json`, and names safe to write."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import PurePath
from typing import Any, cast

import numpy as np

from .types import GRID_FPS, OFF_SCREEN, Float32, Result, Spans, Track

SCHEMA = "asdkit.result/2"
"""Name and version of the form."""
OLDER_SCHEMA = "asdkit.result/1"
"""The form before it, without `start_s`, `pixel_aspect` and `notes` of the video."""
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of `result.json`."""
    text = files(__package__).joinpath("result.schema.json").read_text("utf-8")
    return cast("dict[str, Any]", json.loads(text))


def printable(text: str) -> str:
    """`text` as UTF-8 can hold it: a byte that no encoding explains becomes U+FFFD.

    Python gives such bytes of a file name as lone surrogates, which cannot be encoded.
    """
    return _LONE_SURROGATE.sub("\ufffd", text)


def turns(result: Result) -> list[tuple[float, float, str]]:
    """Each time somebody speaks, seen or not, by onset: start and end in seconds, and the name."""
    found = [(*span, track.name) for track in result.tracks for span in track.speaking]
    found += [(*span, OFF_SCREEN) for span in result.off_screen or ()]
    return sorted(found, key=lambda turn: turn[:2])


def to_json(result: Result) -> dict[str, Any]:
    """The result as plain values, valid against `schema()`.

    Boxes are rounded to 0.001 px. Scores and probabilities are the shortest decimals that give
    the same float32 again.

    Raises:
        ValueError: A box, score or probability is not finite, which JSON cannot hold.
    """
    before, after = _around_tracks(result)
    return {**before, "tracks": [_track(track) for track in result.tracks], **after}


def json_lines(result: Result) -> Iterator[str]:
    """The text of `to_json(result)`, piece by piece: no more than one track in memory.

    A key a line, and in each track too, so that two results can be compared line by line.
    """
    before, after = _around_tracks(result)
    yield "{\n"
    for key, value in before.items():
        yield f"{_dumps(key)}: {_dumps(value)},\n"
    yield '"tracks": ['
    for number, track in enumerate(result.tracks):
        lines = [f"{_dumps(key)}: {_dumps(value)}" for key, value in _track(track).items()]
        yield (",\n{" if number else "\n{") + ",\n ".join(lines) + "}"
    yield "]"
    for key, value in after.items():
        yield f",\n{_dumps(key)}: {_dumps(value)}"
    yield "\n}\n"


def _around_tracks(result: Result) -> tuple[dict[str, Any], dict[str, Any]]:
    """The keys that stand before the tracks, and those after them."""
    video = result.video
    before = {
        "schema": SCHEMA,
        "video": {
            "path": printable(str(video.path)),
            "duration_s": float(video.duration_s),
            "width": int(video.width),
            "height": int(video.height),
            "fps": float(video.fps),
            "has_sound": bool(video.has_sound),
            "start_s": float(video.start_s),
            "pixel_aspect": float(video.pixel_aspect),
            "notes": [printable(note) for note in video.notes],
        },
        "grid_fps": GRID_FPS,
        "settings": plain(result.settings),
        "shots": [[int(first), int(end)] for first, end in result.shots],
    }
    after = {
        "speech": _spans(result.speech),
        "off_screen": _spans(result.off_screen),
        "provenance": plain(result.provenance),
        "timings_s": plain(result.timings_s),
    }
    return before, after


def _track(track: Track) -> dict[str, Any]:
    if not (np.isfinite(track.boxes).all() and np.isfinite(track.logits).all()):
        raise ValueError(f"track {track.id} holds boxes or scores that are not finite")
    return {
        "id": int(track.id),
        "shot": int(track.shot),
        "identity": None if track.identity is None else printable(track.identity),
        "first_frame": int(track.first_frame),
        "boxes": np.round(track.boxes, 3).tolist(),
        "scores": _shortest(track.scores),
        "probabilities": _shortest(track.probabilities),
        "speaking": _spans(track.speaking),
    }


def _spans(spans: Spans | None) -> list[list[float]] | None:
    return None if spans is None else [[float(start), float(end)] for start, end in spans]


def _shortest(values: Float32) -> list[float]:
    """The decimals with the fewest digits that give the same float32 again."""
    return [float(text) for text in values.astype(str)]


def plain(value: Any) -> Any:
    """`value` in the types of JSON; a path becomes its text, and so does an infinite number."""
    if isinstance(value, Mapping):
        return {printable(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (str, PurePath)):
        return printable(str(value))
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
