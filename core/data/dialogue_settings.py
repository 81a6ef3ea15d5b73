"""The options of `asd data dialogues`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ..config.options import check_folder
from ..config.schemas import App
from .dialogue_plan import BLOCK


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What each dialogue should be like.

    Attributes:
        people: How many are in the picture at once; as many others may be heard.
        shots: How many shots; they differ in who is shown.
        seconds: Length of a video.
        overlap: Of every four turns so many, 0 to 3, begin before the last one ends.
        off_screen: Of every four turns so many, 0 to 4, are of somebody who is not shown.
        snr_db: How much louder speech is than the white noise around it, in dB; faint noise, 40 dB
            below speech, if not given.
        offset_s: How late the sound is, in seconds; below 0 it is early. Labels of faces are those
            of the lips, labels of voices those of the sound.
        height: Height in pixels of each person's picture; that of the clips if not given.
        fps: Frames a second of the video. Labels have 25 a second all the same.
    """

    people: int = 3
    shots: int = 1
    seconds: float = 20.0
    overlap: int = 1
    off_screen: int = 1
    snr_db: float | None = None
    offset_s: float = 0.0
    height: int | None = None
    fps: float = 25.0

    def __post_init__(self) -> None:
        for name in ("people", "shots"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 < self.seconds < math.inf:
            raise ValueError(f"seconds must be above 0, got {self.seconds}")
        for name, most in (("overlap", BLOCK - 1), ("off_screen", BLOCK)):
            if not 0 <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be from 0 to {most}, got {getattr(self, name)}")
        if self.snr_db is not None and not -60 <= self.snr_db <= 100:
            raise ValueError(f"snr_db must be from -60 to 100, got {self.snr_db}")
        if not abs(self.offset_s) < self.seconds:
            raise ValueError(f"offset_s must be shorter than the video, got {self.offset_s}")
        if self.height is not None and not 16 <= self.height <= 4320:
            raise ValueError(f"height must be from 16 to 4320, got {self.height}")
        if not 1 <= self.fps <= 240:
            raise ValueError(f"fps must be from 1 to 240, got {self.fps}")


@dataclass(frozen=True, kw_only=True)
class DialoguesOptions(Wanted):
    """The options of `asd data dialogues`.

    Attributes:
        clips: Folder of videos with one person each, who says something, with silence around it.
            Those in a folder of their own are of one person; each other one is of another person.
        output: Folder for the dialogues. Started again with the same options, the command makes
            those that are missing.
        number: How many dialogues; each has a seed of its own.
        seed: That of the first one; the next has the next.
        validation_speakers: Whose clips are for validation alone: a list of names, or how many,
            drawn by the seed. Dialogues of the others are in the folder train, then, and theirs in
            the folder validation.
        validation_number: How many dialogues are for validation, then.
        quiet: The command prints nothing but errors and, where there is one, its final answer.
    """

    clips: str
    output: str = "asd_dialogues"
    number: int = 1
    seed: int = 0
    validation_speakers: Any = None
    validation_number: int = 1
    quiet: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_folder(self.output)
        for name in ("number", "validation_number"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.seed < 0:
            raise ValueError(f"seed must be at least 0, got {self.seed}")
        given = self.validation_speakers
        is_count = isinstance(given, int) and not isinstance(given, bool) and given > 0
        names = isinstance(given, list) and given and all(isinstance(one, str) for one in given)
        if not (given is None or is_count or names):
            raise ValueError(
                f"validation_speakers must be names, as in [ann,bob], or how many, got {given!r}"
            )


_ABOUT = """\
asd data dialogues clips=FOLDER [output=FOLDER] [OPTION=VALUE ...]

Makes synthetic dialogues out of clips of single people: side by side, they speak in turn, at once,
or without being seen, and who speaks when is known for each frame. They are no conversations:
nobody reacts to anybody, so figures on them do not carry over to real talk.
"""
DIALOGUES = App("data_dialogues", DialoguesOptions, (), _ABOUT)
