"""Converts results to JSON as specified by `result.schema.json`, and makes names safe to write."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from importlib.resources import files
from itertools import count
from pathlib import Path, PurePath
from typing import Any, cast

import numpy as np

from .files import same_form, whole
from .result import Result
from .rttm import merged
from .sync import Sync
from .types import GRID_FPS, OFF_SCREEN, Float32, Heard, Spans, Track
from .voice import Voice

SCHEMA = "asdkit.result/2"
"""Name and version of the form."""
OLDER_SCHEMA = "asdkit.result/1"
"""The previous version, without `start_s`, `pixel_aspect` and `notes` of the video."""
FILE = "result.json"
"""Its name in the folder of a run."""
PARTS = "parts"
"""In the folder of a live session, the one that has a folder with such a file for each part."""
_FORMULA = re.compile(r"[=+\-@\t\r]")
# fmt: off
_MISSING = {
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
}
# fmt: on
"""Texts that pandas reads as a missing value."""
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of `result.json`."""
    text = files(__package__).joinpath("result.schema.json").read_text("utf-8")
    return cast("dict[str, Any]", json.loads(text))


def printable(text: str) -> str:
    """Make a text encodable as UTF-8: undecodable bytes of file names become U+FFFD.

    Python represents such bytes as lone surrogates, which cannot be encoded.
    """
    return _LONE_SURROGATE.sub("\ufffd", text)


def as_cell(text: str) -> str:
    """Make a name safe for a table cell, so that it is neither a formula nor a missing value.

    Spreadsheets evaluate cells that begin with = + - @, and readers such as pandas read some words
    as missing values; such a name gets `_` before or after it.
    """
    text = same_form(printable(text))
    if _FORMULA.match(text):
        return f"_{text}"
    return f"{text}_" if text in _MISSING else text


def turns(result: Result) -> list[tuple[float, float, str]]:
    """All speaking turns, on screen or off, by onset: (start_s, end_s, name).

    With a diarization these are its turns, each with the name of the person whose it is, or the
    name of its voice if it is nobody's who was seen; a person's turns that overlap or touch are
    merged. What no voice covers is left out, then, whoever seems to speak.
    """
    if result.voices is None:
        found = [(*span, track.name) for track in result.tracks for span in track.speaking]
        found += [(*span, name or OFF_SCREEN) for span, name in off_screen_turns(result)]
    else:
        names = voice_names(result.voices, {track.name for track in result.tracks})
        spans: dict[str, list[tuple[float, float]]] = {}
        for voice in result.voices:
            for start_s, end_s, person in voice.parts():
                name = names[voice.name] if person is None else person
                spans.setdefault(name, []).append((start_s, end_s))
        found = [(*span, name) for name, own in spans.items() for span in merged(own)]
    return sorted(found, key=lambda turn: turn[:2])


def voice_names(voices: Sequence[Voice], people: Collection[str]) -> dict[str, str]:
    """By name of the voice: a name for it that is none of the people's, nor `OFF_SCREEN`."""
    names: dict[str, str] = {}
    others = {*people, OFF_SCREEN}
    taken = {*others, *(voice.name for voice in voices)}
    for voice in voices:
        names[voice.name] = voice.name
        if voice.name in others:
            other = (f"{voice.name}_{number}" for number in count(2))
            names[voice.name] = next(name for name in other if name not in taken)
            taken.add(names[voice.name])
    return names


def off_screen_turns(result: Result) -> list[tuple[tuple[float, float], str | None]]:
    """The off-screen spans, each with the name of whose voice it is, if that is known."""
    spans = result.off_screen or ()
    names = result.off_screen_names
    return list(zip(spans, (None,) * len(spans) if names is None else names, strict=True))


def known_off_screen(result: Result, show: Callable[[str], str] = str) -> dict[str, Spans]:
    """By name, followed by "(off screen)": the off-screen spans of those known by their voice.

    Args:
        result: The result.
        show: From a name in the result to the one that is shown.
    """
    found: dict[str, list[tuple[float, float]]] = {}
    for span, name in off_screen_turns(result):
        if name is not None:
            found.setdefault(f"{show(name)} (off screen)", []).append(span)
    return {name: tuple(spans) for name, spans in found.items()}


def to_json(result: Result) -> dict[str, Any]:
    """Convert a result to plain values, valid against `schema()`.

    Boxes are rounded to 0.001 px. Scores and probabilities are the shortest decimals that round
    to the same float32.

    Raises:
        ValueError: A box, score or probability is not finite, which JSON cannot hold.
    """
    before, after = _around_tracks(result)
    return {**before, "tracks": [_track(track) for track in result.tracks], **after}


def json_lines(result: Result) -> Iterator[str]:
    """The JSON text of `to_json(result)` in pieces, with at most one track in memory.

    There is one line per key, also within tracks, so that results can be compared line by line.
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


def save(result: Result, path: Path) -> None:
    """Write a result.json, whole or not at all.

    Raises:
        OutputError: The file cannot be written.
        ValueError: As for `to_json`.
    """
    with whole(path) as aside, aside.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json_lines(result))


def _around_tracks(result: Result) -> tuple[dict[str, Any], dict[str, Any]]:
    """The part of the JSON before the tracks, and the part after them."""
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
            "name": printable(video.name),
        },
        "grid_fps": GRID_FPS,
        "settings": plain(result.settings),
        "shots": [[int(first), int(end)] for first, end in result.shots],
    }
    after: dict[str, Any] = {
        "speech": _spans(result.speech),
        "off_screen": _spans(result.off_screen),
        "voices": None if result.voices is None else [_voice(voice) for voice in result.voices],
        "provenance": plain(result.provenance),
        "timings_s": plain(result.timings_s),
    }
    if result.heard is not None:
        after["heard"] = _heard(result.heard)
    if result.calibration is not None:
        after["calibration"] = {
            "temperature": float(result.calibration.temperature),
            "bias": float(result.calibration.bias),
        }
    if result.off_screen_names is not None:
        after["off_screen_names"] = plain(result.off_screen_names)
    if result.sync is not None:
        after["sync"] = _sync(result.sync, result.tracks)
    return before, after


def _heard(heard: Heard) -> dict[str, Any]:
    return {
        "first_frame": int(heard.first_frame),
        "probabilities": _shortest(heard.probabilities),
        "before": _shortest(heard.before),
    }


def _sync(sync: Sync, tracks: Sequence[Track]) -> dict[str, Any]:
    fits = None
    if sync.tracks is not None:
        pairs = zip(tracks, sync.tracks, strict=True)
        fits = [{"id": int(track.id), **fit.to_json()} for track, fit in pairs]
    return {**sync.whole.to_json(), "moved_s": float(sync.moved_s), "tracks": fits}


def _track(track: Track) -> dict[str, Any]:
    if not (np.isfinite(track.boxes).all() and np.isfinite(track.logits).all()):
        raise ValueError(f"track {track.id} holds boxes or scores that are not finite")
    silent = {}
    if track.uncalibrated is not None:
        silent["silent_scores"] = _shortest(track.uncalibrated[:, 0])
    return {
        "id": int(track.id),
        **({} if track.source_id is None else {"source_id": int(track.source_id)}),
        "shot": int(track.shot),
        "identity": None if track.identity is None else printable(track.identity),
        "first_frame": int(track.first_frame),
        "boxes": np.round(track.boxes, 3).tolist(),
        "scores": _shortest(track.scores),
        "probabilities": _shortest(track.probabilities),
        **silent,
        "speaking": _spans(track.speaking),
    }


def _voice(voice: Voice) -> dict[str, Any]:
    return {
        "name": printable(voice.name),
        "person": None if voice.person is None else printable(voice.person),
        "confidence": float(voice.confidence),
        "tracks": [int(number) for number in voice.tracks],
        "turns": _spans(voice.turns),
        "exceptions": [
            [float(start_s), float(end_s), printable(person)]
            for start_s, end_s, person in voice.exceptions
        ],
        "cannot_be": [printable(person) for person in voice.cannot_be],
    }


def _spans(spans: Spans | None) -> list[list[float]] | None:
    return None if spans is None else [[float(start), float(end)] for start, end in spans]


def _shortest(values: Float32) -> list[float]:
    """The shortest decimals that round to the same float32."""
    return [float(text) for text in values.astype(str)]


def plain(value: Any) -> Any:
    """Convert a value to JSON types; paths and non-finite numbers become text."""
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
