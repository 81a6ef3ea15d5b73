"""`check_scorer` and `check_embedder` find what breaks the contract, and say how to mend it."""

from __future__ import annotations

import random
import threading
from typing import ClassVar

import numpy as np
import pytest

from asdkit import testing
from asdkit.core.errors import PluginError
from asdkit.core.landmarks import TYPICAL, FaceTemplate
from asdkit.core.types import Scores

# Scorers


def logits(clip):
    """Speaking while it is loud."""
    loud = np.abs(clip.sound.reshape(len(clip), -1) / 32768).mean(1)
    return np.stack([-loud, loud], 1).astype(np.float32)


class Sound:
    """Keeps the contract; others change one thing."""

    def score(self, clips):
        return [Scores(logits(clip)) for clip in clips]


class Shifting(Sound):
    """Scores one face with several sounds as it should."""

    def score_shifted(self, clips):
        return self.score(clips)


class ShiftingAlike(Sound):
    def score_shifted(self, clips):
        return self.score(clips[:1]) * len(clips)


class ShiftingTooFew(Sound):
    def score_shifted(self, clips):
        return self.score(clips[1:])


class Following(Sound):
    """Follows faces: adds up how loud it was since the face was first seen."""

    def score(self, clips):
        return [Scores(np.cumsum(logits(clip), 0)) for clip in clips]

    def follow(self):
        return Followed()


class Followed:
    def __init__(self):
        self.rows = np.zeros((0, 2), np.float32)

    def score(self, clip, new):
        self.rows = np.concatenate([self.rows, logits(clip)[len(clip) - new :]])
        return Scores(np.cumsum(self.rows, 0))


class FollowingNobody(Sound):
    def follow(self):
        return None


class FollowingAsOne(Following):
    """Takes all faces for one."""

    def __init__(self):
        self.face = Followed()

    def follow(self):
        return self.face


class FollowingAnew(Following):
    """Forgets what was before."""

    def follow(self):
        return self

    def score(self, clips, new=None):
        if new is None:
            return super().score(clips)
        found = np.cumsum(logits(clips), 0)
        found[: len(clips) - new] = 0
        return Scores(found)


class FollowingShortly(Following):
    def follow(self):
        return self

    def score(self, clips, new=None):
        return super().score(clips) if new is None else Scores(np.cumsum(logits(clips), 0)[:new])


class Beside(Sound):
    """May run in a thread beside others, and notes that it does."""

    concurrent = True
    threads: ClassVar[set[str]] = set()

    def score(self, clips):
        self.threads.add(threading.current_thread().name)
        return super().score(clips)


class Seeding(Sound):
    concurrent = True

    def score(self, clips):
        np.random.seed(7)
        return super().score(clips)


class Drawing(Sound):
    concurrent = True

    def score(self, clips):
        random.random()
        return super().score(clips)


class Sometimes(Sound):
    concurrent = "on Sundays"


class NotANumber(Sound):
    def score(self, clips):
        return [Scores(np.full((len(clip), 2), np.nan, np.float32)) for clip in clips]


class NotANumberLater(Sound):
    def score(self, clips):
        found = super().score(clips)
        for scores in found:
            scores.logits[:] = np.inf
        return found


class LogOfSilence(Sound):
    def score(self, clips):
        with np.errstate(divide="ignore"):
            return [Scores(np.log(np.abs(logits(clip)))) for clip in clips]


class Bare(Sound):
    def score(self, clips):
        return [logits(clip) for clip in clips]


class OneForAll(Sound):
    def score(self, clips):
        return super().score(clips)[:1]


class WholeWindows(Sound):
    """Scores windows of five frames, and forgets the rest."""

    def score(self, clips):
        return [Scores(logits(clip)[: len(clip) // 5 * 5]) for clip in clips]


class NeedsAWindow(Sound):
    def score(self, clips):
        windows = [np.lib.stride_tricks.sliding_window_view(logits(c), 5, axis=0) for c in clips]
        return [Scores(np.pad(window.mean(2), ((2, 2), (0, 0)), "edge")) for window in windows]


class HalfAMinute(Sound):
    def score(self, clips):
        return [Scores(logits(clip)[:750]) for clip in clips]


class NotWithoutClips(Sound):
    def score(self, clips):
        rows = np.concatenate([logits(clip) for clip in clips])
        return [Scores(part) for part in np.split(rows, np.cumsum([len(c) for c in clips])[:-1])]


class Pads(Sound):
    """Levels depend on the longest clip."""

    def score(self, clips):
        longest = max(map(len, clips), default=1)
        return [Scores(logits(clip) * len(clip) / longest) for clip in clips]


class Remembers(Sound):
    seen = 0

    def score(self, clips):
        self.seen += sum(len(clip) > 100 for clip in clips)
        return [Scores(logits(clip) + self.seen) for clip in clips]


class Darkens(Sound):
    def score(self, clips):
        for clip in clips:
            clip.faces[:] //= 2
        return super().score(clips)


class Fades(Sound):
    def score(self, clips):
        for clip in clips:
            clip.sound_after[:] = 0
        return super().score(clips)


class OneArray(Sound):
    room = np.zeros((1500, 2), np.float32)

    def score(self, clips):
        if len(clips) != 1:
            return super().score(clips)
        found = self.room[: len(clips[0])]
        found[:] = logits(clips[0])
        return [Scores(found)]


@pytest.mark.parametrize("scorer", [Sound(), Shifting(), Following(), FollowingNobody()])
def test_a_scorer_that_keeps_the_contract_passes(scorer):
    testing.check_scorer(scorer)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (NotANumber(), r"NotANumber failed: ValueError: Scores.logits must be finite"),
        (NotANumberLater(), r"NotANumberLater failed.*must be finite"),
        (LogOfSilence(), r"LogOfSilence failed.*must be finite"),
        (Bare(), r"must answer with Scores"),
        (OneForAll(), r"one Scores for each of 3 clips"),
        (ShiftingAlike(), r"otherwise by score_shifted than by score. Take only what depends on"),
        (ShiftingTooFew(), r"one Scores for each of 3 clips"),
        (FollowingAsOne(), r"6 rows for a clip of 3"),
        (FollowingAnew(), r"follows otherwise than all its frames at once. Let each answer"),
        (FollowingShortly(), r"rows for a clip of 8"),
        (WholeWindows(), r"0 rows for a clip of 1"),
        (NeedsAWindow(), r"NeedsAWindow failed: ValueError"),
        (HalfAMinute(), r"750 rows for a clip of 1500"),
        (NotWithoutClips(), r"NotWithoutClips failed: ValueError"),
        (Pads(), r"1 frames otherwise among others than alone. Score each clip separately"),
        (Remembers(), r"that it has scored before.*Keep nothing"),
        (Darkens(), r"changes the arrays.*Work on a copy"),
        (Fades(), r"changes the arrays"),
        (OneArray(), r"changes in a later call.*Return new arrays"),
        (Seeding(), r"it draws from a random generator that they use, too, or sets it. Give it"),
        (Drawing(), r"Drawing says by concurrent = True that it may run beside"),
        (Sometimes(), r"concurrent='on Sundays', which must be True or False. Leave it out"),
    ],
)
def test_a_scorer_that_breaks_it_is_named(broken, says):
    with pytest.raises(PluginError, match=says):
        testing.check_scorer(broken)


def test_one_that_may_run_beside_others_is_called_in_another_thread():
    testing.check_scorer(Beside(), longest_frames=100)
    assert Beside.threads
    assert threading.current_thread().name not in Beside.threads


def test_the_longest_clip_is_as_long_as_asked_for():
    testing.check_scorer(HalfAMinute(), longest_frames=100)


# Embedders


class Means:
    """Keeps the contract; others change one thing."""

    def embed(self, faces):
        rows = faces.mean((1, 2)) + 1
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


class TooLong(Means):
    def embed(self, faces):
        return np.ones((len(faces), 8), np.float32)


class DividesByNothing(Means):
    def embed(self, faces):
        rows = faces.mean((1, 2))
        with np.errstate(invalid="ignore"):
            return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


class NotOfNobody(Means):
    def embed(self, faces):
        return np.stack([super(NotOfNobody, self).embed(face[None])[0] for face in faces])


class Centred(Means):
    """Takes the mean face of the batch away."""

    def embed(self, faces):
        rows = faces.mean((1, 2)) + np.arange(1, 4)
        if len(rows):
            rows = rows - rows.mean(0) * (len(rows) > 1)
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


class OtherLength(Means):
    def embed(self, faces):
        return np.eye(len(faces), max(1, len(faces)), dtype=np.float32)


class OneVector(Means):
    def embed(self, faces):
        return super().embed(faces)[0] if len(faces) else super().embed(faces)


class Blackens(Means):
    def embed(self, faces):
        faces[:] = 0
        return super().embed(faces)


class OneRoom(Means):
    room = np.zeros((4, 3), np.float32)

    def embed(self, faces):
        found = self.room[: len(faces)]
        found[:] = super().embed(faces)
        return found


class Aligned(Means):
    template = FaceTemplate(24, TYPICAL * 24)
    identity_distance = 0.4

    def embed(self, faces):
        assert faces.shape[1:] == (24, 24, 3)
        return super().embed(faces)


class InParts(Aligned):
    template = FaceTemplate(24, TYPICAL * 24 - 12)


class Mirrored(Aligned):
    template = FaceTemplate(24, TYPICAL[[1, 0, 2, 4, 3]] * 24)


class NoTemplate(Aligned):
    template = (24, TYPICAL)


class FarApart(Aligned):
    identity_distance = 40


@pytest.mark.parametrize("sound", [Means(), Aligned()])
def test_an_embedder_that_keeps_the_contract_passes(sound):
    testing.check_embedder(sound)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (TooLong(), r"whose length is not 1, but \[2\.8\d*\]. Divide each row"),
        (DividesByNothing(), r"one finite vector for each of 4 faces"),
        (NotOfNobody(), r"NotOfNobody failed: ValueError"),
        (Centred(), r"otherwise among others than alone. Embed each face separately"),
        (OtherLength(), r"vectors of one length, but after 4 numbers came 1"),
        (OneVector(), r"one finite vector for each of 4 faces"),
        (Blackens(), r"changes the arrays"),
        (OneRoom(), r"changes in a later call"),
        (InParts(), r"not all are in its picture of 24x24. A template's landmarks are x, y in pix"),
        (Mirrored(), r"not in order. It is: eye on the picture's left"),
        (NoTemplate(), r"attribute template .* as an asdkit.plugin.FaceTemplate"),
        (FarApart(), r"identity_distance=40, which is no cosine distance from 0 to 2"),
    ],
)
def test_an_embedder_that_breaks_it_is_named(broken, says):
    with pytest.raises(PluginError, match=says):
        testing.check_embedder(broken)
