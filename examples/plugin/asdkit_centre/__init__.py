"""A plugin for asdkit: a detector, a scorer, a writer, and a preset that takes all."""

from __future__ import annotations

from pathlib import Path

import asdkit

from . import detector, scorer, writer


@asdkit.hookimpl
def asdkit_components() -> list[asdkit.Component]:
    """Tell asdkit what this package adds, and by which names it is chosen."""
    return [
        asdkit.Component(
            kind="detector",
            name="centre",
            config=detector.MiddleConfig,
            build=detector.build,
            about="one face, in the middle of the picture",
        ),
        asdkit.Component(
            kind="scorer",
            name="centre",
            config=scorer.LoudnessConfig,
            build=scorer.build,
            about="who is seen speaks whenever it is loud",
        ),
        asdkit.Component(
            kind="writer",
            name="centre",
            config=writer.CsvConfig,
            build=writer.build,
            files=(writer.FILE,),
            about="who speaks from when to when, for spreadsheets",
        ),
    ]


@asdkit.hookimpl
def asdkit_presets() -> Path:
    """Tell asdkit where this package keeps its presets."""
    return Path(__file__).parent / "conf"
