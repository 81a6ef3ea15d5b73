"""Gathers the clips of a shot into scenes, for scorers that look at all faces of a moment at once.

Tracks are cut at the same grid frames, every minute from the start of the shot. A scene is whole
when no face can come any more that is seen in it. Memory holds the crops of the faces seen within a
minute or a little more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..media.sound import Hearable
from ..progress import Stopwatch
from ..scenes import Scene, SceneFace, SceneScorer
from ..types import CLIP_FRAMES, Clip, Int16, Scores
from .clip_sound import clip_sound
from .scoring import Logits


@dataclass(frozen=True, eq=False)
class PlacedClip(Clip):
    """A clip that knows where it belongs.

    Attributes:
        first_frame: Its first grid frame.
        scene: The scene that its face is one of, once that is whole.
    """

    first_frame: int = 0
    scene: Scene | None = None


class SceneByClips:
    """Scores the clips of one scene together, as `Scoring` calls it.

    Args:
        scorer: The scorer.
    """

    def __init__(self, scorer: SceneScorer) -> None:
        self._scorer = scorer

    def score(self, clips: Sequence[Clip]) -> list[Scores]:
        """Score the clips of one scene, all of them, in its order."""
        (scene,) = {clip.scene for clip in clips if isinstance(clip, PlacedClip)}
        assert scene
        return self._scorer.score_scene(scene)


class Gathering:
    """Keeps clips until their scene is whole.

    Args:
        sound: The sound, on the same clock as the frames.
        watch: Times the stage "sound".
    """

    def __init__(self, sound: Hearable, watch: Stopwatch) -> None:
        self._sound = sound
        self._watch = watch
        self._shot_start = 0
        self._waiting: dict[int, list[tuple[Logits, PlacedClip]]] = {}
        """By the grid frame at which their scene ends at the latest."""

    @property
    def first_frame(self) -> int | None:
        """The first grid frame whose sound is needed yet."""
        waiting = [clip.first_frame for group in self._waiting.values() for _, clip in group]
        return min(waiting, default=None)

    def add(self, shot_start: int, ready: Sequence[tuple[Logits, Clip]]) -> None:
        """Take clips of a shot that begins with this grid frame."""
        self._shot_start = shot_start
        for logits, clip in ready:
            assert isinstance(clip, PlacedClip)
            end = next_cut(shot_start, clip.first_frame)
            self._waiting.setdefault(end, []).append((logits, clip))

    def whole(self, before: int | None = None) -> Iterator[list[tuple[Logits, Clip]]]:
        """Give out the clips of each scene to which nothing will be added.

        Args:
            before: No face is to come that is seen before this grid frame; None at the end of a
                shot.
        """
        for end in sorted(self._waiting):
            if before is None or end <= before:
                yield self._scene(self._waiting.pop(end))

    def _scene(self, group: Sequence[tuple[Logits, PlacedClip]]) -> list[tuple[Logits, Clip]]:
        first = min(clip.first_frame for _, clip in group)
        stop = max(clip.first_frame + len(clip) for _, clip in group)
        with self._watch("sound"):
            heard = clip_sound(self._sound, first, stop, begins=first == self._shot_start)
        return in_one_scene(group, first, heard)


def in_one_scene(
    group: Sequence[tuple[Logits, PlacedClip]], first: int, heard: tuple[Int16, int, Int16]
) -> list[tuple[Logits, Clip]]:
    """Clips that are scored as one scene.

    Args:
        group: The clips, each with where its logits go.
        first: The first grid frame of the scene.
        heard: Its sound, as `core.analysis.clip_sound` gives it.
    """
    faces = tuple(SceneFace(clip.first_frame - first, clip.faces) for _, clip in group)
    scene = Scene(faces, *heard)
    return [(logits, replace(clip, scene=scene)) for logits, clip in group]


def next_cut(shot_start: int, frame: int) -> int:
    """The grid frame after `frame` at which all tracks are cut, in a shot that begins so."""
    return frame + CLIP_FRAMES - (frame - shot_start) % CLIP_FRAMES
