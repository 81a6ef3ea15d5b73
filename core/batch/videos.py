"""Finds the videos of a batch, and names the folder of each."""

from __future__ import annotations

import glob
import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigError, InputError
from ..files import expanded, is_apple_double
from ..media.formats import VIDEO_SUFFIXES
from ..named_files import read_text_file
from ..rttm_lines import field

_LONGEST_BYTES = 200
"""Longest name of a folder; file systems allow 255, and the temporary folder has a longer name."""
_DEEP = re.compile(r"(?:(?<=/)|^)\*\*(?:/|$)")
_OWN = r"manifest-\d+\.jsonl|multirun\.yaml|turns\.csv|people\.csv|speakers\.rttm"
_TAKEN = re.compile(rf"\s*|\..*|{_OWN}", re.DOTALL)
"""Names that folders of results must not have, as files of the whole batch have them."""


def find_videos(given: Any, output: Path, base: Path | None = None) -> list[str]:
    """The absolute paths of the given videos, sorted, each once.

    Args:
        given: A file, a pattern, a folder, a .txt file of paths, or a list of these.
        output: The folder of the results; videos inside are results, too, and are left out.
        base: The folder that relative paths start from; the current one if not given.

    Raises:
        ConfigError: `given` is neither text nor a list of texts.
        InputError: An item matches no video, or the .txt file cannot be read.
    """
    items = given if isinstance(given, list) else [given]
    if not all(isinstance(item, str) and item and "\0" not in item for item in items):
        raise ConfigError(
            f"videos must be a path, a pattern or a list of these, got {given!r}",
            "As in: 'videos=talks/*.mp4', or 'videos=[one.mp4,more/]'",
        )
    results = Path(os.path.abspath(output))  # noqa: PTH100 - resolve() would follow links
    found: set[str] = set()
    for item in items:
        paths = {os.path.abspath(path) for path in _matches(item, base)}  # noqa: PTH100
        outside = {path for path in paths if results not in Path(path).parents}
        if paths and not outside:
            raise InputError(
                f"All that videos={item} names lies in the output folder {output}",
                "Choose a folder for the results beside the videos, as in: output=results",
            )
        paths = outside
        if not paths:
            raise InputError(
                f"videos={item} names no video",
                "Name a file, a folder, a .txt file of paths or a pattern such as talks/**/*.mp4",
            )
        found |= paths
    if not found:
        raise InputError("videos=[] names no video", "Name files, folders or patterns")
    return sorted(found)


def _matches(item: str, base: Path | None) -> Iterable[str]:
    pattern = path = expanded(item)
    if base is not None:
        path, pattern = base / path, Path(glob.escape(str(base))) / pattern
    if os.path.isdir(path):  # noqa: PTH112 - False if there can be no such name
        below = _glob(f"{glob.escape(str(path))}/**")
        return [name for name in below if Path(name).suffix.lower() in VIDEO_SUFFIXES]
    if os.path.isfile(path):  # noqa: PTH113
        return _listed(path) if path.suffix.lower() == ".txt" else [str(path)]
    return _glob(str(pattern))


def _glob(pattern: str) -> list[str]:
    """The files that match a pattern, without hidden ones and macOS's AppleDouble files."""
    try:
        found = set(_expanded(pattern))
    except ValueError:  # the pattern contains a NUL
        return []
    files = [Path(name) for name in found if not os.path.isdir(name)]  # noqa: PTH112
    return [str(path) for path in files if not is_apple_double(path)]


def _expanded(pattern: str) -> Iterator[str]:
    """The paths that match a pattern; `**` does not follow links back into a parent folder.

    With glob, a link to a parent folder would give each video forty times, and two such links
    would take practically for ever.
    """
    if not (deep := _DEEP.search(pattern)):
        yield from glob.glob(pattern)  # noqa: PTH207 - Path.glob takes no absolute pattern
        return
    before, after = pattern[: deep.start()], pattern[deep.end() :]
    for top in glob.glob(before) if before else [""]:  # noqa: PTH207
        for folder in _folders(top, frozenset()):
            yield from _expanded(os.path.join(glob.escape(folder), after or "*"))  # noqa: PTH118


def _folders(top: str, above: frozenset[tuple[int, int]]) -> Iterator[str]:
    """A folder and all folders below that are not hidden; links to parents are not followed."""
    try:
        status = os.stat(top or ".")  # noqa: PTH116
        entries = sorted(os.listdir(top or "."))  # noqa: PTH208
    except OSError:
        return
    here = status.st_dev, status.st_ino
    if here in above:
        return
    yield top
    for name in entries:
        path = os.path.join(top, name)  # noqa: PTH118
        if not name.startswith(".") and os.path.isdir(path):  # noqa: PTH112
            yield from _folders(path, above | {here})


def _listed(path: Path) -> Iterator[str]:
    """The videos listed in a file, one per line; paths are relative to the file's folder."""
    mend = "It should be text, UTF-8, one path in each line"
    try:
        lines = read_text_file(path).splitlines()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", mend) from error
    except ValueError as error:
        raise InputError(f"{path} cannot be read: {error}", mend) from error
    for number, line in enumerate(map(str.strip, lines), 1):
        if "\0" in line:
            raise InputError(f"Line {number} of {path} holds a zero byte", mend)
        if line and not line.startswith("#"):
            named = path.parent / expanded(line)
            if not is_apple_double(named):
                yield str(named)


def name_folders(videos: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    """A plain, safe and unique folder name for the results of each video.

    The name is the stem of the file name; if another video could have the same name, it is the
    whole file name, or the stem with as many parent folders in front as are needed.

    Args:
        videos: Absolute paths.
        known: By video: names given before, which are kept.

    Returns:
        The name of each of `videos`.
    """
    candidates = {video: _candidates(video) for video in {*videos, *known}}
    claims = Counter(_key(name) for names in candidates.values() for name in set(names))
    claims.update(_key(name) for name in known.values())
    return {
        video: known.get(video) or next(n for n in candidates[video] if claims[_key(n)] == 1)
        for video in videos
    }


def _candidates(video: str) -> list[str]:
    """Candidate names for the results of a video, best first; the last is always unique."""
    path = Path(video)
    folders = path.parts[1:-1]
    names = [path.stem, path.name]
    names += ["-".join([*folders[-n:], path.stem]) for n in range(1, len(folders) + 1)]
    names = [n for n in names if not _TAKEN.fullmatch(n) and len(os.fsencode(n)) <= _LONGEST_BYTES]
    return [*names, f"video-{hashlib.sha256(os.fsencode(video)).hexdigest()[:16]}"]


def _key(name: str) -> str:
    """A key that is equal for names that some file systems, or readers of RTTM, hold for one."""
    return field(name).casefold()
