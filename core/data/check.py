"""Checks labelled data before a training: every video, then the whole set, then two sets."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import AsdError, InputError
from ..files import digest_of, whole
from ..forms import misfit
from ..named_files import read_json
from ..progress import Progress
from .looking import look
from .prints import FacePrint, Pair, copies
from .problems import Problem
from .sources import Source

SCHEMA = "asdkit.data_check/1"
_PRINT = {
    "type": "object",
    "required": ["video", "face", "first_s", "labels", "looks", "level"],
    "properties": {
        "video": {"type": "string"},
        "face": {"type": "string"},
        "first_s": {"type": "number"},
        "labels": {"type": "integer"},
        "looks": {"type": "string"},
        "level": {"type": "array", "items": {"type": "number"}},
    },
}
_FORM = {
    "type": "object",
    "required": ["schema", "digests", "people", "prints"],
    "properties": {
        "schema": {"const": SCHEMA},
        "digests": {"type": "object", "additionalProperties": {"type": "string"}},
        "people": {"type": "array", "items": {"type": "string"}},
        "prints": {"type": "array", "items": _PRINT},
    },
}


@dataclass
class Checked:
    """What a check has found.

    Attributes:
        videos: How many videos there are.
        faces: How many faces they have.
        labels: How many labels.
        speaking: How many of the labels speak.
        problems: What is wrong.
        notes: What may be meant so.
        digests: By name of a video: a hash of its file.
        people: The people, as the dataset names them.
        prints: The fingerprints of the faces.
    """

    videos: int = 0
    faces: int = 0
    labels: int = 0
    speaking: int = 0
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    people: set[str] = field(default_factory=set)
    prints: list[FacePrint] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """By kind of problem: how many there are, most first."""
        return dict(Counter(one.kind for one in self.problems).most_common())


def check(sources: Sequence[Source], other: Checked | None, progress: Progress) -> Checked:
    """Check labelled data; only fingerprints and problems are kept of a video.

    Args:
        sources: The videos.
        other: What an earlier check has found in other data, such as those for validation.
        progress: Called with the frames of each video.
    """
    found = Checked()
    for source in sources:
        found.videos += 1
        try:
            _check_one(source, found, progress)
        except AsdError as error:
            said = f"{error.what}. {error.hint}" if error.hint else error.what
            found.problems.append(Problem("unreadable", source.name, "", None, said))
    if found.labels and found.speaking in (0, found.labels):
        said = f"all {found.labels} labels {'speak' if found.speaking else 'do not speak'}"
        found.problems.append(Problem("one_class", "", "", None, said))
    found.problems += _twice(found)
    if other is not None:
        found.problems += _in_both(found, other)
        if both := sorted(found.people & other.people):
            some = ", ".join(both[:10]) + (" and others" if both[10:] else "")
            found.notes.append(f"{len(both)} names of people are in both sets: {some}")
    return found


def _check_one(source: Source, found: Checked, progress: Progress) -> None:
    video = source.open()
    faces = video.labels.faces
    if video.media is not None:
        found.digests[source.name] = digest_of(video.media.info.path)
    found.faces += len(faces)
    found.labels += sum(map(len, faces))
    found.speaking += sum(int(face.speaks.sum()) for face in faces)
    found.people |= {face.person for face in faces}
    problems, prints = look(source.name, video, progress)
    found.problems += problems
    found.prints += prints


def _twice(found: Checked) -> Iterator[Problem]:
    """Copies within a set."""
    first: dict[str, str] = {}
    same = set()
    for name, digest in found.digests.items():
        if first.setdefault(digest, name) != name:
            same.add(frozenset((name, first[digest])))
            yield _same_video(name, first[digest], "")
    for one, two in copies(found.prints):
        if frozenset((one.video, two.video)) not in same:
            yield _same_face((two, one), "")


def _in_both(found: Checked, other: Checked) -> Iterator[Problem]:
    """What is in two sets."""
    theirs = {digest: name for name, digest in other.digests.items()}
    same = set()
    for name, digest in found.digests.items():
        if digest in theirs:
            same.add((name, theirs[digest]))
            yield _same_video(name, theirs[digest], " of the other set")
    for pair in copies(found.prints, other.prints):
        if (pair[0].video, pair[1].video) not in same:
            yield _same_face(pair, " of the other set")


def _same_video(name: str, other: str, where: str) -> Problem:
    return Problem("same_video", name, "", None, f"it is the same file as {other}{where}")


def _same_face(pair: Pair, where: str) -> Problem:
    one, two = pair
    said = f"it looks and sounds like {two.face} at {two.first_s:.2f} s of {two.video}{where}"
    return Problem("same_face", one.video, one.face, one.first_s, said)


def write_checked(found: Checked, settings: Mapping[str, Any], path: Path) -> None:
    """Write all that was found as JSON, for `read_checked`.

    Raises:
        OutputError: The file cannot be written.
    """
    values = {
        "schema": SCHEMA,
        "settings": dict(settings),
        **{name: getattr(found, name) for name in ("videos", "faces", "labels", "speaking")},
        "counts": found.counts,
        "problems": [{**asdict(one), "remedy": one.remedy} for one in found.problems],
        "notes": found.notes,
        "digests": found.digests,
        "people": sorted(found.people),
        "prints": [
            {
                **{name: getattr(one, name) for name in ("video", "face", "first_s", "labels")},
                "looks": one.looks.tobytes().hex(),
                "level": [round(value, 4) for value in one.level.tolist()],
            }
            for one in found.prints
        ],
    }
    with whole(path) as aside:
        aside.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", "utf-8")


def read_checked(path: Path) -> Checked:
    """What an earlier check has found: the fingerprints, and the names of people.

    Raises:
        InputError: The file cannot be read, or is none of `asd data check`.
    """
    hint = "Make one with: asd data check dataset=NAME output=FILE"
    values = read_json(path, "a check of data", hint)
    if wrong := misfit(values, _FORM):
        raise InputError(f"{path} is not a check of data: {wrong}", hint)
    try:
        prints = [_print(one) for one in values["prints"]]
    except ValueError as error:
        raise InputError(f"{path} is not a check of data: {error}", hint) from error
    return Checked(digests=values["digests"], people=set(values["people"]), prints=prints)


def _print(values: Mapping[str, Any]) -> FacePrint:
    looks = np.frombuffer(bytes.fromhex(values["looks"]), np.uint8)
    level = np.array(values["level"], np.float64)
    if looks.shape != (24,) or level.shape != (32,):
        raise ValueError("a fingerprint has another length")
    plain = (values["video"], values["face"], float(values["first_s"]), int(values["labels"]))
    return FacePrint(*plain, looks, level)
