"""Reads a folder of named portraits: detects the face in each picture and embeds it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from ..contracts import Detector, Embedder
from ..errors import InputError
from ..files import is_litter, same_form
from ..named_files import read_file
from ..results import printable
from ..types import OFF_SCREEN, Float32, UInt8
from .alignment import embedded_picture
from .answers import asked, checked_faces
from .embedder_answers import checked_template
from .embedding import embed

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
"""Suffixes of the files read as pictures."""
_NO_FRAME = -1
"""Frame index passed to a detector with a picture that is not a frame of the video."""


def read_people(
    folder: Path,
    detector: Detector,
    embedder: Embedder,
    *,
    detector_name: str = "The detector",
    embedder_name: str = "The embedder",
) -> dict[str, Float32]:
    """Embed the people of a folder.

    Args:
        folder: Holds pictures NAME.jpg, or folders NAME with several pictures each. The largest
            face of each picture is used.
        detector: Finds the faces.
        embedder: Embeds them.
        detector_name: The detector in words.
        embedder_name: The embedder in words.

    Returns:
        The embeddings (m, d) of each person, by name.

    Raises:
        InputError: There is no such folder, it holds no picture, or a picture is unreadable,
            shows no face or is named after nobody.
        ConfigError: The detector does not look at pictures.
        PluginError: The detector or the embedder breaks its contract.
    """
    template = checked_template(embedder_name, embedder)
    found: dict[str, list[UInt8]] = defaultdict(list)
    for name, path in _pictures(folder):
        image = _read(path)
        with asked(detector_name):
            answer = detector.detect(image[None], [_NO_FRAME])
        (faces,) = checked_faces(detector_name, answer, [_NO_FRAME], image.shape[:2])
        if not len(faces):
            raise InputError(
                f"No face was found in the portrait {path}",
                "Use a picture that shows the face from the front and larger, or another detector",
            )
        sizes = (faces.boxes[:, 2:] - faces.boxes[:, :2]).prod(1)
        largest = int(sizes.argmax())
        landmarks = None if faces.landmarks is None else faces.landmarks[largest]
        found[name].append(embedded_picture(image, faces.boxes[largest], landmarks, template))
    return {
        name: embed(embedder, np.stack(portraits), embedder_name)
        for name, portraits in found.items()
    }


def _pictures(folder: Path) -> Iterator[tuple[str, Path]]:
    """The pictures of a folder, each with the name of the person it shows."""
    try:
        entries = sorted(folder.iterdir())
        inner = {
            entry: sorted(entry.iterdir())
            for entry in entries
            if entry.is_dir() and not is_litter(entry)
        }
    except OSError as error:
        raise InputError(
            f"The portraits cannot be read from {folder}: {error.strerror}",
            "identities= takes a folder of pictures, each named after whom it shows",
        ) from error
    named = [
        *((entry.stem, entry) for entry in entries if entry not in inner),
        *((person.name, path) for person, paths in inner.items() for path in paths),
    ]
    pictures = [
        (_name(name, path), path)
        for name, path in named
        if path.suffix.lower() in SUFFIXES and not is_litter(path)
    ]
    if not pictures:
        raise InputError(
            f"There is no picture in {folder}",
            f"Put pictures there, named after whom they show: {', '.join(SUFFIXES)}",
        )
    yield from pictures


def _name(name: str, path: Path) -> str:
    """The name of the person a picture shows, from the name of its file or folder."""
    whom = " ".join(same_form(printable(name)).split())
    if not whom:
        raise InputError(
            f"The portrait {path} is named after nobody", "Give it the name of whom it shows"
        )
    if whom.replace(" ", "_").casefold() == OFF_SCREEN:
        raise InputError(
            f"The portrait {path} has the name of whoever speaks without being seen",
            "Give it the name of whom it shows",
        )
    return whom


def _read(path: Path) -> UInt8:
    """Read a picture as (height, width, 3) uint8, RGB, rotated as its EXIF data says."""
    try:
        image = cv2.imdecode(np.frombuffer(read_file(path), np.uint8), cv2.IMREAD_COLOR)
    except (OSError, cv2.error):
        image = None
    if image is None:
        raise InputError(f"The portrait {path} is not a picture that can be read")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
