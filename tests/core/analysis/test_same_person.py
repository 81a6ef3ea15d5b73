"""Tracks belong to one person: what a tracker joins by place is one face to look at, too."""

from __future__ import annotations

import zlib
from dataclasses import replace
from itertools import islice

import cv2
import numpy as np
import pytest
from analysing import analyse
from following import make

import asdkit
from asdkit.core.landmarks import TYPICAL, FaceTemplate, typical
from asdkit.core.media.picture import frames as frames_of
from asdkit.core.media.probe import probe
from asdkit.core.types import Detections

SIZE = (120, 200)
LEFT, RIGHT = (30, 30), (130, 30)
FACE_PX = 40


def person(seed):
    """(40, 40, 3) uint8: a face like no other, in grey."""
    coarse = np.random.default_rng(seed).integers(20, 200, (7, 7), np.uint8)
    face = cv2.resize(coarse, (FACE_PX, FACE_PX), interpolation=cv2.INTER_CUBIC)
    return np.repeat(face[..., None], 3, 2)


class Stage:
    """Pictures with persons at places, and a detector that knows where they are."""

    def __init__(self):
        self.pictures, self.faces = [], []
        self._rng = np.random.default_rng(1)

    def show(self, frames, *at, light=0, speed=0.0, found=True):
        """Show (seed, (x, y)) for some frames, with grain; `speed` in pixels a frame."""
        for k in range(frames):
            picture = np.full((*SIZE, 3), 60, np.uint8)
            boxes = []
            for seed, (x, y) in at:
                left = x + round(speed * k)
                picture[y : y + FACE_PX, left : left + FACE_PX] = person(seed)
                boxes.append([left, y, left + FACE_PX, y + FACE_PX])
            picture = picture + self._rng.integers(0, 6, picture.shape, np.uint8)
            self.pictures.append(cv2.add(picture, np.full_like(picture, light)))
            self.faces.append(np.array(boxes if found else np.empty((0, 4)), float))
        return self

    def detect(self, frames, indices):
        return [Detections(self.faces[k], np.ones(len(self.faces[k]))) for k in indices]


class Numbers:
    """An embedder that is shown faces and answers with who that is."""

    def __init__(self, *vectors):
        self.vectors, self.asked = vectors, 0

    def embed(self, faces):
        self.asked += len(faces)
        return np.array([self.vectors[k % len(self.vectors)] for k in range(len(faces))])


class WithoutEnd:
    """A stranger's tracker, which can only end all tracks at once."""

    def __init__(self, detect_every):
        self._tracker = make("iou", detect_every)
        self.update, self.flush = self._tracker.update, self._tracker.flush


def spans(stage, every=1, **parts):
    tracker = parts.pop("tracker", None) or make("iou", every)
    _, tracks = analyse(stage.pictures, detector=stage, tracker=tracker, every=every, **parts)
    return [(track.first_frame, track.first_frame + len(track)) for track in tracks]


@pytest.mark.parametrize("every", [1, 3, 10])
def test_another_person_at_the_same_place_is_another_track(every):
    stage = Stage().show(31, (1, LEFT)).show(20, (2, LEFT)).show(30, (3, LEFT))
    found = spans(stage, every)
    assert len(found) == 3
    assert not any(first < cut < end for cut in (31, 51) for first, end in found)
    if every == 1:
        assert found == [(0, 31), (31, 51), (51, 81)]


@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.parametrize("every", [1, 3])
def test_two_tiles_change_places(every, batch):
    """The third one stays, and so does its track."""
    middle = (80, 75)
    stage = Stage().show(33, (1, LEFT), (2, RIGHT), (3, middle))
    stage.show(33, (2, LEFT), (1, RIGHT), (3, middle))
    found = sorted(spans(stage, every, batch=batch))
    assert found[:3] == [(0, 31 if every == 3 else 33)] * 2 + [(0, 66)]
    assert found[3:] == [(33, 66)] * 2


@pytest.mark.parametrize("name", ["iou", "bytetrack", "ocsort", "cbiou"])
def test_whatever_tracker_follows(name):
    if name != "iou":
        pytest.importorskip("trackers")
    stage = Stage().show(30, (1, LEFT), (2, RIGHT)).show(30, (2, LEFT), (1, RIGHT))
    found = spans(stage, tracker=make(name))
    assert found == [(0, 30), (0, 30), (30, 60), (30, 60)]


def test_a_tracker_that_ends_all_at_once():
    stage = Stage().show(30, (1, LEFT), (3, RIGHT)).show(30, (2, LEFT), (3, RIGHT))
    assert spans(stage, tracker=WithoutEnd(1)) == [(0, 30), (0, 30), (30, 60), (30, 60)]


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("light", [[90], [200], [255, 120], [255, 255, 255]])
def test_a_flash_ends_no_track(light, every):
    stage = Stage().show(32, (1, LEFT), (2, RIGHT))
    for brighter in light:
        stage.show(1, (1, LEFT), (2, RIGHT), light=brighter)
    stage.show(30, (1, LEFT), (2, RIGHT))
    assert spans(stage, every) == [(0, 62 + len(light))] * 2


def test_another_person_behind_a_flash():
    stage = Stage().show(30, (1, LEFT)).show(2, (1, LEFT), light=255).show(30, (2, LEFT))
    found = spans(stage)
    assert (found[0][0], found[-1][1]) == (0, 62)
    assert not any(first < 30 and end > 32 for first, end in found)


def test_another_person_after_a_gap():
    """Nobody is found for some frames, as in a short shot of something else."""
    stage = Stage().show(30, (1, LEFT)).show(4, found=False).show(30, (2, LEFT))
    assert spans(stage) == [(0, 30), (34, 64)]
    stage = Stage().show(30, (1, LEFT)).show(4, (1, LEFT), found=False).show(30, (1, LEFT))
    assert spans(stage) == [(0, 64)]


def test_whoever_moves_stays_one():
    stage = Stage().show(40, (1, LEFT), speed=2.5)
    assert spans(stage) == [(0, 40)]
    assert spans(stage, every=3) == [(0, 40)]


def test_a_slow_turn_stays_one():
    """From one look to quite another, a little with each frame."""
    stage = Stage()
    for k in range(60):
        stage.show(1, (1, LEFT))
        x, y = LEFT
        mixed = cv2.addWeighted(person(1), 1 - k / 60, person(2), k / 60, 0)
        stage.pictures[-1][y : y + FACE_PX, x : x + FACE_PX] = mixed
    assert spans(stage) == [(0, 60)]


def test_boxes_that_jitter_stay_one():
    stage = Stage().show(60, (1, LEFT))
    rng = np.random.default_rng(0)
    stage.faces = [faces + rng.uniform(-4, 4, faces.shape) for faces in stage.faces]
    assert spans(stage) == [(0, 60)]


def test_one_who_passes_in_front_takes_no_track_over():
    """The one behind is hidden for a while, and is found again."""
    stage = Stage()
    for k in range(70):
        x = k * 4 - 60
        if x > -FACE_PX:
            stage.show(1, (1, LEFT), (2, (max(0, min(x, 160)), 60)))
        else:
            stage.show(1, (1, LEFT))
    assert (0, 70) in spans(stage)


def test_an_embedder_has_the_last_word():
    stage = Stage().show(30, (1, LEFT)).show(30, (2, LEFT))
    assert spans(stage, embedder=Numbers([1.0, 0.0])) == [(0, 60)]
    apart = Numbers([1.0, 0.0], [0.0, 1.0])
    assert spans(stage, embedder=apart) == [(0, 30), (30, 60)]


@pytest.mark.parametrize("landmarks", [True, False])
def test_an_embedder_of_aligned_faces_has_it_too(monkeypatch, landmarks):
    """It is shown both faces from the same places, wherever the detector says these are."""

    class Wants(Numbers):
        template = FaceTemplate(20, TYPICAL * 20)
        faces = []

        def embed(self, faces):
            self.faces += list(faces)
            return super().embed(faces)

    def detect(frames, indices):
        found = [Detections(stage.faces[k], np.ones(len(stage.faces[k]))) for k in indices]
        if not landmarks:
            return found
        spots = [np.array([typical(box) for box in faces.boxes]) for faces in found]
        return [replace(faces, landmarks=p) for faces, p in zip(found, spots, strict=True)]

    stage = Stage().show(30, (1, LEFT)).show(30, (2, LEFT))
    monkeypatch.setattr(stage, "detect", detect)
    embedder = Wants([1.0, 0.0], [0.0, 1.0])
    assert spans(stage, embedder=embedder, embed_every=100) == [(0, 30), (30, 60)]
    first, second = (cv2.resize(person(seed), (20, 20)).astype(float) for seed in (1, 2))
    before, now = (face.astype(float) for face in embedder.faces[:2])
    assert np.abs(before - first).mean() < 12 < np.abs(before - second).mean()
    assert np.abs(now - second).mean() < 12 < np.abs(now - first).mean()


@pytest.mark.parametrize(("distance", "tracks"), [(0.9, 2), (1.1, 1)])
def test_who_is_another_person_is_for_the_embedder_to_say(distance, tracks):
    stage = Stage().show(30, (1, LEFT)).show(30, (2, LEFT))
    apart = Numbers([1.0, 0.0], [0.0, 1.0])
    apart.identity_distance = distance
    assert len(spans(stage, embedder=apart)) == tracks


def test_a_cut_ends_what_looks_alike():
    """What the cutter says counts, whoever is seen."""
    stage = Stage().show(60, (1, LEFT))
    assert spans(stage, cuts=(30,)) == [(0, 30), (30, 60)]


# Of real people.


class Once:
    """A detector that looks at each picture once, in however many tests it comes."""

    def __init__(self, detector):
        self._detector, self._known = detector, {}

    def detect(self, frames, indices):
        found = []
        for frame in frames:
            key = zlib.crc32(frame.tobytes())
            if key not in self._known:
                self._known[key] = self._detector.detect(frame[None], [0])[0]
            found.append(self._known[key])
        return found


@pytest.fixture(scope="module", params=["mtcnn", "yunet"])
def detector(request, shared):
    if request.param == "mtcnn":
        pytest.importorskip("facenet_pytorch")
    with pytest.MonkeyPatch.context() as patch:
        weights = shared("weights/face_detection_yunet_2023mar.onnx")
        patch.setenv("ASDKIT_WEIGHTS", str(weights.parent))
        yield Once(asdkit.load("detector", request.param, device="cpu", threads=1))


@pytest.fixture(scope="module")
def people(shared):
    """Pictures of three people, each (n, 288, 360, 3), a second long."""
    return [
        [frame.image for frame in islice(frames_of(probe(shared(f"clips/{name}.mpg"))), 32)]
        for name in ("bbaf2n", "brbk7n", "lrwp9a")
    ]


def cut(frames, **options):
    """Frames through the content cutter and the tracker, as with the defaults."""
    options.setdefault("cutter", asdkit.load("cutter", "content"))
    analysis, tracks = analyse(frames, **options)
    found = [(track.first_frame, track.first_frame + len(track)) for track in tracks]
    return analysis.shots, found


@pytest.mark.parametrize("min_shot_s", [0.2, 0.6])
@pytest.mark.parametrize("every", [1, 3])
def test_a_shot_of_two_fifths_of_a_second(detector, people, every, min_shot_s):
    """T1: three people at the same place; the second cut may be left out."""
    first, second, third = people
    pictures = [*first[:20], *second[:10], *third[:20]]
    cutter = asdkit.load("cutter", "content", min_shot_s=min_shot_s)
    tracker = make("iou", every, min_track_detections=5)
    _, found = cut(pictures, detector=detector, cutter=cutter, tracker=tracker, every=every)
    assert len(found) == 3
    assert not any(begin < at < end for at in (20, 30) for begin, end in found)


@pytest.mark.parametrize("every", [1, 3])
def test_a_gallery_whose_tiles_change_places(detector, people, every):
    """T2: no cut is seen, as most of the picture stays; the third track goes on."""
    a, b, c = people
    blank = np.full_like(a[0], 40)

    def gallery(k, left, right):
        small = [cv2.resize(tile, (240, 192)) for tile in (left[k], right[k], c[k], blank)]
        return np.concatenate([np.concatenate(small[:2], 1), np.concatenate(small[2:], 1)], 0)

    pictures = [gallery(k, a, b) for k in range(16)] + [gallery(k, b, a) for k in range(16, 32)]
    tracker = make("iou", every)
    _, found = cut(
        pictures, detector=detector, cutter=asdkit.load("cutter", "none"), tracker=tracker,
        every=every,
    )  # fmt: skip
    assert len(found) == 5
    assert (0, 32) in found
    assert sum(begin < 16 < end for begin, end in found) == 1


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("length", [1, 2])
def test_camera_flashes(detector, people, length, every):
    """T3: two people go on through two flashes of one shot."""
    a, b, _ = people
    pictures = [np.concatenate([a[k], b[k]], 1) for k in range(32)]
    for start in (10, 22):
        for k in range(start, start + length):
            pictures[k] = cv2.add(pictures[k], np.full_like(pictures[k], 130))
    shots, found = cut(pictures, detector=detector, tracker=make("iou", every), every=every)
    assert shots == [(0, 32)]
    assert found == [(0, 32)] * 2
