"""Videos with diarization truth in RTTM, the format of NIST's Rich Transcription evaluations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from ...core.component import Context
from ...core.errors import InputError
from ...core.files import same_form
from ...core.labels import LabelledVideo, Measure
from ...core.media.probe import probe
from ...core.named_files import lines_of
from ...core.result import VideoInfo
from ...core.rttm import file_field, from_picture, merged, read_rttm, seconds, wrong
from ...core.types import Spans
from .folders import by_name, check_times, files_in, videos_in

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
            known = file_field(name)
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
    if file_field(name) not in turns:
        raise InputError(
            f"{truth} says nothing of the video {name}, but {_some(turns)}",
            "Name videos as the lines do, or choose only those that have truth",
        )
    speakers = {
        speaker: from_picture(spans, video.start_s)
        for speaker, spans in turns[file_field(name)].items()
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
            raise wrong(where, words, f"has {len(words)} fields, not 4", _UEM)
        start, end = seconds(where, words, words[2:4], _UEM)
        if end <= start:
            raise wrong(where, words, "ends before it begins", _UEM)
        stretches[same_form(words[0])].append((start, end))
    return {video: merged(spans) for video, spans in stretches.items()}


def _some(turns: Mapping[str, object]) -> str:
    """Name a few of the labelled videos, for an error."""
    if not turns:
        return "holds no line at all"
    names = sorted(turns)
    return f"of {', '.join(names[:3])}{' and others' if names[3:] else ''}"


def build(config: RttmDatasetConfig, context: Context) -> RttmDataset:
    """Build the dataset."""
    return RttmDataset(config)
