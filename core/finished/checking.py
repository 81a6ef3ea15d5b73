"""Reads the values of a result.json, and checks that they are a result's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..forms import misfit
from ..media.container import ROTATIONS
from ..named_files import read_json
from ..results import FILE, OLDER_SCHEMA, PARTS, schema

MOST_BYTES = 4 << 30
"""Largest size of a result.json; a day of video takes a few hundred million bytes."""
_MOST_FRAMES = 25 * 86_400 * 14
"""Grid frames of two weeks; no video that was looked at lasts longer."""
_MOST_PICTURES = 100
"""How far boxes may lie from the picture's corner, in its larger side."""
_NUMBER_OR_NULL = {"type": ["integer", "null"], "minimum": 0}
_NODES = "scorer", "context", "segments", "speech", "conversation"
SETTINGS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "sound": {"type": ["string", "null"], "minLength": 1},
        **dict.fromkeys(("video_track", "sound_track", "program"), _NUMBER_OR_NULL),
        "rotate": {"type": "string", "pattern": f"^({'|'.join(ROTATIONS)})$"},
        "max_pixels": {"type": "integer", "minimum": 1},
        "threads": {"type": ["integer", "null"], "minimum": 1},
        "start_s": {"type": "number", "minimum": 0},
        "end_s": {"type": ["number", "string", "null"], "pattern": f"^{math.inf}$", "minimum": 0},
        "crop_scale": {"type": "number", "minimum": 0},
        "decisions": {"type": "string"},
        **{key: {"type": "object"} for key in _NODES},
    },
}
"""The schema of the settings that `Result` uses again; older versions had not all of them."""


def read_values(path: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a result.json, checked against its schema.

    Args:
        path: The file.
        settings: The schema of the settings.

    Raises:
        InputError: The file cannot be read, or is not a result.
    """
    if not path.exists() and (parts := sorted(path.parent.glob(f"{PARTS}/*/{FILE}"))):
        raise InputError(
            f"{path.parent} is of a live session, which has a result of each of its parts",
            f"Name one of them, such as {parts[0].parent}",
        )
    found = read_json(
        path, "a result of asd run", "Name a folder of results of asd run", most_bytes=MOST_BYTES
    )
    form = schema()
    if isinstance(found, dict) and found.get("schema") == OLDER_SCHEMA:
        del form["properties"]["schema"]["const"]
        for key in ("start_s", "pixel_aspect", "notes"):
            form["properties"]["video"]["required"].remove(key)
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


def inconsistencies(values: Mapping[str, Any]) -> Iterator[str]:
    """What of the values does not fit together, which a schema cannot say."""
    shots = values["shots"]
    ends = [0, *(frame for shot in shots for frame in shot)]
    if any(first > end for first, end in pairwise(ends)):
        yield "its shots are not in order"
    if ends[-1] > _MOST_FRAMES:
        yield f"its last shot ends with frame {ends[-1]}, after two weeks"
    for number, track in enumerate(values["tracks"]):
        yield from _of_track(number, track, values)
    ids = [track["id"] for track in values["tracks"]]
    if len(set(ids)) < len(ids):
        yield f"two tracks have the number {max(ids, key=ids.count)}"
    names, spans = values.get("off_screen_names"), values["off_screen"] or ()
    if names is not None and len(names) != len(spans):
        yield f"it has {len(spans)} spans of off_screen, but {len(names)} off_screen_names"
    if "heard" in values and shots and values["heard"]["first_frame"] > shots[0][0]:
        yield "heard.first_frame is after the first shot begins"
    fits = (values.get("sync") or {}).get("tracks")
    if fits is not None and [fit["id"] for fit in fits] != ids:
        yield "sync.tracks are not the tracks"


def _of_track(number: int, track: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[str]:
    """What of a track does not fit together, or to the rest."""
    frames = len(track["boxes"])
    for key in ("scores", "probabilities", "silent_scores"):
        if len(track.get(key, track["boxes"])) != frames:
            yield f"tracks[{number}] has {frames} boxes, but {len(track[key])} {key}"
    most_px = _MOST_PICTURES * max(values["video"]["width"], values["video"]["height"])
    if max(map(abs, chain.from_iterable(track["boxes"]))) > most_px:
        yield f"tracks[{number}] has a box that is far from the picture"
    shots = values["shots"]
    shot = shots[track["shot"]] if track["shot"] < len(shots) else (0, -1)
    if not shot[0] <= track["first_frame"] <= track["first_frame"] + frames <= shot[1]:
        yield f"tracks[{number}] is not within its shot"
