"""Flags that people know from elsewhere, each with the words that say the same here."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_type_hints

from ..errors import ConfigError
from ..media.formats import VIDEO_SUFFIXES
from .overrides import is_override

_SHORT = {"o": "output", "q": "quiet"}
"""Short flags that many programs have, and the option that means the same."""
_SCRIPT: Mapping[str, tuple[str, ...]] = {
    "pathToScenes": ("cutter=csv", "cutter.path={}"),
    "audioFilePath": ("sound={}",),
    "pretrainModel": ("scorer.weights={}",),
    "nDataLoaderThread": ("threads={}",),
    "facedetScale": ("detector=s3fd_reference", "detector.reference_scale={}"),
    "minTrack": ("tracker.min_track_detections={}",),
    "numFailedDet": ("tracker.max_gap_frames={}",),
    "minFaceSize": ("tracker.min_face_px={}",),
    "cropScale": ("crop_scale={}",),
    "visualisation": ("'writers=[pywork,annotated]'",),
}
"""Flags of TalkNet-ASD scripts that have a counterpart each; see docs/migrating.md."""
_TOGETHER = ("videoName", "videoFolder", "start", "duration", "evalCol", "colSavePath")
"""Flags of these scripts of which two say together what one word says here."""
_WITHOUT_VALUE = ("evalCol", "visualisation")
_TRUTHS = ("true", "false", "yes", "no", "on", "off", "1", "0")
_PLAIN = re.compile(r"[\w./:+-]+", re.ASCII)


@dataclass(frozen=True)
class _Flag:
    """A flag as it was typed.

    Attributes:
        name: Its name without dashes, as options are written.
        value: Its value; None if none was typed.
        typed: The words it consists of.
    """

    name: str
    value: str | None
    typed: tuple[str, ...]


def as_written_here(
    words: Sequence[str], flags: Collection[str], keys: Collection[str]
) -> ConfigError | None:
    """The error that names the right words for the flags among the arguments.

    Args:
        words: The arguments.
        flags: The flags that there are.
        keys: The options that there are, which have no dashes.

    Returns:
        The error; None if the first flag that does not exist means nothing here.
    """
    found = [flag for flag in _flags(words, flags) if _is_known(flag.name, keys)]
    first = next(_flags(words, flags), None)
    if not found or found[0] != first:
        return None
    right = list(_right(found, words, keys))
    typed = shlex.join(word for flag in found for word in flag.typed)
    scripts = any(flag.name in (*_SCRIPT, *_TOGETHER) for flag in found)
    return ConfigError(
        f"{typed} is written {' '.join(right)}" if right else f"{typed} is not needed",
        "experiment=reference runs all as that script does"
        if scripts
        else "Options have no dashes",
    )


def _flags(words: Sequence[str], known: Collection[str]) -> Iterator[_Flag]:
    """The flags among the arguments that do not exist, with their values."""
    rest = list(words[: words.index("--")] if "--" in words else words)
    while rest:
        word = rest.pop(0)
        typed, equals, value = word.partition("=")
        if len(typed) < 2 or typed[0] != "-" or typed in known:
            continue
        name = typed.lstrip("-")
        name = name if name in (*_SCRIPT, *_TOGETHER) else name.replace("-", "_")
        name = _SHORT.get(name, name) if not typed.startswith("--") else name
        if equals:
            yield _Flag(name, value, (word,))
        elif rest and _may_be_value(name, rest[0]):
            yield _Flag(name, rest[0], (word, rest.pop(0)))
        else:
            yield _Flag(name, None, (word,))


def _may_be_value(name: str, word: str) -> bool:
    """Whether the word after a flag is its value."""
    if name in _WITHOUT_VALUE:
        return False
    if name in _yes_or_no():
        return word in _TRUTHS
    is_negative = re.fullmatch(r"-\d.*", word)
    is_flag = word[:1] == "-" and word != "-" and is_negative is None
    return bool(word) and not is_flag and not is_override(word)


def _yes_or_no() -> set[str]:
    """The options that are true or false."""
    from ..batch.settings import BatchOptions
    from ..config.options import Options
    from ..evaluation.settings import CALIBRATE, EVALUATE
    from ..live.options import LiveOptions

    kinds = (Options, LiveOptions, BatchOptions, EVALUATE.options, CALIBRATE.options)
    return {name for kind in kinds for name, hint in get_type_hints(kind).items() if hint is bool}


def _is_known(name: str, keys: Collection[str]) -> bool:
    """Whether a flag means an option, or is one of the scripts' where their parts are chosen."""
    if name in (*_SCRIPT, *_TOGETHER):
        return name in keys or "detector" in keys
    return name.partition(".")[0] in keys


def _right(flags: Sequence[_Flag], words: Sequence[str], keys: Collection[str]) -> Iterator[str]:
    """The words that say what the flags say."""
    script = {flag.name: flag.value or "" for flag in flags if flag.name in _TOGETHER}
    if "evalCol" in script:
        folder = script.get("colSavePath") or "FOLDER"
        yield "asd evaluate dataset=columbia"
        yield _assigned("dataset.labels", f"{folder}/col_labels/fusion")
        yield _assigned("dataset.video", f"{folder}/col.mp4")
    elif {"videoName", "videoFolder"} & script.keys():
        yield shlex.quote(_video(script.get("videoFolder", "demo"), script.get("videoName", "001")))
    yield from _part(script)
    for flag in flags:
        if flag.name in _SCRIPT and flag.name not in keys:
            for form in _SCRIPT[flag.name]:
                key, _, value = form.partition("=")
                if key != "detector" or not _chooses_s3fd(words):
                    given = value.format(flag.value or "VALUE")
                    yield form if value == given else _assigned(key, given)
        elif flag.name not in _TOGETHER:
            unsaid = "true" if flag.name in _yes_or_no() else "VALUE"
            yield _assigned(flag.name, unsaid if flag.value is None else flag.value)


def _part(script: Mapping[str, str]) -> Iterator[str]:
    """The part of the video from a start on, in seconds, of a duration; 0 for all of it."""
    try:
        start, duration = (float(script.get(name) or 0) for name in ("start", "duration"))
    except ValueError:
        yield "start_s=SECONDS end_s=SECONDS"
        return
    if start:
        yield f"start_s={start:g}"
    if duration:
        yield f"end_s={start + duration:g}"


def _chooses_s3fd(words: Sequence[str]) -> bool:
    return any(word.startswith(("detector=s3fd", "experiment=reference")) for word in words)


def _video(folder: str, name: str) -> str:
    """The video that a script would take: the first of this name, whatever its suffix."""
    try:
        found = sorted(Path(folder).glob(f"{name}.*"))
    except (ValueError, OSError, NotImplementedError):  # no pattern, such as an absolute one
        found = []
    videos = [path for path in found if path.suffix.lower() in VIDEO_SUFFIXES]
    return os.fspath(videos[0] if videos else Path(folder, f"{name}.mp4"))


def _assigned(key: str, value: str) -> str:
    """An option with its value, as it is typed in a shell."""
    if _PLAIN.fullmatch(value):
        return f"{key}={value}"
    quoted = f"{key}='{value}'"
    return shlex.quote(quoted) if set('"$`\\!') & set(value) else f'"{quoted}"'
