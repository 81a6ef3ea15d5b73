"""How far apart an embedder puts the faces of one person, and of different people.

python -m benchmarks.identities PEOPLE [OPTION=VALUE ...]

PEOPLE holds a folder for each person, with pictures and videos in which nobody else is visible. Of
a picture the largest face counts, of a video the mean of each track, as for identities.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import asdkit
from asdkit.core.analysis.embedder_answers import checked_identity_distance
from asdkit.core.analysis.people import SUFFIXES, read_people
from asdkit.core.config.compose import compose_run
from asdkit.core.config.plan import make_plan
from asdkit.core.models import Models
from asdkit.core.types import Detections, Float64, UInt8

PARTS = ["detector=yunet", "scorer=lip_motion", "embedder=mobilefacenet", "allow_silent=true"]
LIMITS = (0.3, 0.4, 0.5, 0.55, 0.6, 0.7, 0.8)
"""The values of `identity_distance` to compare."""


class Noting:
    """A detector that notes where landmarks are in boxes; see `core.contracts.Detector`.

    Attributes:
        places: The landmarks (5, 2) of the largest face of each picture, as parts of its box.
    """

    def __init__(self, detector: Any) -> None:
        self.places: list[Float64] = []
        self._detector = detector

    def detect(self, frames: UInt8, indices: Sequence[int]) -> list[Detections]:
        """Find the faces in each frame."""
        found: list[Detections] = self._detector.detect(frames, indices)
        for faces in found:
            if len(faces) and faces.landmarks is not None:
                sides = faces.boxes[:, 2:] - faces.boxes[:, :2]
                largest = int(sides.prod(1).argmax())
                place = faces.landmarks[largest] - faces.boxes[largest, :2]
                self.places.append(place / sides[largest])
        return found


def faces_of(folder: Path, words: Sequence[str], models: Models) -> list[tuple[str, Float64]]:
    """The faces of a folder of people: each person's name, and an embedding (d,) of length 1."""
    found: list[tuple[str, Float64]] = []
    files = [path for path in sorted(folder.glob("*/*")) if path.name[0] != "."]
    pictures = [path for path in files if path.suffix.lower() in SUFFIXES]
    if pictures:
        detector = Noting(models.part("detector"))
        people = read_people(folder, detector, models.part("embedder"))
        found += [(name, np.float64(row)) for name, rows in people.items() for row in rows]
        if detector.places:
            print(
                "landmarks in boxes, mean:",
                np.mean(detector.places, 0).round(3).tolist(),
                flush=True,
            )
    for path in files:
        if path not in pictures:
            for track in asdkit.run(path, [*words, "writers=[]"]).tracks:
                mean = track.embeddings.astype(np.float64).mean(0)
                found.append((path.parent.name, mean / np.linalg.norm(mean)))
    return found


def distances(faces: Sequence[tuple[str, Float64]]) -> tuple[Float64, Float64]:
    """The cosine distances of all pairs of one person, and of all pairs of different people."""
    names = np.array([name for name, _ in faces])
    vectors = np.stack([vector for _, vector in faces])
    pair = np.triu_indices(len(faces), 1)
    apart, same = (1 - vectors @ vectors.T)[pair], (names[:, None] == names)[pair]
    return apart[same], apart[~same]


def main(words: Sequence[str]) -> None:
    """Print the distances, and how many pairs are within each limit."""
    folder = Path(next(word for word in words if "=" not in word))
    options = [*PARTS, *(word for word in words if "=" in word)]
    models = Models(make_plan(compose_run(options, str(folder))))
    faces = faces_of(folder, options, models)
    kinds = dict(zip(("one person", "different people"), distances(faces), strict=True))
    print(f"{len({name for name, _ in faces})} people, {len(faces)} faces")
    for kind, apart in kinds.items():
        shown = "  ".join(f"{value:.2f}" for value in np.percentile(apart, [0, 5, 50, 95, 100]))
        print(f"{kind}: {len(apart)} pairs; least, 5 %, median, 95 %, most: {shown}")
    for limit in LIMITS:
        within = ", ".join(f"{(apart <= limit).sum()} of {kind}" for kind, apart in kinds.items())
        print(f"identity_distance={limit}: {within} are taken for one")
    own = checked_identity_distance("The embedder", models.part("embedder"))
    print(f"the embedder's own identity_distance: {own}")


if __name__ == "__main__":
    main(sys.argv[1:])
