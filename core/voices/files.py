"""Finds the turns of a video in the files of a diarizer."""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from ..errors import InputError
from ..files import expanded, is_litter
from ..named_files import text_of
from ..result import VideoInfo
from ..rttm import file_field, from_picture, is_rttm, merged, read_rttm
from ..types import Spans
from .transcripts import read_turns

WHAT = "diarization"
_SUFFIXES = (".rttm", ".json")
_LATE_S = 0.5
"""A turn that begins so long after the end of the picture is not of this video."""
_log = logging.getLogger(__name__)


def check_given(given: str) -> None:
    """Check that a file or folder of turns is there.

    Raises:
        InputError: It is not.
    """
    if not os.path.exists(expanded(given)):  # noqa: PTH110 - False if there can be no such name
        raise InputError(
            f"diarization={given}: there is no such file or folder",
            "Give the file of a diarizer, or a folder of files named like the videos",
        )


def check_for_each(given: str | None, videos: int) -> None:
    """Check that turns can be told apart by video, where there are several.

    Args:
        given: As for `turns_of`.
        videos: The number of videos.

    Raises:
        InputError: A file that is about one video is given for several, or it cannot be read.
    """
    if given is None or videos < 2:
        return
    check_given(given)
    path = expanded(given)
    if path.is_dir():
        return
    text = text_of(path, WHAT)
    if not _is_json(text) and not (is_rttm(text) and len(read_rttm([path], WHAT)) == 1):
        return
    raise InputError(
        f"diarization={given} is about one video, but there are {videos}",
        "Give a folder of files named like the videos, or an RTTM file that names each",
    )


def turns_of(given: str | None, video: VideoInfo) -> Mapping[str, Spans] | None:
    """The turns that a diarizer has found in a video.

    Args:
        given: A file; or a folder of files named like the videos, NAME.rttm or NAME.json. An RTTM
            file may hold several videos, each by its name without suffix in the file field; if it
            holds one only, that is taken for this video's whatever its name. None for none.
        video: The video.

    Returns:
        By name of the voice: its turns in seconds from the start of the picture; what comes before
        it is left out. None if nothing is given.

    Raises:
        InputError: A file is not there, cannot be read or is no diarization, says nothing of this
            video, or has a turn that begins half a second after its end or later.
    """
    if given is None:
        return None
    check_given(given)
    path = expanded(given)
    if path.is_dir():
        path = _in_folder(path, video)
    text = text_of(path, WHAT)
    voices: Mapping[str, Spans] = {}
    if not text.strip() and path.suffix.lower() == ".rttm":
        _log.warning("%s is empty: nobody speaks", path)
    elif _is_json(text):
        voices = _voices_in_json(text, path)
    elif is_rttm(text):
        voices = _of_video(read_rttm([path], WHAT), path, video)
    else:
        raise InputError(
            f"{path} is no diarization that is known here",
            "Give RTTM (pyannote, NeMo), or the JSON of whisperX or pyannote",
        )
    for name, spans in voices.items():
        late_s = spans[-1][0] - video.start_s
        if late_s >= video.duration_s + _LATE_S:
            raise InputError(
                f"{path} has a turn of {name} that begins {late_s:.2f} s after the first picture "
                f"of {video.path.name}, which lasts {video.duration_s:.2f} s",
                "Check that the file is about this video, and that its times are seconds",
            )
    return {name: from_picture(spans, video.start_s) for name, spans in voices.items()}


def moved(turns: Mapping[str, Spans] | None, by_s: float) -> Mapping[str, Spans] | None:
    """Turns moved to an earlier time by so many seconds, as their sound is; None for none.

    Args:
        turns: By name of the voice: its turns in seconds from the start of the picture.
        by_s: By how much; negative moves them to a later time. What comes to lie before the
            picture is left out.
    """
    if turns is None:
        return None
    return {name: from_picture(spans, by_s) for name, spans in turns.items()}


def _is_json(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[")


def _in_folder(folder: Path, video: VideoInfo) -> Path:
    """The file of a folder that is named like a video."""
    wanted = file_field(video.name)
    try:
        entries = sorted(path for path in folder.iterdir() if not is_litter(path))
    except OSError as error:
        raise InputError(
            f"Cannot read the folder {folder}: {error.strerror or error}",
            "Check its name and its permissions",
        ) from error
    found = [
        path
        for path in entries
        if path.suffix.lower() in _SUFFIXES and file_field(path.stem) == wanted
    ]
    if len(found) > 1:
        raise InputError(
            f"{folder} holds {found[0].name} and {found[1].name} of one video",
            "Leave one of them there",
        )
    if not found:
        raise InputError(
            f"{folder} holds no {WHAT} of {video.path.name}",
            f"Put {video.name}.rttm or {video.name}.json there",
        )
    return found[0]


def _of_video(
    found: Mapping[str, Mapping[str, Spans]], path: Path, video: VideoInfo
) -> Mapping[str, Spans]:
    """The turns of one video among those of an RTTM file."""
    wanted = file_field(video.name)
    if wanted in found:
        return found[wanted]
    if len(found) == 1:
        return next(iter(found.values()))
    known = f"of {', '.join(sorted(found)[:3])}{' and others' if len(found) > 3 else ''}"
    raise InputError(
        f"{path} says nothing of {wanted}, but {known if found else 'holds no turn at all'}",
        "The second field of its lines should be the video's name without suffix",
    )


def _voices_in_json(text: str, path: Path) -> Mapping[str, Spans]:
    spans: dict[str, list[tuple[float, float]]] = defaultdict(list)
    empty = 0
    for start_s, end_s, name in read_turns(text, path):
        if start_s == end_s:
            empty += 1
        else:
            spans[name].append((start_s, end_s))
    if empty:
        _log.warning("%d turns of no length in %s are left out", empty, path)
    return {name: merged(spans[name]) for name in sorted(spans)}
