"""What the doctor finds, one thing at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "lacking", "broken"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        part: What it belongs to: "system", "packages", "extras", "plugins", "weights", "GPU",
            "codecs", "folders" or "speed".
        name: What was looked at, such as "numpy".
        said: What was found, in a few words.
        state: "ok"; "lacking" if asdkit works without it, with less; "broken" if it is needed.
        remedy: What to do about it, in words that can be typed; empty if nothing need be done.
        ms_per_frame: Of what was measured: milliseconds for each 25 fps frame; else None.
    """

    part: str
    name: str
    said: str
    state: State = "ok"
    remedy: str = ""
    ms_per_frame: float | None = None
