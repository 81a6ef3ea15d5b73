"""Measures how long each stage takes on this machine, on a clip that is made on the spot."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from time import perf_counter

import numpy as np

from ..analysis.answers import asked
from ..component import Component, Context
from ..config.chosen import choose
from ..config.compose import compose_run
from ..config.plan import make_plan
from ..errors import AsdError
from ..known_faces import Boxes
from ..lacking import OWN, lack_of
from ..media.encode import Mp4Writer
from ..media.soundtrack import sound_of_samples
from ..pipeline import execute
from ..registry import registry
from ..types import FACE_SIZE_PX, GRID_FPS, SAMPLES_PER_FRAME, Clip, UInt8
from ..weights import without_downloads
from .finding import Finding

_HEIGHT_PX, _WIDTH_PX = 360, 640
_FRAMES = 100
_BATCH = 8
"""Frames that a detector is given at once, as by default in a run."""
_SHOWN = ("decode", "track", "crop", "write")
"""The stages that are taken from a run; detectors and scorers are measured by themselves."""
_OVERRIDES = ("scorer=lip_motion", "detector=boxes", "detector.path=none", "vad=none")
_WRITERS = "writers=[json,annotated]"


def speed() -> Iterator[Finding]:
    """The milliseconds for each frame of every stage, with all of asdkit's that is installed.

    The clip is 4 s of 640x360 with the face of nobody, a pattern in motion: detectors that look
    longer at what might be a face need more time for real videos.
    """
    rng = np.random.default_rng(0)
    pictures = _pictures(rng)
    sound = rng.normal(0, 3000, _FRAMES * SAMPLES_PER_FRAME).astype(np.int16)
    try:
        yield from _of_a_run(pictures, sound)
    except (AsdError, OSError) as error:
        yield Finding("speed", "run", f"a run fails: {error}", "broken", "mend what it says")
    faces = np.ascontiguousarray(pictures[:, :FACE_SIZE_PX, :FACE_SIZE_PX, 0])
    clip, short = Clip(faces, sound), Clip(faces[:_BATCH], sound[: _BATCH * SAMPLES_PER_FRAME])
    frames = pictures[: 3 * _BATCH]
    for component in _measurable("detector"):

        def detect(part: object, frames: UInt8 = frames) -> int:
            for first in range(0, len(frames), _BATCH):
                part.detect(frames[first : first + _BATCH], list(range(first, first + _BATCH)))  # type: ignore[attr-defined]
            return len(frames)

        yield _measured("detect", component, lambda part: detect(part, frames[:_BATCH]), detect)
    for component in _measurable("scorer"):
        yield _measured(
            "score",
            component,
            lambda part: len(part.score([short])),  # type: ignore[attr-defined]
            lambda part: len(part.score([clip])[0]),  # type: ignore[attr-defined]
        )


def _of_a_run(pictures: UInt8, sound: np.ndarray) -> Iterator[Finding]:
    """The stages of a run with a face in the middle, and without a network."""
    with tempfile.TemporaryDirectory(prefix="asd_doctor_") as aside:
        path = Path(aside, "clip.mp4")
        with Mp4Writer(path, GRID_FPS, sound=sound_of_samples(sound)) as video:
            for k, picture in enumerate(pictures):
                video.add(picture, Fraction(k, GRID_FPS), Fraction(k + 1, GRID_FPS))
        words = [*_OVERRIDES, _WRITERS, f"output='{aside}/out'"]
        box = np.array([[240.0, 100.0, 400.0, 260.0]])
        boxes = Boxes(np.arange(_FRAMES), np.repeat(box, _FRAMES, 0))
        result = execute(make_plan(compose_run(words, str(path))), boxes=boxes)
    for stage in _SHOWN:
        if stage in result.timings_s:
            name = f"{stage} (json, annotated)" if stage == "write" else stage
            yield _took(name, result.timings_s[stage], _FRAMES)


def _measurable(kind: str) -> list[Component]:
    """The components of asdkit, of a kind, that lack nothing and need no parameter."""
    return [
        one
        for one in registry().of_kind(kind)
        if registry().providers[kind, one.name].name == OWN
        and not str(lack_of(one, OWN))
        and not any(entry.default == "???" or _must_be_given(entry) for entry in _fields(one))
    ]


def _fields(component: Component) -> tuple[dataclasses.Field[object], ...]:
    return dataclasses.fields(component.config)


def _must_be_given(entry: dataclasses.Field[object]) -> bool:
    return entry.default is entry.default_factory is dataclasses.MISSING


def _measured(
    stage: str,
    component: Component,
    warm: Callable[[object], int],
    work: Callable[[object], int],
) -> Finding:
    """How long a component takes for a frame, after it has been warmed up.

    Args:
        stage: What it does, such as "detect".
        component: The component.
        warm: Has it do a little, which takes longer the first time.
        work: Has it do what is timed; returns for how many frames.
    """
    name = f"{stage}, {component.name}"
    try:
        with without_downloads(), asked(registry().in_words(component)):
            part = choose(component.kind, {"name": component.name}).build(Context())
            warm(part)
            begin = perf_counter()
            frames = work(part)
            return _took(name, perf_counter() - begin, frames, getattr(part, "device", ""))
    except AsdError as error:
        return Finding("speed", name, f"not measured: {error}", "lacking")


def _took(name: str, spent_s: float, frames: int, device: str = "") -> Finding:
    ms = 1000 * spent_s / frames
    where = f" on {device}" if device else ""
    return Finding("speed", name, f"{ms:.1f} ms a frame{where}", ms_per_frame=round(ms, 3))


def _pictures(rng: np.random.Generator) -> UInt8:
    """(n, 360, 640, 3) uint8 RGB: a smooth pattern that moves by a pixel a frame."""
    import cv2

    coarse = rng.integers(0, 256, (12, 24, 3), dtype=np.uint8)
    whole = cv2.resize(coarse, (_WIDTH_PX + _FRAMES, _HEIGHT_PX), interpolation=cv2.INTER_CUBIC)
    return np.stack([whole[:, k : k + _WIDTH_PX] for k in range(_FRAMES)]).astype(np.uint8)
