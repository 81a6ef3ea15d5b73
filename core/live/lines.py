"""Live events as lines of JSON, as specified by `live.schema.json`."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, cast

from ..errors import InputError
from ..forms import misfit
from ..results import plain
from .events import EVENTS_SCHEMA, KINDS, LiveEvent, LiveFace

_OF_A_FACE = ("certain", "track", "name", "probability", "box")
_KEYS: dict[str, tuple[str, ...]] = {
    "begun": ("about",),
    "appeared": _OF_A_FACE,
    "left": _OF_A_FACE,
    "named": _OF_A_FACE,
    "speaking": _OF_A_FACE,
    "silent": (*_OF_A_FACE, "since_s"),
    "cut": (),
    "interrupted": ("reason",),
    "note": ("reason", "about"),
    "faces": ("certain", "faces"),
    "status": ("about",),
    "written": ("about",),
    "ended": ("about",),
}
"""What each kind of event says besides its time and its delay."""
_ANY = {"type": "object", "required": ["event"], "properties": {"event": {"type": "string"}}}
_DECIMALS = {"time_s": 4, "since_s": 4, "delay_s": 4, "probability": 4, "box": 1}


@cache
def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a line."""
    text = files(__package__).joinpath("live.schema.json").read_text("utf-8")
    return cast("dict[str, Any]", json.loads(text))


def as_values(event: LiveEvent) -> dict[str, Any]:
    """An event as JSON types.

    Keys that mean nothing for its kind, or are None, are left out. Seconds and probabilities have
    four decimals, boxes one. `begun` alone, the first line of all, names the schema.
    """
    values: dict[str, Any] = {"schema": EVENTS_SCHEMA} if event.event == "begun" else {}
    values["event"] = event.event
    for key in ("time_s", *_KEYS[event.event], "delay_s"):
        value = getattr(event, key)
        if value is not None:
            values[key] = _plain(key, value)
    return values


def line_of(event: LiveEvent) -> str:
    """An event as one line of JSON, without a line break at its end."""
    return json.dumps(as_values(event), ensure_ascii=False, allow_nan=False)


def event_of(values: Any) -> LiveEvent:
    """The event of the values of a line, as `as_values` gives them.

    Raises:
        InputError: They are no event, or not one of this version.
    """
    kind = values.get("event") if isinstance(values, dict) else None
    if isinstance(kind, str) and kind not in KINDS:
        raise InputError(
            f"A line of live events has the event {kind[:40]!r}, which this version does not know",
            f"It knows {', '.join(KINDS)}",
        )
    form = schema()["$defs"][kind] if isinstance(kind, str) else _ANY
    if wrong := misfit(values, {**form, "$defs": schema()["$defs"]}):
        raise InputError(
            f"A line of live events is damaged: {wrong}",
            f"The form {EVENTS_SCHEMA} is that of core/live/live.schema.json",
        )
    given = {key: _typed(key, value) for key, value in values.items() if key != "schema"}
    return LiveEvent(**given)


def _plain(key: str, value: Any) -> Any:
    if key == "faces":
        return [{name: _plain(name, part) for name, part in vars(face).items()} for face in value]
    if key == "box":
        return [_rounded(key, side) for side in value]
    return _rounded(key, value) if key in _DECIMALS else plain(value)


def _rounded(key: str, value: float) -> float:
    return round(float(value), _DECIMALS[key]) + 0.0  # no -0.0


def _typed(key: str, value: Any) -> Any:
    if key == "faces":
        return tuple(
            LiveFace(**{name: _typed(name, part) for name, part in face.items()}) for face in value
        )
    if key == "box":
        return tuple(float(side) for side in value)
    if key == "track":
        return int(value)
    return float(value) if key in _DECIMALS else value
