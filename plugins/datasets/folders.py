"""Finds, reads and checks the files of datasets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ...core.errors import InputError
from ...core.files import is_litter, same_form
from ...core.media.formats import VIDEO_SUFFIXES


def files_in(folder: Path, suffix: str, what: str) -> list[Path]:
    """The files of a folder that end with `suffix`, by name.

    Args:
        folder: The folder.
        suffix: The suffix, such as ".json".
        what: What the files contain, for the error.

    Raises:
        InputError: The folder does not exist, or holds no such file.
    """
    files = sorted(file for file in _entries(folder) if file.suffix == suffix)
    if not files:
        raise InputError(
            f"The folder {folder} holds no {what} (*{suffix})", f"Give the folder of the {what}"
        )
    return files


def by_name(videos: Iterable[Path]) -> dict[str, Path]:
    """Videos by normalised name without suffix, sorted; other files are left out.

    Raises:
        InputError: Two videos have the same name.
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
        InputError: The folder does not exist, or two videos have the same name.
    """
    return by_name(_entries(folder))


def video_of(name: str, videos: Mapping[str, Path], folder: Path, labels: Path) -> Path:
    """The video that labels are about.

    Args:
        name: The video's name without suffix.
        videos: By name: the videos found.
        folder: The folder that was searched, for the error.
        labels: The file of the labels, for the error.

    Raises:
        InputError: The video does not exist.
    """
    if same_form(name) in videos:
        return videos[same_form(name)]
    raise InputError(
        f"{folder} holds no video {name}.*, but {labels} has labels of it",
        f"Put the video there, as {name}.mp4 or with another suffix, or take its labels away",
    )


def check_times(first_s: float, last_s: float, duration_s: float, labels: Path, hint: str) -> None:
    """Check that labels do not lie outside their video by half a second or more.

    Args:
        first_s: The time of the first label, in seconds from the start of the picture.
        last_s: The time of the last label.
        duration_s: Length of the picture in seconds.
        labels: The file of the labels, for the error.
        hint: Hint of the error.

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
