"""The files of a dataset: what there must be, and what they must hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ...core.errors import InputError
from ...core.files import is_litter, same_form
from ...core.media.formats import VIDEO_SUFFIXES
from ...core.named_files import read_text_file

_LONGEST = 100
"""Characters of a value that an error shows."""


def files_in(folder: Path, suffix: str, what: str) -> list[Path]:
    """The files of a folder that end with `suffix`, by name.

    Args:
        folder: The folder.
        suffix: Such as ".json".
        what: What is in them, for the error.

    Raises:
        InputError: There is no such folder, or no such file in it.
    """
    files = sorted(file for file in _entries(folder) if file.suffix == suffix)
    if not files:
        raise InputError(
            f"The folder {folder} holds no {what} (*{suffix})", f"Give the folder of the {what}"
        )
    return files


def by_name(videos: Iterable[Path]) -> dict[str, Path]:
    """Videos by their names without suffix, in one form and in order; what is none is left out.

    Raises:
        InputError: Two have one name.
    """
    found: dict[str, Path] = {}
    for path in sorted(videos):
        if path.suffix.lower() in VIDEO_SUFFIXES and not is_litter(path):
            other = found.setdefault(same_form(path.stem), path)
            if other != path:
                raise InputError(
                    f"Two videos have the name {path.stem}: {other} and {path}",
                    "Rename or move one of them: labels name videos without their suffix",
                )
    return found


def videos_in(folder: Path) -> dict[str, Path]:
    """The videos of a folder by their names without suffix.

    Raises:
        InputError: There is no such folder, or two videos have one name.
    """
    return by_name(_entries(folder))


def video_of(name: str, videos: Mapping[str, Path], folder: Path, labels: Path) -> Path:
    """The video that labels are about.

    Args:
        name: Its name without suffix.
        videos: The videos there are.
        folder: Where they were looked for.
        labels: The file of the labels, for the error.

    Raises:
        InputError: It is not there.
    """
    if same_form(name) in videos:
        return videos[same_form(name)]
    raise InputError(
        f"{folder} holds no video {name}.*, but {labels} has labels of it",
        f"Put the video there, as {name}.mp4 or with another suffix, or take its labels away",
    )


def lines_of(path: Path, what: str) -> Iterator[tuple[str, list[str]]]:
    """The lines of a text file that are not empty: "FILE:LINE" and the words of each.

    Raises:
        InputError: It cannot be read, or is no text.
    """
    for number, line in enumerate(text_of(path, what).splitlines(), 1):
        if words := line.split():
            yield f"{path}:{number}", words


def text_of(path: Path, what: str) -> str:
    """The text of a file.

    Raises:
        InputError: It cannot be read, or is no text.
    """
    try:
        return read_text_file(path)
    except (OSError, UnicodeDecodeError) as error:
        told = error.strerror if isinstance(error, OSError) else error
        raise InputError(
            f"Cannot read the {what} {path}: {told}", "Give a text file in UTF-8"
        ) from error


def shown(value: object) -> str:
    """A value from a file as errors show it: in a line of bearable length."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of too many digits, lists in lists in lists
        return f"a very long {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def check_times(first_s: float, last_s: float, duration_s: float, labels: Path, hint: str) -> None:
    """Refuse labels that lie outside their video, by half a second or more.

    Args:
        first_s: The time of the first label, in seconds from the start of the picture.
        last_s: The time of the last one.
        duration_s: Length of the picture in seconds.
        labels: The file of the labels, for the error.
        hint: What may be wrong.

    Raises:
        InputError: They do.
    """
    outside = first_s if first_s <= -0.5 else last_s
    if not -0.5 < outside < duration_s + 0.5:
        raise InputError(
            f"{labels} has a label at {outside:.2f} s of a video that lasts {duration_s:.2f} s",
            hint,
        )


def _entries(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if not is_litter(path)]
    except OSError as error:
        raise InputError(
            f"Cannot read the folder {folder}: {error.strerror or error}",
            "Check its name and its permissions",
        ) from error
