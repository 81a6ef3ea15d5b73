"""The options of `asd data crops` and `asd data check`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..config.options import check_folder
from ..config.schemas import App


@dataclass(frozen=True, kw_only=True)
class LabelOptions:
    """Where labels come from.

    Attributes:
        results: Results of asd run or asd batch: a file, a folder that holds some, or a list of
            these. Plain arguments say the same. Their decisions are the labels; or, with a
            dataset, its labels are put to the faces of these results, as for datasets without
            boxes of faces.
        names: Names for the people of results, as report.html saves them: a file, or a folder of
            NAME.json, each called like the folder of its result.
        turns: Who speaks when in results, in place of their decisions: an RTTM file, such as a
            corrected speakers.rttm, or a folder of NAME.rttm.
        plugins: Plugins of a single file, such as [my.py], which are run; their datasets can be
            chosen like all others.
        quiet: The command prints nothing but errors and, where there is one, its final answer.
    """

    results: Any = None
    names: str | None = None
    turns: str | None = None
    plugins: list[str] | None = None
    quiet: bool = False

    def __post_init__(self) -> None:
        for name in ("names", "turns"):
            if getattr(self, name) == "":
                raise ValueError(f"{name} names no file")
        if self.results is not None and not self.files:
            raise ValueError("results must name files or folders")

    @property
    def files(self) -> list[str]:
        """The files and folders that `results` names."""
        given = self.results if isinstance(self.results, list) else [self.results]
        return [str(one) for one in given if one is not None and one != ""]


@dataclass(frozen=True, kw_only=True)
class CropsOptions(LabelOptions):
    """The options of `asd data crops`.

    Attributes:
        output: Folder for the crops. Started again with the same options, the command goes on with
            what is missing there, and with what has other labels or another video now.
        validation_part: Which part of the videos is for validation, from 0 to below 1.
        seed: Which videos these are.
    """

    output: str = "asd_crops"
    validation_part: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_folder(self.output)
        if not 0 <= self.validation_part < 1:
            raise ValueError(
                f"validation_part must be from 0 to below 1, got {self.validation_part}"
            )


@dataclass(frozen=True, kw_only=True)
class CheckOptions(LabelOptions):
    """The options of `asd data check`.

    Attributes:
        output: A file for all that was found as JSON; with it a check of other data can be
            compared with this one.
        other: The output of an earlier check, of the validation data for example: what is in both
            is told.
    """

    output: str | None = None
    other: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_folder(self.output)
        if self.other == "":
            raise ValueError("other names no file")


_ABOUT_CROPS = """\
asd data crops RESULT ...|dataset=NAME [output=FOLDER] [OPTION=VALUE ...]

Cuts the labelled faces out of videos, with their sound, in the form of AVA-ActiveSpeaker that
published trainings read. Labels are a dataset's, or those of results of asd run or asd batch, as
they are or with names and turns that somebody corrected.
"""
CROPS = App("data_crops", CropsOptions, ("dataset",), _ABOUT_CROPS)
_ABOUT_CHECK = """\
asd data check RESULT ...|dataset=NAME [output=FILE] [other=FILE] [OPTION=VALUE ...]

Looks for what breaks trainings: labels that fit no picture, tracks without sound, crops that
cannot be read, the same video twice, in one set or in two. Exit status 1 if something is wrong.
"""
CHECK = App("data_check", CheckOptions, ("dataset",), _ABOUT_CHECK)
