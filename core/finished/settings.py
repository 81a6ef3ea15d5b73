"""The options of `asd write`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..config.plan import writers_of
from ..config.schemas import App, names
from ..config.words import words_of as in_words
from ..decisions.conversation import ConversationConfig
from ..decisions.segments import SegmentsConfig, SpeechConfig
from ..decisions.turns import DECISIONS, INDEPENDENT
from ..result import KEPT

DECIDING = ("segments", "speech", "conversation", "decisions", "calibration")
"""The options that decide anew who speaks."""


@dataclass(frozen=True, kw_only=True)
class WriteOptions:
    """The options of `asd write` that belong to no writer.

    Attributes:
        output: Folder for the files; that of the result if not given.
        overwrite: Replace files of the same names that are in that folder.
        video: Where the video is now, if it was moved.
        names: A file that gives people and voices names, as report.html saves it:
            {"schema":"asdkit.names/1","names":{"track_0":"Anna"}}.
        quiet: The command prints nothing but errors and the files.
        decisions: As of asd run. Like all options from here on it decides anew who speaks when,
            without running any model; those that are not given are the result's own.
        calibration: In place of the one that was applied: a file of asd calibrate, or null for
            none; kept leaves the probabilities as they are.
        segments: When a face counts as speaking.
        speech: When the sound counts as speech, if there was voice activity detection.
        conversation: How people take turns, for decisions=exclusive and overlap.
    """

    output: str | None = None
    overwrite: bool = False
    video: str | None = None
    names: str | None = None
    quiet: bool = False
    decisions: str = INDEPENDENT
    calibration: str | None = KEPT
    segments: SegmentsConfig = field(default_factory=SegmentsConfig)
    speech: SpeechConfig = field(default_factory=SpeechConfig)
    conversation: ConversationConfig = field(default_factory=ConversationConfig)

    def __post_init__(self) -> None:
        for name in ("video", "names"):
            if getattr(self, name) == "":
                raise ValueError(f"{name} names no file")


_ABOUT = """\
asd write RESULT [writers=[NAME,...]] [OPTION=VALUE ...]

Writes files of a result that is there already: RESULT is a result.json, or the folder of a run. No
model is run; the video is read by writers that show it. Without writers it is the files of the run
that are written. They appear together, when all are whole, beside the result or in output=FOLDER,
where other files stay as they are.
"""
WRITE = App("write", WriteOptions, (), _ABOUT, writers=True, experiments=False)


def words_of(settings: Mapping[str, Any]) -> list[str]:
    """The decisions of a run as overrides, by its settings, where they are not the defaults."""
    words = []
    if settings.get("decisions", INDEPENDENT) in DECISIONS[1:]:
        words.append(f"decisions={settings['decisions']}")
    for key, form in (
        ("segments", SegmentsConfig),
        ("speech", SpeechConfig),
        ("conversation", ConversationConfig),
    ):
        given = settings.get(key)
        values = given if isinstance(given, Mapping) else {}
        for name in names(form):
            value = values.get(name)
            if isinstance(value, int | float) and value != getattr(form, name):
                words.append(f"{key}.{name}={value}")
    return words


def words_of_writers(settings: Mapping[str, Any]) -> list[str]:
    """The writers of a run as overrides, by its settings, with their parameters.

    Raises:
        ConfigError: The settings are not of this version of asdkit.
        PluginError: There is no such writer any more.
    """
    nodes = settings.get("writers", {})
    return in_words({"writers": nodes}) if writers_of({"writers": nodes}) else []
