"""What `benchmarks.versus` measures: one table of names, clips and commands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

GIVEN = "given"
"""In place of a shape: the clip as it is, not made anew."""
PLACES = ("clip", "bundle", "kept", "output")
"""What stands in braces in a command: the clip; the side's own bundle of LR-ASD; a file that
`prepare` makes; a folder that is not there yet."""

_WRITING = str(Path(__file__).with_name("writing.py"))


@dataclass(frozen=True)
class Measure:
    """Something to measure on both sides.

    Attributes:
        about: What it is, in a line.
        clip: A name of `footage.SHAPES`, or GIVEN.
        old: Arguments for the old side's interpreter, with PLACES in braces.
        new: Those for the new side's, where the same thing is asked for in other words.
        prepare: Arguments of a command to run once before, not measured.
        one_thread: Have libraries use one thread, so that process time is steady.
        own_times: The command measures times itself and prints them as JSON, `process_s` and
            `wall_s`, in its last line; peak memory is that of its process all the same.
    """

    about: str
    clip: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    prepare: tuple[str, ...] = ()
    one_thread: bool = True
    own_times: bool = False


def _run(*options: str) -> tuple[str, ...]:
    return ("-m", "asdkit", "run", "{clip}", *options, "output={output}")


def _both(*options: str) -> dict[str, tuple[str, ...]]:
    return {"old": _run(*options), "new": _run(*options)}


_LR_ASD = ("scorer=lr_asd_onnx", "scorer.weights={bundle}")
_THIRD = ("detector=yunet", "detect_every=3", *_LR_ASD)
_SIX = "scorer.window_seconds=[1,2,3,4,5,6]"
_LEAN = ("writers=[json]", "threads=1")
_MOTION = ("detector=yunet", "scorer=lip_motion", *_LEAN)
_FAST = ("experiment=fast", "scorer.weights={bundle}")

MEASURES = {
    "windows": Measure(
        "720p, yunet on every third frame, lr_asd in ONNX with windows of 1 to 6 s",
        "720p",
        **_both(*_THIRD, _SIX, *_LEAN),
    ),
    "fast": Measure(
        "720p, new: experiment=fast as it is; old: the parts and windows of `windows`",
        "720p",
        old=_run(*_THIRD, _SIX, *_LEAN),
        new=_run(*_FAST, *_LEAN),
    ),
    "1080p": Measure("1080p 30 fps, yunet on every frame, lip_motion", "1080p", **_both(*_MOTION)),
    "4k": Measure("4K, yunet on every frame, lip_motion", "4k", **_both(*_MOTION)),
    "annotated": Measure(
        "writing annotated.mp4 alone, 720p",
        "720p",
        old=("-I", _WRITING, "write", "{kept}", "{output}"),
        new=("-I", _WRITING, "write", "{kept}", "{output}"),
        prepare=("-I", _WRITING, "keep", "{clip}", "{kept}"),
        own_times=True,
    ),
    "default": Measure(
        "720p, all default writers, the libraries' own threads; new: experiment=fast, "
        "old: its parts spelt out",
        "720p",
        old=_run(*_THIRD, _SIX),
        new=_run(*_FAST),
        one_thread=False,
    ),
    "lean": Measure(
        "the clip as it is, yunet, lr_asd in ONNX with windows of 1 and 2 s, JSON only",
        GIVEN,
        **_both("detector=yunet", *_LR_ASD, "scorer.window_seconds=[1,2]", *_LEAN),
    ),
}
