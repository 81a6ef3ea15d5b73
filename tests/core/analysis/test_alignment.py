"""Aligned faces: whatever way a face is turned, its landmarks come to where the embedder wants."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from analysing import Cuts, Zeros, analyse

from asdkit.core.analysis.alignment import aligned
from asdkit.core.analysis.crops import portrait
from asdkit.core.analysis.parts import Parts
from asdkit.core.analysis.people import read_people
from asdkit.core.errors import PluginError
from asdkit.core.kept_parts import asked_of
from asdkit.core.landmarks import TYPICAL, FaceTemplate, typical
from asdkit.core.resume import Answers
from asdkit.core.types import Detections

COLOURS = np.array([[250, 0, 0], [0, 250, 0], [0, 0, 250], [250, 250, 0], [0, 250, 250]])
SIDE = 48
TEMPLATE = FaceTemplate(SIDE, TYPICAL * SIDE)
SIZE = (160, 240)


def turned(angle, scale, middle):
    """The template's landmarks (5, 2), turned, scaled and moved."""
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (TEMPLATE.landmarks - TEMPLATE.landmarks.mean(0)) @ turn.T + middle


def draw(picture, landmarks, radius=4.0):
    """Paint a spot of its own colour at each landmark, with soft edges."""
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
    for (px, py), colour in zip(landmarks, COLOURS, strict=True):
        amount = np.clip(radius + 0.5 - np.hypot(x - px, y - py), 0, 1)[..., None]
        picture[:] = np.round(picture * (1 - amount) + colour * amount)
    return picture


def spots(face):
    """Where the middle of each spot is in a face: (5, 2)."""
    face = face.astype(float)
    found = []
    for colour in COLOURS:
        near = np.clip(1 - np.abs(face - colour).sum(2) / 120, 0, 1)
        assert near.sum() > 1, "a spot is not in the face"
        found.append([(near.sum(k) * np.arange(SIDE)).sum() / near.sum() for k in (0, 1)])
    return np.array(found)


class Knows:
    """A detector that knows box and landmarks of each frame."""

    def __init__(self, landmarks, boxes=None, *, given=True, looks=True):
        self.landmarks, self.given, self.looks = landmarks, given, looks
        self.boxes = [around(points) for points in landmarks] if boxes is None else boxes

    def detect(self, frames, indices):
        return [
            Detections(self.boxes[k][None], np.ones(1), self.landmarks[k][None])
            if self.given
            else Detections(self.boxes[k][None], np.ones(1))
            for k in indices
        ]


def around(landmarks):
    """A box (4,) with the landmarks within."""
    return np.concatenate([landmarks.min(0) - 8, landmarks.max(0) + 8])


class Wants:
    """An embedder of aligned faces, which keeps those that it is given."""

    template = TEMPLATE

    def __init__(self):
        self.faces = []

    def embed(self, faces):
        assert faces.shape[1:] == (SIDE, SIDE, 3)
        self.faces += list(faces.copy())
        return np.tile(np.float32([[1, 0]]), (len(faces), 1))


def embedded(landmarks, *, every=1, embed_every=1, pixel_aspect=1.0, detector=None):
    """The faces that an embedder gets of a video of one face."""
    pictures = [draw(np.full((*SIZE, 3), 60, np.uint8), points) for points in landmarks]
    if pixel_aspect != 1:
        size = (round(SIZE[1] / pixel_aspect), SIZE[0])
        pictures = [cv2.resize(picture, size, None, 0, 0, cv2.INTER_AREA) for picture in pictures]
    embedder = Wants()
    _, (track,) = analyse(
        pictures,
        detector=detector or Knows(landmarks),
        embedder=embedder,
        every=every,
        embed_every=embed_every,
        pixel_aspect=pixel_aspect,
    )
    assert len(track) == len(landmarks)
    assert track.embedded.tolist() == list(range(0, len(landmarks), embed_every))
    return embedder.faces


TURNING = [turned(k / 10 - 1, 1 + k / 20, (120, 80 + k / 2)) for k in range(20)]
MOVING = [turned(-0.4, 1.5, (90 + k, 80)) for k in range(20)]


def test_a_face_that_turns_and_grows_stays_where_it_should():
    for face in embedded(TURNING):
        assert np.abs(spots(face) - TEMPLATE.landmarks).max() < 1


@pytest.mark.parametrize("every", [3, "auto"])
def test_between_two_looks_landmarks_move_with_the_box(every):
    for face in embedded(MOVING, every=every):
        assert np.abs(spots(face) - TEMPLATE.landmarks).max() < 1


def test_the_nearest_look_counts():
    """Looks at 0, 6, 12 and so on: frame 5 is closer to that at 6, where the face has turned."""
    turning = [turned(0.5 * (k > 4), 1.5, (120, 80)) for k in range(13)]
    boxes = [np.array([80.0, 40, 160, 120])] * 13
    faces = embedded(turning, every=6, embed_every=5, detector=Knows(turning, boxes))
    assert np.abs(spots(faces[1]) - TEMPLATE.landmarks).max() < 1


def test_oblong_pixels():
    """A detector that knows faces beforehand gives stored pixels, which are twice as wide."""
    stored = [points / [2, 1] for points in TURNING]
    detector = Knows(stored, [around(p) / [2, 1, 2, 1] for p in TURNING], looks=False)
    for face in embedded(TURNING, pixel_aspect=2.0, detector=detector):
        assert np.abs(spots(face) - TEMPLATE.landmarks).max() < 1


def test_without_landmarks_the_usual_places_in_the_box_are_taken():
    box = np.array([60.0, 30, 140, 110])
    upright = [typical(box)] * 20
    for face in embedded(upright, detector=Knows(upright, [box] * 20, given=False)):
        assert np.abs(spots(face) - TEMPLATE.landmarks).max() < 1


def test_of_too_many_faces_the_surest_keep_their_landmarks():
    one, other = turned(0.3, 1.2, (60, 80)), turned(-0.3, 1.2, (180, 80))
    boxes, both = np.stack([around(one), around(other)]), np.stack([one, other])

    class Two:
        def detect(self, frames, indices):
            return [Detections(boxes, np.array([0.2, 0.9]), both) for _ in indices]

    picture = draw(np.full((*SIZE, 3), 60, np.uint8), other)
    embedder = Wants()
    analyse([picture] * 20, detector=Two(), embedder=embedder, max_faces=1, embed_every=1)
    assert len(embedder.faces) == 20
    for face in embedder.faces:
        assert np.abs(spots(face) - TEMPLATE.landmarks).max() < 1


def test_an_embedder_that_says_nothing_gets_boxes_bit_for_bit():
    class WantsBoxes(Wants):
        template = None

        def embed(self, faces):
            assert faces.shape[1:] == (160, 160, 3)
            self.faces += list(faces.copy())
            return np.tile(np.float32([[1, 0]]), (len(faces), 1))

    pictures = [draw(np.full((*SIZE, 3), 60, np.uint8), points) for points in TURNING]
    detector, embedder = Knows(TURNING), WantsBoxes()
    analyse(pictures, detector=detector, embedder=embedder, embed_every=1)
    for picture, box, face in zip(pictures, detector.boxes, embedder.faces, strict=True):
        assert np.array_equal(face, portrait(picture, box))


def test_portraits_of_people_are_aligned(tmp_path):
    points = turned(0.7, 2.0, (130, 80))
    picture = draw(np.full((*SIZE, 3), 60, np.uint8), points)
    cv2.imwrite(str(tmp_path / "Ann.png"), picture[..., ::-1])
    near = turned(0, 0.2, (20, 20))

    class Two:
        """Tells of a small face, too."""

        def detect(self, frames, indices):
            boxes = np.stack([around(near), around(points)])
            return [Detections(boxes, np.ones(2), np.stack([near, points]))]

    embedder = Wants()
    read_people(tmp_path, Two(), embedder)
    (face,) = embedder.faces
    assert np.abs(spots(face) - TEMPLATE.landmarks).max() < 1


def test_a_run_that_keeps_answers_passes_on_what_it_says():
    class Says(Wants):
        identity_distance = 0.3

    parts = Parts(Cuts(), Knows(TURNING), None, Zeros(), Says())
    embedder = asked_of(Answers(None), parts).embedder
    assert (embedder.template, embedder.identity_distance) == (TEMPLATE, 0.3)


# The picture itself.


@pytest.mark.parametrize("scale", [0.7, 3.0, 11.0])
def test_small_and_large_faces(scale):
    points = turned(0.5, scale, (400, 400))
    picture = draw(np.full((800, 800, 3), 60, np.uint8), points, radius=4 * scale)
    assert np.abs(spots(aligned(picture, points, TEMPLATE)) - TEMPLATE.landmarks).max() < 0.5


def test_fine_patterns_of_large_faces_are_averaged():
    """A chequered face of single pixels is grey, whatever pixels it is taken from."""
    picture = np.zeros((600, 600, 3), np.uint8)
    picture[::2, ::2], picture[1::2, 1::2] = 255, 255
    face = aligned(picture, turned(0.2, 8, (300, 300)), TEMPLATE)
    assert face.std() < 8
    assert 115 < face.mean() < 140


def test_beyond_the_picture_it_is_black():
    points = turned(0.0, 1.0, (0, 80))
    face = aligned(np.full((*SIZE, 3), 200, np.uint8), points, TEMPLATE)
    assert (face[:, : SIDE // 2 - 3] == 0).all()
    assert (face[:, SIDE // 2 + 3 :] == 200).all()


@pytest.mark.parametrize(
    "points",
    [
        np.full((5, 2), 30.0),
        turned(0, 1, (-4000, 90)),
        turned(0, 1e4, (90, 90)),
        turned(0, 1e-4, (90, 90)),
    ],
)
def test_landmarks_that_no_face_has_give_a_picture_all_the_same(points):
    face = aligned(np.full((*SIZE, 3), 200, np.uint8), points, TEMPLATE)
    assert face.shape == (SIDE, SIDE, 3)


# What an embedder may say of itself.


@pytest.mark.parametrize(
    ("says", "said"),
    [
        (
            {"template": 112},
            r"attribute template .* as an asdkit.plugin.FaceTemplate, but it is 112",
        ),
        ({"identity_distance": 3}, "identity_distance=3, which is no cosine distance from 0 to 2"),
        ({"identity_distance": "near"}, "identity_distance='near', which is no cosine distance"),
        ({"identity_distance": np.nan}, "identity_distance=nan, which is no cosine distance"),
    ],
)
def test_what_it_cannot_say(says, said):
    embedder = type("Says", (Wants,), says)()
    with pytest.raises(PluginError, match=said) as caught:
        analyse([np.zeros((*SIZE, 3), np.uint8)], detector=Knows(TURNING), embedder=embedder)
    assert "\n" not in str(caught.value)
    assert "Leave it out" in str(caught.value)


def test_landmarks_far_from_the_picture_are_refused():
    detector = Knows([points * 1e3 for points in TURNING], [np.array([60.0, 30, 140, 110])] * 20)
    with pytest.raises(PluginError, match=r"landmarks at .* far from the picture of 240x160"):
        analyse([np.zeros((*SIZE, 3), np.uint8)], detector=detector)
