"""Results of asdkit as labels, with what their reader has corrected: names and turns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from ..arrays import within
from ..errors import InputError
from ..files import expanded, is_litter, same_form
from ..names_file import read_names
from ..result import Result
from ..results import FILE
from ..rttm import file_field, from_picture, read_rttm
from ..types import GRID_FPS, OFF_SCREEN, Spans
from .labelled import FaceLabels, Labels


def results_in(given: list[str]) -> dict[str, Path]:
    """By name of their folder: the results in files and folders.

    Args:
        given: Each a result.json, or a folder that holds some, however deep: of a run, of a batch.

    Raises:
        InputError: There is no such file, a folder holds no result, or two have one name.
    """
    found: dict[str, Path] = {}
    for word in given:
        path = expanded(word)
        files = sorted(path.rglob(FILE)) if path.is_dir() else [path]
        files = [file for file in files if not any(map(is_litter, file.relative_to(path).parents))]
        if not files or not files[0].is_file():
            raise InputError(
                f"{word} is no {FILE}, and no folder that holds one",
                "Name a folder that asd run or asd batch wrote",
            )
        for file in files:
            name = same_form(file.resolve().parent.name)
            if found.setdefault(name, file).resolve() != file.resolve():
                raise InputError(
                    f"Two results have the name {name}: {found[name]} and {file}",
                    "Rename the folder of one of them",
                )
    return found


def check_own_files(given: str | None, results: Iterable[str], suffix: str) -> None:
    """Check that a folder that a user named has a file for one of the results at least.

    Results without such a file stay as they are, so a folder that is about none of them would
    change nothing.

    Args:
        given: See `own_file`.
        results: The names of all results.
        suffix: See `own_file`.

    Raises:
        InputError: It has not.
    """
    names = sorted(results)
    if given is None or not expanded(given).is_dir():
        return
    if not any(own_file(given, name, suffix) for name in names):
        shown = ", ".join(f"{name}{suffix}" for name in names[:3])
        raise InputError(
            f"The folder {given} has a file for none of the {len(names)} results",
            f"Each should be called like the folder of its result: {shown}",
        )


def own_file(given: str | None, name: str, suffix: str) -> Path | None:
    """The file that is about one result, of a file or a folder that a user named.

    Args:
        given: The file or folder; None for nothing.
        name: The name of the result.
        suffix: The suffix of such files.

    Returns:
        NAME with the suffix, if a folder was named and has it; else None.
    """
    if given is None:
        return None
    path = expanded(given)
    if not path.is_dir():
        return path
    own = path / f"{name}{suffix}"
    return own if own.exists() else None


def corrected_turns(path: Path, result: Result) -> dict[str, Spans]:
    """By name of tracks: when they speak, as an RTTM file says, from the first picture.

    Args:
        path: The file, such as a speakers.rttm that somebody corrected. White space in names is
            `_` there. Names of nobody who is seen are passed over.
        result: The result, with the names that the file uses.

    Raises:
        InputError: The file cannot be read, or says nothing of the video, or names nobody who is
            seen.
    """
    of_videos = read_rttm([path], "turns")
    name = file_field(result.video.name)
    if name not in of_videos:
        there = ", ".join(sorted(of_videos)[:3]) or "no video"
        raise InputError(
            f"{path} says nothing of the video {name}, but of {there}",
            "The second word of each line should be the name of the video",
        )
    turns = of_videos[name]
    seen = {file_field(track.name): track.name for track in result.tracks}
    if seen and not set(turns) & set(seen):
        raise InputError(
            f"{path} has turns of {', '.join(sorted(turns)[:5])}, whom nobody sees in {name}",
            f"Those who are seen are {', '.join(sorted(seen)[:5])}; name them as the file does, "
            "with names=FILE",
        )
    return {
        track: from_picture(turns.get(field, ()), result.video.start_s)
        for field, track in seen.items()
        if field != OFF_SCREEN
    }


def labels_of_result(result: Result, turns: Mapping[str, Spans] | None) -> Labels:
    """The decisions of a result as labels: one for each frame of each track.

    Args:
        result: The result.
        turns: By name of tracks: when they speak, in place of the decisions.
    """
    faces = []
    for track in result.tracks:
        speaks = track.speaking_frames
        if turns is not None:
            said = turns.get(track.name, ())
            speaks = within(said, track.first_frame, len(track), GRID_FPS)
        times = np.array(track.frames, np.float64) / GRID_FPS
        faces.append(FaceLabels(track.name, times, speaks, track.boxes))
    faces.sort(key=lambda face: (face.person, face.time_s[0]))
    return Labels(tuple(faces), of_result=True)


def read_result(path: Path, names: Path | None) -> Result:
    """A result, with the names that a file gives.

    Raises:
        AsdError: One of the files cannot be used.
    """
    result = Result.load(path)
    return result if names is None else result.renamed(read_names(names))
