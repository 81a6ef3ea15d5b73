"""`check_detector` finds what breaks the contract, and says how to mend it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from asdkit import testing
from asdkit.core.errors import ConfigError, PluginError
from asdkit.core.landmarks import TYPICAL
from asdkit.core.pictures import shrink
from asdkit.core.types import Detections

SIZE = {"height": 48, "width": 64}


def faces(*boxes, score=0.9):
    return Detections(np.array(boxes, float).reshape(-1, 4), np.full(len(boxes), score))


def brightest(frame):
    """A face around the brightest pixel, so that it depends on the picture."""
    height, width = frame.shape[:2]
    y, x = np.unravel_index(frame[..., 0].argmax(), (height, width))
    return faces([x - 4, y - 4, x + 5, y + 5])


class Sound:
    """Keeps the contract; others change one thing."""

    def detect(self, frames, indices):
        return [brightest(frame) for frame in frames]

    def smallest_face_px(self, height, width):
        return 9.0


class Beforehand:
    """Knows the faces of each frame."""

    looks = False

    def detect(self, frames, indices):
        if -1 in indices:
            raise ConfigError("No portraits")
        return [faces([index, 0, index + 9, 9]) for index in indices]


class KnowsIds(Beforehand):
    """Knows whose face each is, too; others change one thing."""

    knows_ids = True
    ids = (7, 0)

    def detect(self, frames, indices):
        two = [replace(one, boxes=np.tile(one.boxes, (2, 1)), scores=np.ones(2))
               for one in super().detect(frames, indices)]  # fmt: skip
        return [replace(one, ids=self.of(index)) for one, index in zip(two, indices, strict=True)]

    def of(self, index):
        return np.array(self.ids)


class PerhapsKnows(KnowsIds):
    knows_ids = "ids"


class DoesNotSay(KnowsIds):
    knows_ids = False


class SaysNoIds(KnowsIds):
    def of(self, index):
        return None


class OneIdTwice(KnowsIds):
    ids = (7, 7)


class NegativeId(KnowsIds):
    ids = (7, -1)


class CountsCalls(KnowsIds):
    calls = 0

    def detect(self, frames, indices):
        self.calls += 1
        return super().detect(frames, indices)

    def of(self, index):
        return np.array([self.calls, self.calls + 1])


class IdsInOneArray(KnowsIds):
    one = np.array([7, 0])

    def detect(self, frames, indices):
        self.one[:] = self.one[::-1] if not len(indices) else self.one
        return super().detect(frames, indices)

    def of(self, index):
        return self.one


class ForgetsAFrame(Sound):
    def detect(self, frames, indices):
        return super().detect(frames, indices)[:1]


class LooksAtTheBatch(Sound):
    def detect(self, frames, indices):
        return [faces([0, 0, 9 * len(indices), 9]) for _ in indices]


class SureInABatch(Sound):
    def detect(self, frames, indices):
        return [faces([0, 0, 9, 9], score=1 / len(indices)) for _ in indices]


class Paints(Sound):
    def detect(self, frames, indices):
        frames[:] = 0
        return super().detect(frames, indices)


class PaintsOnePicture(Sound):
    def detect(self, frames, indices):
        if len(frames) == 1:
            frames[:] //= 2
        return super().detect(frames, indices)


class IndexIsAPlace(Sound):
    def detect(self, frames, indices):
        first = min(indices, default=0)
        return [brightest(frames[min(index - first, len(frames) - 1)]) for index in indices]


class FailsBeyondTheBatch(Sound):
    def detect(self, frames, indices):
        return [brightest(frames[index]) for index in indices]


class NoPortraits(Sound):
    def detect(self, frames, indices):
        found = super().detect(frames, indices)
        return [faces() if index < 0 else one for index, one in zip(indices, found, strict=True)]


class ByNumber(Beforehand):
    looks = True

    def detect(self, frames, indices):
        return [
            faces([index, 0, index + 9, 9]) if 0 <= index < 50 else faces() for index in indices
        ]


class FailsAtPortraits(Beforehand):
    def detect(self, frames, indices):
        return [{0: faces(), 2: faces(), 3: faces()}[index] for index in indices]


class SaysItIsBlind(Sound):
    looks = False


class PerhapsLooks(Sound):
    looks = None


class Remembers(Sound):
    seen = 0

    def detect(self, frames, indices):
        self.seen += len(frames) * (frames.shape[1] != SIZE["height"])
        return [faces([self.seen, 0, 20 + self.seen, 20]) for _ in frames]


class OneSize(Sound):
    def detect(self, frames, indices):
        return [brightest(frame) for frame in frames.reshape(-1, 48, 64, 3)[: len(frames)]]


class DividesByContrast(Sound):
    def detect(self, frames, indices):
        with np.errstate(invalid="ignore"):
            return [faces([0, 0, 9, 9], score=np.ptp(f) / np.float64(np.ptp(f))) for f in frames]


class Parts(Sound):
    def detect(self, frames, indices):
        return [faces([0.2, 0.2, 0.9, 0.9]) for _ in frames]


class FarOut(Sound):
    def detect(self, frames, indices):
        return [faces([-300, -300, 20, 20]) for _ in frames]


class Elsewhere(Sound):
    def detect(self, frames, indices):
        return [faces([640, 480, 700, 560]) for _ in frames]


class PerCent(Sound):
    def detect(self, frames, indices):
        return [faces([0, 0, 9, 9], score=97.0) for _ in frames]


class Logits(Sound):
    def detect(self, frames, indices):
        return [faces([0, 0, 9, 9], score=-2.5) for _ in frames]


class NotANumber(Sound):
    def detect(self, frames, indices):
        return [faces([0, 0, np.nan, 9]) for _ in frames]


class NotANumberLater(Sound):
    def detect(self, frames, indices):
        found = super().detect(frames, indices)
        for one in found:
            one.boxes[:] = np.nan
        return found


class ConfidentOfNothing(Sound):
    def smallest_face_px(self, height, width):
        return 40.0


class NoSize(Sound):
    def smallest_face_px(self, height, width):
        return 9.0 / max(0, height - 48) if height > 48 else float("nan")


class OneArray(Sound):
    room = np.zeros((1, 4))

    def detect(self, frames, indices):
        found = super().detect(frames, indices)
        if len(found) == 1:
            self.room[:] = found[0].boxes
            object.__setattr__(found[0], "boxes", self.room)
        return found


class Scaling(Sound):
    """Looks at pictures of half the size."""

    def input_side_px(self, height, width):
        return max(height, width) // 2

    def detect(self, frames, indices):
        size = frames.shape[1], frames.shape[2]
        return [
            found
            for frame in frames
            for found in self.detect_scaled(
                shrink(frame, self.input_side_px(*size))[0][None], indices, size
            )
        ]

    def detect_scaled(self, frames, indices, size):
        scale = max(frames.shape[1:3]) / max(size)
        return [Detections(brightest(frame).boxes / scale, np.ones(1)) for frame in frames]


class SmallBoxes(Scaling):
    def detect(self, frames, indices):
        return Sound.detect(self, frames, indices)

    def detect_scaled(self, frames, indices, size):
        return [brightest(frame) for frame in frames]


class NoSide(SmallBoxes):
    def input_side_px(self, height, width):
        return 0.5


def with_landmarks(found, places=TYPICAL):
    """Detections with landmarks at these places of their boxes."""
    corners, sides = found.boxes[:, None, :2], (found.boxes[:, 2:] - found.boxes[:, :2])[:, None]
    return replace(found, landmarks=corners + places * sides)


class Landmarks(Sound):
    """Tells of eyes, nose and mouth, too."""

    def detect(self, frames, indices):
        return [with_landmarks(found) for found in super().detect(frames, indices)]


class WithinTheBox(Sound):
    def detect(self, frames, indices):
        return [
            replace(with_landmarks(f), landmarks=TYPICAL[None])
            for f in super().detect(frames, indices)
        ]


class LandmarksOfABatch(Sound):
    def detect(self, frames, indices):
        shift = 4 * (len(frames) > 1)
        found = super().detect(frames, indices)
        return [with_landmarks(faces, TYPICAL + shift / 9) for faces in found]


class NoLandmarksAlone(Landmarks):
    def detect(self, frames, indices):
        found = super().detect(frames, indices)
        return found if len(found) > 1 else [replace(faces, landmarks=None) for faces in found]


class LandmarksLost(Sound):
    def detect(self, frames, indices):
        found = [with_landmarks(faces) for faces in super().detect(frames, indices)]
        for one in found:
            one.landmarks[:] = np.nan
        return found


class LandmarksInOneArray(Landmarks):
    room = np.zeros((1, 5, 2))

    def detect(self, frames, indices):
        found = super().detect(frames, indices)
        if len(found) == 1:
            self.room[:] = found[0].landmarks
            object.__setattr__(found[0], "landmarks", self.room)
        return found


class Mirrored(Sound):
    """Names what is left and right from where the person is."""

    def detect(self, frames, indices):
        found = super().detect(frames, indices)
        return [with_landmarks(faces, TYPICAL[[1, 0, 2, 4, 3]]) for faces in found]


@pytest.mark.parametrize("sound", [Sound(), Beforehand(), KnowsIds(), Scaling(), Landmarks()])
def test_what_keeps_the_contract_passes(sound):
    testing.check_detector(sound, **SIZE)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (ForgetsAFrame(), "one Detections for each of 3"),
        (LooksAtTheBatch(), r"other faces in frame 0 by itself.*Look at each picture separately"),
        (SureInABatch(), r"other faces in frame 0 by itself"),
        (Paints(), r"changes the arrays.*Work on a copy"),
        (PaintsOnePicture(), r"changes the arrays"),
        (IndexIsAPlace(), r"other faces in frame 2 by itself"),
        (FailsBeyondTheBatch(), r"failed: IndexError"),
        (NoPortraits(), r"frame number -1.*not positions in the batch"),
        (ByNumber(), r"frame number -1.*says so by looks = False"),
        (FailsAtPortraits(), r"failed: KeyError: -1"),
        (SaysItIsBlind(), r"says by looks = False.*Leave looks out"),
        (PerhapsLooks(), r"looks=None, which must be True or False"),
        (Remembers(), r"seen before.*Keep nothing from one call to the next"),
        (OneSize(), r"OneSize failed: ValueError"),
        (DividesByContrast(), r"failed: ValueError: Detections.scores must be finite"),
        (Parts(), r"\[0.2, 0.2, 0.9, 0.9\].*not parts of it from 0 to 1. Multiply x"),
        (FarOut(), r"reaches further beyond the picture than its longer side of 64.*clip them"),
        (Elsewhere(), r"lies outside the picture.*Boxes are x1, y1, x2, y2"),
        (PerCent(), r"score \[97.0\].*from 0 to 1. Turn logits"),
        (Logits(), r"score \[-2.5\]"),
        (NotANumber(), r"failed: ValueError: Detections.boxes must be finite"),
        (NotANumberLater(), r"Detections.boxes must be finite"),
        (ConfidentOfNothing(), r"finds a face of 9 px.*smallest one has about 40 px"),
        (NoSize(), r"smallest_face_px\(48, 64\) is nan.*Leave the method out"),
        (SmallBoxes(), r"detect_scaled finds other faces than detect.*pixels of the whole"),
        (NoSide(), r"input_side_px=0.5, which is no number of pixels"),
        (OneArray(), r"changes in a later call.*Return new arrays"),
        (WithinTheBox(), r"further from it than its longer side.*not within the box"),
        (LandmarksOfABatch(), r"other faces in frame 0 by itself"),
        (NoLandmarksAlone(), r"other faces in frame 0 by itself"),
        (LandmarksLost(), r"Detections.landmarks must be finite"),
        (PerhapsKnows(), r"knows_ids='ids', which must be True or False"),
        (DoesNotSay(), r"frame 0 ids, which nobody reads without knows_ids = True.*leave"),
        (SaysNoIds(), r"knows_ids=True, but the ids of 2 faces in frame 0 are \[\]. Give each"),
        (OneIdTwice(), r"the ids of 2 faces in frame 0 are \[7, 7\]"),
        (NegativeId(), r"the ids of 2 faces in frame 0 are \[7, -1\]"),
        (CountsCalls(), r"other faces in frame 0 by itself"),
        (IdsInOneArray(), r"changes in a later call.*Return new arrays"),
        (LandmarksInOneArray(), r"changes in a later call.*Return new arrays"),
    ],
)
def test_what_breaks_it_is_named(broken, says):
    with pytest.raises(PluginError, match=says) as caught:
        testing.check_detector(broken, **SIZE)
    assert str(caught.value).startswith(type(broken).__name__)
    assert caught.value.hint or "must answer with" in caught.value.what


def test_landmarks_of_people_must_be_in_order():
    pictures = np.zeros((2, 40, 40, 3), np.uint8)
    pictures[:, 20, 20] = 255
    testing.check_detector(Landmarks(), **SIZE, pictures=pictures)
    with pytest.raises(
        PluginError, match=r"pictures\[0\] landmarks that are not in order.*picture's left"
    ):
        testing.check_detector(Mirrored(), **SIZE, pictures=pictures)


def test_pictures_of_people_must_show_a_face():
    pictures = np.full((2, 40, 40, 3), 9, np.uint8)
    testing.check_detector(Sound(), **SIZE, pictures=pictures)

    class Nobody(Sound):
        def detect(self, frames, indices):
            return [faces() for _ in frames]

    testing.check_detector(Nobody(), **SIZE)
    with pytest.raises(PluginError, match=r"finds no face in pictures\[0\]"):
        testing.check_detector(Nobody(), **SIZE, pictures=pictures)


def test_pictures_of_people_are_looked_at_alone_too():
    class LooksAtTheBatch(Sound):
        def detect(self, frames, indices):
            seen = [faces([0, 0, 9 + len(frames), 9]) for _ in frames]
            return seen if frames.shape[1] == 40 else [faces() for _ in frames]

    with pytest.raises(PluginError, match="by itself than among others"):
        testing.check_detector(
            LooksAtTheBatch(), **SIZE, pictures=np.zeros((3, 40, 40, 3), np.uint8)
        )
