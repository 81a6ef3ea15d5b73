"""Videos with diarization truth in RTTM, the format of NIST's Rich Transcription evaluations."""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from ...core.component import Context
from ...core.errors import InputError
from ...core.files import same_form
from ...core.labels import LabelledVideo, Measure
from ...core.media.probe import probe
from ...core.types import Spans, VideoInfo
from .folders import by_name, check_times, files_in, lines_of, shown, videos_in

_log = logging.getLogger(__name__)
_RTTM = "Lines should be: SPEAKER FILE 1 ONSET DURATION <NA> <NA> NAME <NA> <NA>, in seconds"
_FIELDS = (8, 9, 10)
"""Allowed numbers of fields in a line: confidence and look-ahead may be missing."""
_OTHER_TYPES = {
    *("SEGMENT", "NOSCORE", "NO_RT_METADATA", "LEXEME", "NON-LEX", "NON-SPEECH", "FILLER", "EDIT"),
    *("IP", "SU", "CB", "A/P", "SPKR-INFO"),
}
"""The types of lines in NIST's RTTM besides SPEAKER; they do not say who speaks when."""
_UEM = "Lines should be: FILE 1 START END, in seconds"


@dataclass(frozen=True)
class RttmDatasetConfig:
    """Parameters of the `rttm` dataset.

    Attributes:
        videos: Folder of the videos, or a pattern such as "talks/*.mp4".
        rttm: RTTM file of all videos, or folder of such files.
        uem: UEM file that says which stretches are judged; None judges whole videos.
    """

    videos: str = "???"
    rttm: str = "???"
    uem: str | None = None


class RttmDataset:
    """Videos labelled with who speaks when; see `core.contracts.Dataset`."""

    measure = Measure("diarization_error_rate", higher_is_better=False)

    def __init__(self, config: RttmDatasetConfig) -> None:
        self._config = config

    def videos(self) -> list[LabelledVideo]:
        """The videos, by name."""
        videos = self._found()
        truth = Path(self._config.rttm)
        turns = read_rttm(files_in(truth, ".rttm", "truth") if truth.is_dir() else [truth])
        uem = None if self._config.uem is None else Path(self._config.uem)
        scored = None if uem is None else read_uem(uem)
        labelled = []
        for name, path in videos.items():
            known = _field(name)
            info = probe(path, allow_silent=True).info
            speakers = speakers_of(name, turns, info, truth)
            if scored is not None and known not in scored:
                raise InputError(f"{uem} says nothing of the video {name}", _UEM)
            judged = None if scored is None else from_picture(scored[known], info.start_s)
            labelled.append(LabelledVideo(name, path, speakers=speakers, scored=judged))
        return labelled

    def _found(self) -> dict[str, Path]:
        folder = Path(self._config.videos)
        if folder.is_dir():
            found = videos_in(folder)
        else:
            names = glob(self._config.videos, recursive=True)  # noqa: PTH207 - may be absolute
            found = by_name(map(Path, names))
        if not found:
            raise InputError(
                f"There is no video in {folder}",
                "Give the folder of the videos, or a pattern such as talks/*.mp4",
            )
        return found


def read_rttm(paths: Iterable[Path]) -> dict[str, dict[str, Spans]]:
    """Read RTTM files: by video and speaker name, when this speaker speaks.

    Times are on the clock of the video file, as in asdkit's own RTTM. Comments and lines of other
    types than SPEAKER are ignored; turns of no length are dropped with a warning. Turns of one
    speaker that overlap or touch are merged. Names are normalised (`core.files.same_form`).

    Raises:
        InputError: A file cannot be read, or has an invalid line.
    """
    turns: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    empty = []
    for path in paths:
        for where, words in lines_of(path, "truth"):
            if words[0].startswith(";;") or words[0] in _OTHER_TYPES:
                continue
            if words[0] != "SPEAKER":
                raise _wrong(where, words, f"is of no type of RTTM, {shown(words[0])}", _RTTM)
            if len(words) not in _FIELDS:
                raise _wrong(where, words, f"has {len(words)} fields, not 8 to 10", _RTTM)
            onset, length = _seconds(where, words, words[3:5], _RTTM)
            if length == 0:
                empty.append(where)
                continue
            turns[same_form(words[1])][same_form(words[7])].append((onset, onset + length))
    if empty:
        _log.warning("%d turns of no length are left out, the first in %s", len(empty), empty[0])
    return {
        video: {name: _merged(spans) for name, spans in sorted(speakers.items())}
        for video, speakers in turns.items()
    }


def speakers_of(
    name: str, turns: Mapping[str, Mapping[str, Spans]], video: VideoInfo, truth: Path
) -> dict[str, Spans]:
    """Who speaks when in one video, by name, in seconds from its first picture.

    Args:
        name: The video's name, without suffix.
        turns: The content of RTTM files; see `read_rttm`.
        video: The video.
        truth: What was read, for errors.

    Raises:
        InputError: There is no line about the video, or one lies outside of it.
    """
    if _field(name) not in turns:
        raise InputError(
            f"{truth} says nothing of the video {name}, but {_some(turns)}",
            "Name videos as the lines do, or choose only those that have truth",
        )
    speakers = {
        speaker: from_picture(spans, video.start_s)
        for speaker, spans in turns[_field(name)].items()
    }
    last_s = max((spans[-1][1] for spans in speakers.values() if spans), default=0.0)
    check_times(0, last_s, video.duration_s, truth, f"Check that it is about {video.path}")
    return speakers


def read_uem(path: Path) -> dict[str, Spans]:
    """Read a UEM file: by video name, the spans to evaluate.

    Raises:
        InputError: The file cannot be read, or has an invalid line.
    """
    stretches: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for where, words in lines_of(path, "UEM"):
        if words[0].startswith(";;"):
            continue
        if len(words) != 4:
            raise _wrong(where, words, f"has {len(words)} fields, not 4", _UEM)
        start, end = _seconds(where, words, words[2:4], _UEM)
        if end <= start:
            raise _wrong(where, words, "ends before it begins", _UEM)
        stretches[same_form(words[0])].append((start, end))
    return {video: _merged(spans) for video, spans in stretches.items()}


def _seconds(where: str, words: list[str], texts: list[str], form: str) -> list[float]:
    found = []
    for text in texts:
        try:
            found.append(float(text))
        except ValueError:
            found.append(math.nan)
        if not 0 <= found[-1] < math.inf:
            raise _wrong(where, words, f"has {shown(text)} where seconds from 0 on belong", form)
    return found


def _wrong(where: str, words: list[str], why: str, form: str) -> InputError:
    return InputError(f"{where} {why}: {shown(' '.join(words))}", form)


def from_picture(spans: Spans, start_s: float) -> Spans:
    """Convert spans on the clock of a file to seconds from its first picture; drop earlier parts.

    Args:
        spans: The spans, on the clock of the file.
        start_s: When the first picture is shown, on the clock of the file.
    """
    shifted = ((max(start - start_s, 0.0), end - start_s) for start, end in spans)
    return tuple((start, end) for start, end in shifted if end > 0)


def _field(name: str) -> str:
    """A video's name as a field of RTTM, where white space separates fields."""
    return same_form("_".join(name.split()))


def _merged(spans: list[tuple[float, float]]) -> Spans:
    """Sort spans, and merge those that overlap or touch."""
    merged: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _some(turns: Mapping[str, object]) -> str:
    """Name a few of the labelled videos, for an error."""
    if not turns:
        return "holds no line at all"
    names = sorted(turns)
    return f"of {', '.join(names[:3])}{' and others' if names[3:] else ''}"


def build(config: RttmDatasetConfig, context: Context) -> RttmDataset:
    """Build the dataset."""
    return RttmDataset(config)
