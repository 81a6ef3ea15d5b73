"""Small labelled videos: AVA's CSV beside two videos, and results made by hand."""

from __future__ import annotations

from pathlib import Path

import by_hand
import numpy as np
from synth import write_video

from asdkit.core.result import Result

HEAD = (
    "video_id,frame_timestamp,entity_box_x1,entity_box_y1,entity_box_x2,entity_box_y2,"
    "label,entity_id"
)
SAYS = {True: "SPEAKING_AUDIBLE", False: "NOT_SPEAKING"}
BOXES = {"ann": (0.125, 0.25, 0.375, 0.75), "bob": (0.5, 0.25, 0.75, 0.75)}


def speech(seed: int, seconds: float = 2.0) -> np.ndarray:
    """(n,) int16 at 44100 a second: noise whose loudness rises and falls, another for each seed."""
    rng = np.random.default_rng(seed)
    loud = np.repeat(rng.uniform(0.01, 1, round(seconds * 10)), 4410)
    return (rng.normal(0, 4000, len(loud)) * loud).astype(np.int16)


def moving(seed: int):
    """An image for `write_video`: smooth noise of this seed, in motion."""

    def image(number: int, width: int, height: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        fields = rng.integers(30, 220, (8, 24)).astype(np.uint8)
        coarse = np.kron(fields, np.ones((8, 8), np.uint8))
        return np.repeat(coarse[:height, number : number + width, None], 3, axis=2)

    return image


def talk(path: Path, seed: int, **how) -> Path:
    """A video of 50 frames with pictures and sound of this seed."""
    how = {"image": moving(seed), "sounds": [(0.0, speech(seed))], **how}
    return write_video(path, **how)


def speaks(face: str, frame: int) -> bool:
    """Who speaks when: they change every 10 frames."""
    return (frame // 10) % 2 == (face == "ann")


def rows(video: str, faces=("ann", "bob"), frames=range(5, 45), fps: float = 25.0) -> list[str]:
    """Lines of AVA's CSV about faces of a video."""
    return [
        f"{video},{frame / fps:.2f},{','.join(map(str, BOXES[face]))},"
        f"{SAYS[speaks(face, frame)]},{face}"
        for frame in frames
        for face in faces
    ]


def write_truth(path: str, *lines: str) -> str:
    Path(path).write_text("\n".join((HEAD, *lines)) + "\n")
    return path


def result(folder: str, video: str) -> Result:
    """A result of ann's and bob's places; track_0 speaks from 0.4 to 0.8 s."""
    boxes = np.array([[12, 16, 36, 48], [48, 16, 72, 48]], float)
    tracks = [
        by_hand.track(0, 0, np.tile(boxes[0], (50, 1)), speaking=[(0.4, 0.8)]),
        by_hand.track(1, 0, np.tile(boxes[1], (50, 1))),
    ]
    found = by_hand.result(*tracks, path=Path(video).absolute(), duration_s=2.0)
    Path(folder).mkdir(parents=True)
    found.save(folder)
    return found
