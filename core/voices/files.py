"""Finds the turns of a video in the files of a diarizer."""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from ..errors import InputError
from ..files import expanded, is_litter
from ..named_files import text_of
from ..result import VideoInfo
from ..rttm import file_field, from_picture, is_rttm, merged, read_rttm, turns_of_no_length
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


def check_for_each(given: str | None, videos: Sequence[str]) -> None:
    """Check that turns can be told apart by video, where there may be several.

    Args:
        given: As for `turns_of`.
        videos: The names of the videos, without suffix.

    Raises:
        InputError: A file that is about one video is given for several, one that is about several
            names none of these, or it cannot be read.
    """
    if given is None or not videos:
        return
    check_given(given)
    path = expanded(given)
    if path.is_dir():
        return
    text = text_of(path, WHAT)
    of_one = _is_json(text)
    if not of_one and is_rttm(text):
        found = read_rttm([path], WHAT)
        of_one = len(found) == 1
        if len(found) > 1 and not found.keys() & {file_field(video) for video in videos}:
            raise _of_others(path, f"any of {_listed(videos)}", found)
    if of_one and len(videos) > 1:
        raise InputError(
            f"diarization={given} is about one video, but there are {len(videos)}",
            "Give a folder of files named like the videos, or an RTTM file that names each",
        )


def turns_of(
    given: str | None,
    video: VideoInfo,
    *,
    of_several: bool = False,
    note: Callable[[str], None] = _log.warning,
) -> Mapping[str, Spans] | None:
    """The turns that a diarizer has found in a video.

    Args:
        given: A file; or a folder of files named like the videos, NAME.rttm or NAME.json. An RTTM
            file may hold several videos, each by its name without suffix in the file field; if it
            holds one only, that is taken for this video's whatever its name. None for none. A file
            in which a diarizer has found nobody is of a video in which nobody speaks.
        video: The video.
        of_several: Whether it is one of several that share what is given, of which
            `check_for_each` has found others in an RTTM file. Then nobody speaks in a video that
            the file does not name; for a video by itself that is an error, as the file is likely
            to be another's.
        note: Called with a sentence where nobody speaks.

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
        path = file_of_video(path, video, _SUFFIXES, WHAT)
    text = text_of(path, WHAT)
    voices: Mapping[str, Spans] = {}
    if not text.strip() and path.suffix.lower() == ".rttm":
        note(f"{path} is empty: nobody speaks")
    elif _is_json(text):
        voices = _voices_in_json(text, path, note)
    elif is_rttm(text):
        found = read_rttm([path], WHAT)
        # Where others have its file name, too, it is not known whose turns go by that.
        mine = {file_field(video.name), file_field(video.path.stem)}
        if of_several and len(found) > 1 and not mine & found.keys():
            note(f"{path} says nothing of {video.path.name}: nobody speaks")
        else:
            voices = _of_video(found, path, video)
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


def file_of_video(folder: Path, video: VideoInfo, suffixes: Sequence[str], what: str) -> Path:
    """The file of a folder that is named like a video.

    Args:
        folder: The folder.
        video: The video.
        suffixes: The suffixes that the file may have, in lower case.
        what: What it is, for errors.

    Raises:
        InputError: The folder cannot be read, or holds no such file or several.
    """
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
        if path.suffix.lower() in suffixes and file_field(path.stem) == wanted
    ]
    if len(found) > 1:
        raise InputError(
            f"{folder} holds {found[0].name} and {found[1].name} of one video",
            "Leave one of them there",
        )
    if not found:
        raise InputError(
            f"{folder} holds no {what} of {video.path.name}",
            f"Put {' or '.join(video.name + suffix for suffix in suffixes)} there",
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
    raise _of_others(path, wanted, found)


def _of_others(path: Path, wanted: str, found: Iterable[str]) -> InputError:
    """The error for an RTTM file of other videos than are wanted."""
    known = f"of {_listed(sorted(found))}" if found else "holds no turn at all"
    return InputError(
        f"{path} says nothing of {wanted}, but {known}",
        "The second field of its lines should be the video's name without suffix; an empty .rttm "
        "is of a video in which nobody speaks",
    )


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:3])}{' and others' if len(names) > 3 else ''}"


def _voices_in_json(text: str, path: Path, note: Callable[[str], None]) -> Mapping[str, Spans]:
    spans: dict[str, list[tuple[float, float]]] = defaultdict(list)
    empty = 0
    for start_s, end_s, name in read_turns(text, path):
        if start_s == end_s:
            empty += 1
        else:
            spans[name].append((start_s, end_s))
    if empty:
        _log.warning("%s left out, in %s", turns_of_no_length(empty), path)
    if not spans and not empty:
        note(f"{path} holds no turn: nobody speaks")
    return {name: merged(spans[name]) for name in sorted(spans)}
