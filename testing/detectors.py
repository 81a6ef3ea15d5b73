"""The check of detectors."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from ..core.analysis.answers import asked, checked_faces
from ..core.analysis.attributes import checked_knows_ids, checked_looks, checked_side
from ..core.contracts import Detector, ScalingDetector
from ..core.errors import ConfigError
from ..core.pictures import shrink
from ..core.samples import noise_picture
from ..core.types import Detections, UInt8
from .holding import SAME_SCORE, Remembered, asking, hold, in_order, name_of

_SAME_BOX_PX = 1.0
"""Allowed difference between the boxes, and the landmarks, of a picture alone and in a batch."""
_INDICES = (0, 2, 3)
"""Grid frames of the noise; no positions in the batch."""
_SIZES = ((16, 16), (180, 45), (45, 180), (67, 93))
"""(height, width) of other pictures: tiny, tall, wide, odd."""
_OTHER_NUMBERS = (-1, 90_000)
"""A portrait, and a frame after an hour."""
_ABOUT = 0.5
"""Found faces are smaller than the declared smallest one by no more than this ratio."""


def check_detector(
    detector: Detector, height: int = 240, width: int = 320, *, pictures: UInt8 | None = None
) -> None:
    """Check that a detector answers for each frame, and always equally for one picture.

    It is shown noise, in which it may find faces or none, and plain pictures; large and small,
    tall and wide ones, with odd sides. Give pictures of people, too, if it finds no face there.

    Args:
        detector: The detector.
        height: Height of the test pictures, in pixels.
        width: Width of the test pictures, in pixels.
        pictures: (n, h, w, 3) uint8, RGB; the detector must find a face in each.

    Raises:
        PluginError: It does not keep its contract; see `asdkit.plugin.Detector`.
    """
    look = _Look(detector)
    noise = noise_picture((3, height, width, 3), seed=1)
    found = look(noise, _INDICES)
    look(noise[:0], [])
    _check_batch(look, noise, _INDICES, found)
    if look.looks:
        for size in _SIZES:
            look(np.stack([noise_picture((*size, 3), seed=2), *_plain(*size)]), [7, 8, 9])
    _same(
        look(noise[:1], _INDICES[:1]),
        found[:1],
        f"{look.name} finds other faces in a picture that it has seen before, but one detector "
        "serves all videos",
        "Keep nothing from one call to the next",
    )
    if look.looks:
        _check_numbers(look, noise[0], found[0])
    else:
        _check_blindness(look, noise, found)
    if pictures is not None:
        _check_faces(look, np.asarray(pictures))
    if isinstance(detector, ScalingDetector):
        shown = noise if pictures is None else np.asarray(pictures)
        _check_scaled(detector, shown, look(shown, range(len(shown))))
    look.returned.check()


class _Look:
    """Shows pictures to a detector and checks what it answers.

    Attributes:
        name: The detector in words.
        looks: Whether it looks at pictures.
        knows_ids: Whether it says whose face each is.
        returned: What it has answered so far.
    """

    def __init__(self, detector: Detector) -> None:
        self.name = name_of(detector)
        self.returned = Remembered(self.name)
        self.looks = checked_looks(self.name, detector)
        self.knows_ids = checked_knows_ids(self.name, detector)
        self._detector = detector

    def __call__(self, pictures: UInt8, indices: Sequence[int]) -> list[Detections]:
        """The faces of pictures (n, height, width, 3)."""
        height, width = pictures.shape[1:3]
        with asking(self.name, pictures):
            answer = self._detector.detect(pictures, list(indices))
        found = checked_faces(self.name, answer, indices, (height, width))
        smallest_px = self._smallest_px(height, width)
        for index, faces in zip(indices, found, strict=True):
            with asked(self.name):
                # They may have been changed since.
                Detections(faces.boxes, faces.scores, faces.landmarks, faces.ids)
            self._check_places(index, faces, max(height, width))
            self._check_landmarks(index, faces)
            self._check_ids(index, faces)
            self._check_scores(index, faces)
            self._check_smallest(index, faces, smallest_px)
        arrays = [array for faces in found for array in vars(faces).values()]
        self.returned.add([array for array in arrays if array is not None])
        return found

    def _check_places(self, index: int, faces: Detections, longer_px: int) -> None:
        for box in faces.boxes:
            shown = [round(float(value), 2) for value in box]
            hold(
                max(box[2:]) > 1,
                f"{self.name} says that frame {index} has a face at {shown}, which is within one "
                "pixel, but boxes are in pixels of the picture, not parts of it from 0 to 1",
                "Multiply x by the picture's width and y by its height",
            )
            hold(
                min(box[:2]) >= -longer_px and max(box[2:]) <= 2 * longer_px,
                f"{self.name} says that frame {index} has a face at {shown}, which reaches further "
                f"beyond the picture than its longer side of {longer_px} pixels",
                "Boxes are x1, y1, x2, y2 in pixels of the picture that was given; clip them",
            )

    def _check_landmarks(self, index: int, faces: Detections) -> None:
        if faces.landmarks is None:
            return
        for box, landmarks in zip(faces.boxes, faces.landmarks, strict=True):
            beyond = np.maximum(box[:2] - landmarks, landmarks - box[2:]).max()
            hold(
                beyond <= max(box[2:] - box[:2]),
                f"{self.name} says that the face of frame {index} at {np.round(box, 2).tolist()} "
                f"has landmarks at {np.round(landmarks, 2).tolist()}, further from it than its "
                "longer side",
                "Landmarks are x, y in pixels of the picture, as boxes are, not within the box",
            )

    def _check_ids(self, index: int, faces: Detections) -> None:
        if not self.knows_ids:
            hold(
                faces.ids is None,
                f"{self.name} gives the faces of frame {index} ids, which nobody reads without "
                "knows_ids = True",
                "Say so, or leave Detections.ids out",
            )
            return
        ids = [] if not len(faces) or faces.ids is None else faces.ids.tolist()
        hold(
            len(set(ids)) == len(faces) and min(ids, default=0) >= 0,
            f"{self.name} has knows_ids=True, but the ids of {len(faces)} faces in frame {index} "
            f"are {ids}",
            "Give each face of a frame an id of its own in Detections.ids: whole numbers from 0 on",
        )

    def _check_scores(self, index: int, faces: Detections) -> None:
        wrong = faces.scores[(faces.scores < 0) | (faces.scores > 1)]
        hold(
            not len(wrong),
            f"{self.name} gives a face of frame {index} the score {wrong[:1].tolist()}, but a "
            "score is a confidence from 0 to 1",
            "Turn logits into probabilities, and per cent into parts",
        )

    def _smallest_px(self, height: int, width: int) -> float:
        """The declared side of the smallest face; 0 if none is declared."""
        smallest = getattr(self._detector, "smallest_face_px", None)
        if smallest is None:
            return 0.0
        with asked(self.name):
            px = float(smallest(height, width))
        hold(
            np.isfinite(px) and px > 0,
            f"{self.name}.smallest_face_px({height}, {width}) is {px}, but must be a number of "
            "pixels above 0",
            "Leave the method out if the size is not known",
        )
        return px

    def _check_smallest(self, index: int, faces: Detections, smallest_px: float) -> None:
        sides = (faces.boxes[:, 2:] - faces.boxes[:, :2]).max(1)
        hold(
            (sides >= _ABOUT * smallest_px).all(),
            f"{self.name} finds a face of {min(sides, default=0):.0f} px in frame {index}, but "
            f"says by smallest_face_px that the smallest one has about {smallest_px:.0f} px",
            "Leave out smaller faces, or state what it does find",
        )


def _plain(height: int, width: int) -> list[UInt8]:
    """A black and a white picture."""
    return [np.full((height, width, 3), level, np.uint8) for level in (0, 255)]


def _check_batch(
    look: _Look, pictures: UInt8, indices: Sequence[int], found: Sequence[Detections]
) -> None:
    """Faces of a picture do not depend on the others of its batch."""
    for index, faces, picture in zip(indices, found, pictures, strict=True):
        _same(
            look(picture[None], [index]),
            [faces],
            f"{look.name} finds other faces in frame {index} by itself than among others",
            "Look at each picture separately, whatever else is in the batch",
        )


def _check_numbers(look: _Look, picture: UInt8, faces: Detections) -> None:
    """Faces of a picture do not depend on its frame number, which may lie beyond the batch."""
    for number in _OTHER_NUMBERS:
        _same(
            look(picture[None], [number]),
            [faces],
            f"{look.name} finds other faces if the same picture has the frame number {number}",
            "Indices are numbers of frames in the video, -1 for a picture that is none, not "
            "positions in the batch; a detector that knows the faces of each frame beforehand "
            "says so by looks = False",
        )


def _check_blindness(look: _Look, pictures: UInt8, found: list[Detections]) -> None:
    """Faces that are known beforehand do not depend on the pictures; portraits have none."""
    with suppress(ConfigError):
        look(pictures[:1], [-1])
    _same(
        look(np.zeros_like(pictures), _INDICES),
        found,
        f"{look.name} says by looks = False that it knows the faces of each frame beforehand, but "
        "finds others in other pictures",
        "Leave looks out for a detector that looks at pictures",
    )


def _check_faces(look: _Look, pictures: UInt8) -> None:
    """Pictures of people have faces, the same alone and in a batch."""
    indices = range(len(pictures))
    found = look(pictures, indices)
    missed = [number for number, faces in enumerate(found) if not len(faces)]
    hold(
        not missed,
        f"{look.name} finds no face in pictures{missed[:1]}",
        "Give pictures in which it must find one, as (n, height, width, 3) uint8, RGB",
    )
    for number, faces in enumerate(found):
        points = None if faces.landmarks is None else faces.landmarks[int(faces.scores.argmax())]
        hold(
            points is None or in_order(points),
            f"{look.name} finds in pictures[{number}] landmarks that are not in order: "
            f"{None if points is None else np.round(points, 1).tolist()}",
            "It is: eye on the picture's left, eye on its right, nose, mouth's left, mouth's right",
        )
    _check_batch(look, pictures, indices, found)


def _check_scaled(detector: ScalingDetector, pictures: UInt8, found: list[Detections]) -> None:
    """Faces are the same in pictures scaled down beforehand."""
    name, size = name_of(detector), (pictures.shape[1], pictures.shape[2])
    with asked(name):
        side = detector.input_side_px(*size)
    side = checked_side(name, side)
    if side is None:
        return
    small = np.stack([shrink(picture, side)[0] for picture in pictures])
    indices = list(range(len(small)))
    with asking(name, small):
        answer = detector.detect_scaled(small, indices, size)
    _same(
        checked_faces(name, answer, indices, size),
        found,
        f"{name}.detect_scaled finds other faces than detect",
        "Its boxes are in pixels of the whole pictures, whose height and width it is given",
    )


def _same(
    some: Sequence[Detections], others: Sequence[Detections], otherwise: str, mend: str
) -> None:
    same = all(
        len(one) == len(other)
        and np.allclose(one.boxes, other.boxes, rtol=0, atol=_SAME_BOX_PX)
        and np.allclose(one.scores, other.scores, rtol=0, atol=SAME_SCORE)
        and _same_landmarks(one, other)
        and _same_ids(one, other)
        for one, other in zip(some, others, strict=True)
    )
    hold(same, otherwise, mend)


def _same_landmarks(one: Detections, other: Detections) -> bool:
    if one.landmarks is None or other.landmarks is None:
        return one.landmarks is other.landmarks or not len(one)
    return np.allclose(one.landmarks, other.landmarks, rtol=0, atol=_SAME_BOX_PX)


def _same_ids(one: Detections, other: Detections) -> bool:
    if one.ids is None or other.ids is None:
        return one.ids is other.ids or not len(one)
    return np.array_equal(one.ids, other.ids)
