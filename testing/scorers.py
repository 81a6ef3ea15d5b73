"""The check of scorers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from ..core.analysis.answers import asked, checked_scores
from ..core.contracts import FollowingScorer, Scorer, ShiftingScorer
from ..core.samples import noise_picture, noise_sound
from ..core.scenes import Scene, SceneFace, SceneScorer, alone
from ..core.types import CLIP_FRAMES, FACE_SIZE_PX, SAMPLES_PER_FRAME, SOUND_AFTER, Clip, Scores
from .holding import SAME_SCORE, Remembered, asking, hold, name_of
from .threads import called

_LENGTHS = (1, 7, 30)
"""Frames of the clips that are scored together and each alone."""
_STEPS = (3, 5, 0, 12)
"""How many frames of a face that is followed are new, time after time."""


def check_scorer(scorer: Scorer, *, longest_frames: int = CLIP_FRAMES) -> None:
    """Check that a scorer gives each frame of clips of any length a finite score.

    The scores of a clip must not depend on the other clips, nor on those scored before. If it
    scores one face with several sounds, it must score them as it scores each clip by itself. If it
    follows faces, it must score their first frames as it scores the clip of these. If it looks at
    all faces of a moment at once, their order must not matter, and one that is alone must be
    scored as its clip is.

    Args:
        scorer: The scorer.
        longest_frames: Length of the longest clip to score. In a run that is a minute, 1500
            frames; less is quicker.

    Raises:
        PluginError: It does not keep its contract; see `asdkit.plugin.Scorer`.
    """
    score = _Score(scorer)
    clips = [_noise(frames) for frames in _LENGTHS]
    together = score(clips)
    score([])
    for clip, one in zip(clips, together, strict=True):
        hold(
            np.allclose(one.logits, score([clip])[0].logits, rtol=0, atol=SAME_SCORE),
            f"{score.name} scores a clip of {len(clip)} frames otherwise among others than alone",
            "Score each clip separately; if clips are padded to one length, leave the padding out",
        )
    score([_plain(frames) for frames in (1, 26)])
    score([_noise(longest_frames)])
    for one, other in zip(together, score(clips), strict=True):
        hold(
            np.allclose(one.logits, other.logits, rtol=0, atol=SAME_SCORE),
            f"{score.name} scores clips otherwise that it has scored before, but one scorer serves "
            "all videos",
            "Keep nothing from one call to the next, and use no chance",
        )
    if isinstance(scorer, ShiftingScorer):
        _check_shifted(score, scorer)
    if isinstance(scorer, FollowingScorer):
        _check_following(score, scorer)
    if isinstance(scorer, SceneScorer):
        _check_scenes(score, scorer, longest_frames)
    score.returned.check()


def _check_shifted(score: _Score, scorer: ShiftingScorer) -> None:
    """Check that one face with several sounds is scored as each clip is by itself."""
    faces = _noise(30).faces
    noises = [_noise(30, number) for number in range(3)]
    # Each is quieter than the one before.
    clips = [replace(one, faces=faces, sound=one.sound >> 2 * k) for k, one in enumerate(noises)]
    alone = score(clips)
    for first in (0, 1, len(clips)):
        some = clips[first:]
        given = [array for clip in some for array in (clip.faces, clip.sound, clip.sound_after)]
        with asking(score.name, *given):
            answer = called(scorer, score.name, partial(scorer.score_shifted, list(some)))
        found = checked_scores(score.name, answer, some)
        for one, other in zip(alone[first:], found, strict=True):
            hold(
                np.allclose(one.logits, other.logits, rtol=0, atol=SAME_SCORE),
                f"{score.name} scores a clip otherwise by score_shifted than by score",
                "Take only what depends on the faces alone from the first clip",
            )
        score.returned.add([scores.logits for scores in found])


def _check_following(score: _Score, scorer: FollowingScorer) -> None:
    """Check that two faces that are followed in turn are scored as all their frames at once."""
    clips = [_noise(sum(_STEPS), number) for number in range(2)]
    followed = [called(scorer, score.name, scorer.follow) for _ in clips]
    ends = np.cumsum(_STEPS)
    for end, new in zip(ends, _STEPS, strict=True):
        for clip, face in zip(clips, followed, strict=True):
            if face is None:
                continue
            so_far = _first(clip, int(end))
            with asking(score.name, so_far.faces, so_far.sound, so_far.sound_after):
                answer = called(scorer, score.name, partial(face.score, so_far, new))
            (found,) = checked_scores(score.name, [answer], [so_far])
            hold(
                np.allclose(found.logits, score([so_far])[0].logits, rtol=0, atol=SAME_SCORE),
                f"{score.name} scores a face that it follows otherwise than all its frames at once",
                "Let each answer of follow() remember one face, and take its frames in one by one",
            )
            score.returned.add([found.logits])


def _first(clip: Clip, frames: int) -> Clip:
    """The first frames of a clip."""
    samples = SAMPLES_PER_FRAME * frames
    sound = np.concatenate([clip.sound, clip.sound_after])
    after = sound[samples : samples + SOUND_AFTER]
    return Clip(clip.faces[:frames], clip.sound[:samples], clip.sound_before, after)


def _check_scenes(score: _Score, scorer: SceneScorer, longest_frames: int) -> None:
    """Check that faces that are scored together are scored as they should be.

    Three faces come and go in one scene, then one is alone, then one is seen as long as can be.
    """
    hold(
        not isinstance(scorer, ShiftingScorer),
        f"{score.name} has both score_scene and score_shifted, which asks about one face alone",
        "Leave out score_shifted",
    )
    whole = _noise(max(_LENGTHS) + 10)
    faces = [SceneFace(5 * k, _noise(frames).faces) for k, frames in enumerate(_LENGTHS)]
    scene = Scene(tuple(faces), whole.sound, whole.sound_before, whole.sound_after)
    first = _of_scene(score, scorer, scene)
    again = _of_scene(score, scorer, replace(scene, faces=tuple(reversed(faces))))
    for one, other in zip(first, reversed(again), strict=True):
        hold(
            np.allclose(one.logits, other.logits, rtol=0, atol=SAME_SCORE),
            f"{score.name} scores the faces of a scene otherwise in another order",
            "Faces come in no particular order: treat them alike",
        )
    for clip in (_noise(7), _noise(longest_frames)):
        hold(
            np.allclose(
                _of_scene(score, scorer, alone(clip))[0].logits,
                score([clip])[0].logits,
                rtol=0,
                atol=SAME_SCORE,
            ),
            f"{score.name} scores a face that is alone otherwise by score_scene than by score",
            "Let score(clips) answer with score_scene(asdkit.plugin.alone(clip))[0] for each",
        )


def _of_scene(score: _Score, scorer: SceneScorer, scene: Scene) -> list[Scores]:
    crops = [face.faces for face in scene.faces]
    with asking(score.name, scene.sound, scene.sound_after, *crops):
        answer = called(scorer, score.name, partial(scorer.score_scene, scene))
    found = checked_scores(score.name, answer, scene.faces, "face")
    score.returned.add([scores.logits for scores in found])
    return found


class _Score:
    """Has clips scored and checks the scores.

    Attributes:
        name: The scorer in words.
        returned: What it has answered so far.
    """

    def __init__(self, scorer: Scorer) -> None:
        self.name = name_of(scorer)
        self.returned = Remembered(self.name)
        self._scorer = scorer

    def __call__(self, clips: Sequence[Clip]) -> list[Scores]:
        """The scores of clips."""
        given = [array for clip in clips for array in (clip.faces, clip.sound, clip.sound_after)]
        with asking(self.name, *given):
            answer = called(self._scorer, self.name, lambda: self._scorer.score(list(clips)))
        found = checked_scores(self.name, answer, clips)
        with asked(self.name):
            for scores in found:
                Scores(scores.logits)  # they may have been changed since
        self.returned.add([scores.logits for scores in found])
        return found


def _noise(frames: int, seed: int | None = None) -> Clip:
    """A clip of noise, as from the middle of a track; `seed` chooses the sound."""
    faces = noise_picture((frames, FACE_SIZE_PX, FACE_SIZE_PX), frames)
    length = 1 + SAMPLES_PER_FRAME * frames + SOUND_AFTER
    sound = noise_sound(length, frames if seed is None else seed)
    return Clip(faces, sound[1:-SOUND_AFTER], int(sound[0]), sound[-SOUND_AFTER:])


def _plain(frames: int) -> Clip:
    """A clip of a black picture and silence."""
    faces = np.zeros((frames, FACE_SIZE_PX, FACE_SIZE_PX), np.uint8)
    return Clip(faces, np.zeros(SAMPLES_PER_FRAME * frames, np.int16))
