"""The crop path as JSON, as specified by `reframe.schema.json`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any, cast

from ....core.result import VideoInfo
from ....core.results import printable
from ....core.types import GRID_FPS
from .config import ReframeConfig
from .paths import Key, Pane, Rect, Take

SCHEMA = "asdkit.reframe/1"
"""Name and version of the form."""
INTERPOLATION = "linear"


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of `reframe.json`."""
    text = files(__package__).joinpath("reframe.schema.json").read_text("utf-8")
    return cast("dict[str, Any]", json.loads(text))


def json_lines(
    video: VideoInfo, config: ReframeConfig, takes: Sequence[Take], file: str | None
) -> Iterator[str]:
    """The JSON text in pieces, a line for each take.

    Args:
        video: The source.
        config: The writer's parameters.
        takes: The path.
        file: The name of the rendered video; None if there is none.
    """
    width, height = config.size
    head = {
        "schema": SCHEMA,
        "video": {
            "path": printable(str(video.path)),
            "width": int(video.width),
            "height": int(video.height),
            "pixel_aspect": float(video.pixel_aspect),
            "duration_s": float(video.duration_s),
            "start_s": float(video.start_s),
        },
        "grid_fps": GRID_FPS,
        "shape": config.shape,
        "output": {"width": width, "height": height, "file": file},
        "interpolation": INTERPOLATION,
    }
    yield "{\n"
    for name, value in head.items():
        yield f"{_dumps(name)}: {_dumps(value)},\n"
    yield '"takes": ['
    for number, take in enumerate(takes):
        yield f"{',' if number else ''}\n{_dumps(_take(take, config.empty))}"
    yield "\n]\n}\n"


def _take(take: Take, empty: str) -> dict[str, Any]:
    return {
        "shot": take.shot,
        "first_frame": take.first,
        "end_frame": take.end,
        "start_s": take.first / GRID_FPS,
        "end_s": take.end / GRID_FPS,
        "layout": take.layout,
        "background": empty if take.layout == "whole" else None,
        "panes": [_pane(pane) for pane in take.panes],
    }


def _pane(pane: Pane) -> dict[str, Any]:
    return {
        "who": [printable(name) for name in pane.who],
        "tracks": list(pane.tracks),
        "place": _rect(pane.place, 6),
        "keys": [_key(key) for key in pane.keys],
    }


def _key(key: Key) -> dict[str, Any]:
    time_s = key.frame / GRID_FPS
    return {"frame": key.frame, "time_s": time_s, **_rect(key.crop, 3), "kind": key.kind}


def _rect(rect: Rect, decimals: int) -> dict[str, float]:
    return {name: round(float(value), decimals) for name, value in vars(rect).items()}


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
