"""Scores the faces of a hop anew, from as much of them as scores are to be computed from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..analysis.answers import asked, checked_scores
from ..analysis.clip_sound import clip_sound
from ..analysis.gathering import PlacedClip, SceneByClips, in_one_scene
from ..analysis.parts import Parts
from ..analysis.scoring import Logits, Scoring
from ..contracts import FollowedByScorer, FollowingScorer
from ..media.sound import Hearable
from ..progress import Stopwatch
from ..scenes import SceneScorer
from ..types import Clip, Float32
from .followed import FollowedFace


class Rescored:
    """Scores the faces of a hop anew.

    A face is scored on its last `context` crops. Where it was not seen for a while, and then told
    of all at once, rows further back are scored on the stretches of that length before.

    For a scorer that looks at all faces of a moment at once, these stretches are the same for all
    faces of a shot, and those in them that have left are shown to it, too. A scorer that remembers
    faces sees only what is new of them, and scores all rows that are not certain in one stretch.

    Args:
        parts: The components.
        sound: The sound.
        watch: Times the stages "sound" and "score".
        context: In grid frames.
    """

    def __init__(self, parts: Parts, sound: Hearable, watch: Stopwatch, context: int) -> None:
        self._sound = sound
        self._watch = watch
        self._context = context
        self._in_scenes = isinstance(parts.scorer, SceneScorer)
        scorer = parts.scorer
        if isinstance(scorer, SceneScorer):
            scorer = SceneByClips(scorer)
        self._scorer = parts.scorer
        self._name = parts.name("scorer")
        self._scoring = Scoring(scorer, watch, self._name, beside=False)
        self._others: list[FollowedFace] = []
        """Faces of the last scenes, which may be in the next ones even if they have left."""

    @property
    def first_frame(self) -> int | None:
        """The first grid frame whose sound is needed for faces that have left."""
        return min((face.crops_from for face in self._others), default=None)

    def score(self, faces: Sequence[FollowedFace]) -> list[Float32]:
        """Score faces; those of a shot are in order of time.

        Returns:
            For each face, the logits (n, 2) float32 of the rows that were not given as certain.

        Raises:
            PluginError: The scorer breaks its contract.
        """
        found: dict[int, Logits] = {id(face): [] for face in faces}
        if self._in_scenes:
            self._score_scenes(faces, found)
        else:
            self._score_clips(faces, found)
        return [_last(found[id(face)], face.next_crop - face.given) for face in faces]

    def _score_clips(self, faces: Sequence[FollowedFace], found: dict[int, Logits]) -> None:
        ready: list[tuple[Logits, Clip]] = []
        for face in faces:
            if isinstance(self._scorer, FollowingScorer) and face.scored_to == face.first_frame:
                with asked(self._name):
                    face.scorer = self._scorer.follow()
            if face.scorer:
                found[id(face)].append(self._followed(face, face.scorer))
            else:
                ready += [
                    (found[id(face)], self._clip(face, first, stop))
                    for first, stop in self._stretches([face])
                ]
            face.scored_to = face.next_crop
        self._scoring.add(ready)

    def _followed(self, face: FollowedFace, scorer: FollowedByScorer) -> Float32:
        """The logits of the last frames of a face by what the scorer remembers of it."""
        first = min(face.given, face.next_crop - self._context)
        clip, new = self._clip(face, first, face.next_crop), face.next_crop - face.scored_to
        with self._watch("score"), asked(self._name):
            answer = scorer.score(clip, new)
        (scores,) = checked_scores(self._name, [answer], [clip])
        return scores.logits

    def _score_scenes(self, faces: Sequence[FollowedFace], found: dict[int, Logits]) -> None:
        around = {id(face): face for face in (*self._others, *faces) if face.status != "dropped"}
        self._others = []
        for shot in sorted({face.shot for face in faces if face.has_rows}):
            among = [face for face in around.values() if face.shot == shot]
            for first, stop in self._stretches([face for face in faces if face.shot == shot]):
                group = [
                    (found.get(id(face), []), self._clip(face, first, stop))
                    for face in among
                    if face.crops_from < stop and face.next_crop > first
                ]
                self._scoring.add(self._scene(group, among[0].shot_start))
                self._others = [face for face in among if face.next_crop > first]

    def _stretches(self, faces: Sequence[FollowedFace]) -> Iterator[tuple[int, int]]:
        """The stretches (first, stop) to score these faces on, in order, side by side."""
        given = min(face.given for face in faces)
        newest = max(face.next_crop for face in faces)
        for stop in reversed(range(newest, given, -self._context)):
            yield stop - self._context, stop

    def _clip(self, face: FollowedFace, first: int, stop: int) -> PlacedClip:
        """As much of a stretch as a face is in."""
        first, stop = max(first, face.crops_from), min(stop, face.next_crop)
        with self._watch("sound"):
            begins = first == face.first_frame
            sound, before, after = clip_sound(self._sound, first, stop, begins=begins)
        return PlacedClip(face.crops(first, stop), sound, before, after, first)

    def _scene(
        self, group: Sequence[tuple[Logits, PlacedClip]], shot_start: int
    ) -> list[tuple[Logits, Clip]]:
        first = min(clip.first_frame for _, clip in group)
        stop = max(clip.first_frame + len(clip) for _, clip in group)
        with self._watch("sound"):
            heard = clip_sound(self._sound, first, stop, begins=first == shot_start)
        return in_one_scene(group, first, heard)


def _last(logits: Logits, rows: int) -> Float32:
    """The last rows of logits that come in parts."""
    whole = np.concatenate([np.empty((0, 2), np.float32), *logits])
    return whole[len(whole) - rows :]
