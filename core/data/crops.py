"""Makes training data in the form of AVA-ActiveSpeaker out of labelled videos."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ConfigError, InputError, OutputError
from ..files import claim, remove_partial, whole, whole_folder
from ..progress import Progress
from .cutting import cut
from .parts import LABELS, PICTURES, SOUNDS, TRAIN, VALIDATION, Part, parts_of
from .published import Entity, entities, label_rows
from .sources import DataPlan, Video
from .tables import write_tables

RECORD = "crops.json"
_SCHEMA = "asdkit.crops/1"
_LOCK = ".crops.lock"
_BYTES_PER_PIXEL = 0.45
_BYTES_PER_FILE = 2048
"""What a crop takes on the disk at most, about: so much for each pixel, and for each file."""
_BYTES_PER_S = 32000
_SPARE = 1 << 20

Tell = Callable[[str], None]
"""Called with a line of text on each video."""


@dataclass(frozen=True)
class Made:
    """What was made.

    Attributes:
        videos: How many videos the folder has now.
        new: How many of them were cut just now.
        faces: How many faces they have.
        labels: How many labels.
    """

    videos: int
    new: int
    faces: int
    labels: int


def make_crops(plan: DataPlan, output: Path, tell: Tell, progress: Progress) -> Made:
    """Cut all faces of all videos, and write the lists.

    A video is cut whole or not at all. Those that lie in the folder with the same labels stay, but
    for videos that were changed since. One that cannot be used is told of, and the others are cut.

    Args:
        plan: The videos, with the options of `asd data crops`.
        output: The folder.
        tell: Called with a line on each video.
        progress: Called with the frames of each video.

    Raises:
        ConfigError: The folder has other data in it, or too few videos are left for training.
        OutputError: The folder cannot be written, or the disk has too little room.
        InputError: Some videos could not be used.
    """
    parts = parts_of(plan.sources, plan.options.validation_part, plan.options.seed)
    failed: dict[str, InputError] = {}
    with _claimed(output, plan.settings):
        _check_room(output, parts, failed, tell)
        there: list[Part] = []
        new = 0
        for number, part in enumerate(parts, 1):
            if part.source.name in failed:
                continue
            try:
                said, is_new = _make(part, output, progress)
            except InputError as error:
                failed[part.source.name] = error
                tell(f"{part.source.name}: {error}")
                continue
            there.append(part)
            new += is_new
            tell(f"{number}/{len(parts)} {part.source.name}: {said}")
        faces, labels = write_tables(output, there) if there else (0, 0)
    if failed:
        name, why = next(iter(failed.items()))
        raise InputError(
            f"{len(failed)} of {len(parts)} videos could not be used, the first {name}: {why.what}",
            f"{why.hint}. The others are in {output}".removeprefix(". "),
        )
    return Made(len(there), new, faces, labels)


@contextmanager
def _claimed(output: Path, settings: dict[str, Any]) -> Iterator[None]:
    """Make the folder, and let no other process write to it meanwhile.

    Raises:
        ConfigError: Something else lies in it.
        OutputError: It cannot be written, or another process writes to it.
    """
    changing = ("output", "quiet", "names", "turns", "plugins")
    record = {
        "schema": _SCHEMA,
        "settings": {k: v for k, v in settings.items() if k not in changing},
    }
    try:
        content = (
            [path for path in output.iterdir() if path.name != _LOCK] if output.is_dir() else []
        )
        before = json.loads((output / RECORD).read_text("utf-8")) if content else record
    except (OSError, ValueError):
        before = None
    if before != record:
        why = "crops made with other options" if before else "something other than crops"
        raise ConfigError(f"{output} holds {why}", "Name another folder: output=FOLDER")
    try:
        output.mkdir(parents=True, exist_ok=True)
        lock = claim(output / _LOCK)
    except OSError as error:
        raise OutputError(
            f"Cannot write {output}: {error.strerror or error}",
            "Choose another folder with output=FOLDER",
        ) from error
    if lock is None:
        raise OutputError(f"Another process writes to {output}", "Wait until it has ended")
    with lock:
        with whole(output / RECORD) as aside:
            aside.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
        _tidy(output)
        yield


def _tidy(output: Path) -> None:
    """Remove what a process that was killed has left."""
    for part in (TRAIN, VALIDATION):
        for kind in (PICTURES, SOUNDS):
            for left in (output / kind / part).glob(".*.*"):
                shutil.rmtree(left, ignore_errors=True)
        remove_partial(output / LABELS / part)


def _check_room(
    output: Path, parts: Sequence[Part], failed: dict[str, InputError], tell: Tell
) -> None:
    """Tell how much room what is missing needs; videos that cannot be read are told of.

    Raises:
        OutputError: The disk has less.
    """
    needed = 0.0
    for part in parts:
        if (output / part.labels).exists():
            continue
        try:
            needed += _bytes_of(part.source.open())
        except InputError as error:
            failed[part.source.name] = error
            tell(f"{part.source.name}: {error}")
    free = shutil.disk_usage(output).free - _SPARE
    if needed > free:
        raise OutputError(
            f"The crops need about {needed / 1e9:.1f} GB, but {max(free, 0) / 1e9:.1f} GB are free",
            "Make room, or choose another folder with output=FOLDER",
        )
    if needed:
        tell(f"The crops that are missing need about {needed / 1e9:.2f} GB")


def _bytes_of(video: Video) -> float:
    """About how many bytes the crops and the sound of a video take at most."""
    width, height = video.size
    total = 0.0
    for face in video.labels.faces:
        x1, y1, x2, y2 = face.boxes.clip(0, (width, height) * 2).T
        total += float(((x2 - x1) * (y2 - y1)).sum()) * _BYTES_PER_PIXEL
        total += len(face) * _BYTES_PER_FILE
        total += (face.time_s[-1] - face.time_s[0]) * _BYTES_PER_S + _BYTES_PER_FILE
    return total


def _make(part: Part, output: Path, progress: Progress) -> tuple[str, bool]:
    """Cut a video, unless it lies there as it is; what to say of it, and whether it was cut.

    Raises:
        InputError: The video cannot be used.
        OutputError: A file cannot be written.
    """
    video = part.source.open()
    if video.media is None:
        raise InputError(
            f"Of {part.source.name} there are only crops already", "Give the videos of the dataset"
        )
    named = entities(part.id, video.labels.faces)
    text = _labels_text(part.id, named, video)
    said = f"{len(named)} faces, {sum(len(one.face) for one in named)} labels"
    if video.labels.homeless:
        said += f"; {len(video.labels.homeless)} labels without a face left out"
    done = output / part.labels
    cut_to = [output / kind / part.part / part.id for kind in (PICTURES, SOUNDS)]
    if _holds(done, text, video.media.info.path) and all(path.is_dir() for path in cut_to):
        return f"{said}, there already", False
    for one in (TRAIN, VALIDATION):
        _remove(part.id, one, output)
    with whole_folder(cut_to[0]) as pictures, whole_folder(cut_to[1]) as sounds:
        cut(video.media, named, pictures, sounds, progress)
    with whole(done) as aside:
        aside.write_text(text, "utf-8", newline="")
    return said, True


def _holds(path: Path, text: str, video: Path) -> bool:
    """Whether a file is there, with this text, and is no older than the video."""
    try:
        whole_one = path.read_bytes() == text.encode()
        return whole_one and video.stat().st_mtime_ns <= path.stat().st_mtime_ns
    except OSError:
        return False


def _remove(video: str, part: str, output: Path) -> None:
    """Remove what was made of a video before, its labels first.

    Raises:
        OutputError: It cannot be removed.
    """
    labels = output / LABELS / part / f"{video}.csv"
    try:
        labels.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"Cannot replace {labels}: {error.strerror or error}", "Check the permissions"
        ) from error
    for kind in (PICTURES, SOUNDS):
        shutil.rmtree(output / kind / part / video, ignore_errors=True)


def _labels_text(video: str, named: Sequence[Entity], opened: Video) -> str:
    """The rows of a video's labels, without a header line."""
    assert opened.media is not None
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for entity in named:
        rows.writerows(label_rows(video, entity, opened.media.info.start_s, opened.size))
    return text.getvalue()
