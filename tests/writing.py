"""Results with people of all kinds, and what the writers make of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from by_hand import result, track

from asdkit.core.component import Context
from asdkit.core.result import Result
from asdkit.plugins.writers import asdkit_components

WRITERS = {component.name: component for component in asdkit_components()}
HOSTILE = {
    "Ann <A> & B": "Ann <A> & B",
    'the "best"': 'the "best"',
    "two\nlines\r\nand\tmore": "two lines and more",
    "bell\x07 \x1b[31m": "bell\ufffd \ufffd[31m",
    "no\ufffetext\uffff": "no\ufffdtext\ufffd",
    "caf\udce9": "caf\ufffd",
    "\u05d0\u05b7\u05d1\u05d9 \u202eabc": "\u05d0\u05b7\u05d1\u05d9 \u202eabc",
    "\U0001f3ac \U0001f468\u200d\U0001f469": "\U0001f3ac \U0001f468\u200d\U0001f469",
    "]]>": "]]>",
    "\\": "\\",
    "1": "1",
}
"""Names, and how they are shown."""


def written(name: str, what: Result, folder: Path, **parameters: Any) -> Path:
    """The one file that a writer writes."""
    component = WRITERS[name]
    (path,) = component.build(component.config(**parameters), Context()).write(what, folder)
    assert path == folder / component.files[0]
    return path


def talk(*, fps: float = 25.0, start_s: float = 0.0) -> Result:
    """Ann in two shots, a face without a name that speaks, one that does not, and who is unseen."""
    boxes = np.tile([10.0, 20.0, 30.0, 50.0], (50, 1))
    found = result(
        track(0, 0, boxes, identity="Ann", speaking=((0.2, 1.0), (1.32, 2.0))),
        track(1, 10, boxes, 2.5, speaking=((0.48, 0.84),)),
        track(2, 20, boxes),
        track(3, 100, boxes, identity="Ann", speaking=((4.04, 5.96),)),
        track(4, 100, boxes, identity="Bob"),
        shots=((0, 100), (100, 250)),
        speech=((0.0, 9.0),),
        off_screen=((6.5, 7.3), (8.0, 9.96)),
    )
    return replace(found, video=replace(found.video, fps=fps, start_s=start_s))


TALK = {
    "Ann": [(0.2, 1.0), (1.32, 2.0), (4.04, 5.96)],
    "Track 1": [(0.48, 0.84)],
    "Bob": [],
    "Off screen": [(6.5, 7.3), (8.0, 9.96)],
}
"""The turns of `talk` by who has a tier, in the order of tiers."""


def hostile() -> Result:
    """Somebody of each hostile name, who speaks for half a second at their number."""
    boxes = np.tile([10.0, 20.0, 30.0, 50.0], (5, 1))
    tracks = [
        track(number, number, boxes, identity=name, speaking=((number, number + 0.5),))
        for number, name in enumerate(HOSTILE)
    ]
    return result(*tracks, path='a "b" & <c>\udce9 #50%.mp4', duration_s=len(HOSTILE))
