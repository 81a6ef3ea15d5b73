"""Plans the crop path of a whole video, from who is where and who speaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ....core.analysis.square_pixels import Square
from ....core.result import Result, VideoInfo
from ....core.types import GRID_FPS, Float64
from ....core.voices.assigning import names_of
from .camera import Motion, followed
from .config import ReframeConfig
from .direction import Rules, Scene, directed
from .framing import Frame, overlap, room_beside, wanted
from .keys import keys_of
from .paths import Layout, Pane, Rect, Take
from .people import Person, people_of

WHOLE = Rect(0.0, 0.0, 1.0, 1.0)


def planned(result: Result, config: ReframeConfig) -> list[Take]:
    """Plan what is shown of every shot of a result.

    Args:
        result: The result, of which only the video's size and pixel shape, the shots and the tracks
            are looked at.
        config: The shape, and how the crop may move.

    Returns:
        Takes without gaps, in order. Every shot begins with one that is cut to.
    """
    video = result.video
    frames = max(1, round(video.duration_s * GRID_FPS))
    names = names_of(result.voices or (), result.tracks)
    planner = _Planner(video.width, video.height, video.pixel_aspect, config)
    recent: str | None = None
    takes: list[Take] = []
    for number, (first, end) in enumerate(result.shots or ((0, frames),)):
        people = people_of(result.tracks, names, first, end)
        scenes = directed(people, end - first, planner.rules, recent)
        takes += planner.takes(number, first, people, scenes)
        recent = _last_to_speak(people) or recent
    return takes


def largest_crop(video: VideoInfo, config: ReframeConfig) -> Rect:
    """The largest crop of the new shape, from the middle of the source, in stored pixels."""
    return _Planner(video.width, video.height, video.pixel_aspect, config).middle


def _last_to_speak(people: Sequence[Person]) -> str | None:
    spoke = [person for person in people if person.speaking.any()]
    last = max(spoke, key=lambda person: int(np.flatnonzero(person.speaking)[-1]), default=None)
    return last.name if last else None


@dataclass(frozen=True, eq=False)
class _Part:
    """A scene with what its only crop should show; None for two crops or none."""

    scene: Scene
    wanted: Float64 | None


class _Planner:
    """Plans shot by shot."""

    def __init__(self, width: int, height: int, pixel_aspect: float, config: ReframeConfig) -> None:
        aspect = config.aspect
        shape = Square.of(pixel_aspect)
        square = Fraction(shape.x / shape.y).limit_denominator(10_000)
        self.rules = Rules(
            config.hold_s, config.pause_s, config.lead_s, config.split_s, config.absent_s
        )
        self._config = config
        self._source = Rect(0.0, 0.0, float(width), float(height))
        self._shown = Fraction(width, height) * square / aspect
        """Shape of the whole source over that of the new picture."""
        self._frame = self._framed(aspect / square)
        # Two panes divide the longer side. Narrow ones show one person more easily.
        self._half = self._framed(aspect / square * (Fraction(1, 2) if aspect >= 1 else 2))
        self._places = (
            (Rect(0.0, 0.0, 0.5, 1.0), Rect(0.5, 0.0, 0.5, 1.0))
            if aspect >= 1
            else (Rect(0.0, 0.0, 1.0, 0.5), Rect(0.0, 0.5, 1.0, 0.5))
        )

    @property
    def middle(self) -> Rect:
        """The largest crop, from the middle of the source."""
        return self._frame.middle()

    def _framed(self, aspect: Fraction) -> Frame:
        width, height = int(self._source.width), int(self._source.height)
        how = self._config
        return Frame(width, height, aspect, how.max_zoom, how.face_share, how.headroom)

    def takes(
        self, shot: int, first: int, people: Sequence[Person], scenes: Sequence[Scene]
    ) -> Iterator[Take]:
        """The takes of a shot whose first grid frame is `first`."""
        parts = [
            _Part(scene, self._wanted([people[n] for n in scene.who], scene)) for scene in scenes
        ]
        for run in self._runs(parts):
            if run[0].wanted is not None:
                yield from self._moving(shot, first, people, run)
                continue
            scene = run[0].scene
            who = [people[n] for n in scene.who]
            panes: tuple[Pane, ...]
            layout: Layout
            if who:
                layout, panes = "split", self._panes(who, first, scene)
            elif self._config.empty == "centre":
                crop = _still(self.middle, scene)
                layout, panes = "centre", (Pane((), (), WHOLE, keys_of(crop, first, scene.first)),)
            else:
                crop = _still(self._source, scene)
                keys = keys_of(crop, first, scene.first)
                layout, panes = "whole", (Pane((), (), self._fitted(), keys),)
            yield Take(shot, first + scene.first, first + scene.end, layout, panes)

    def _wanted(self, who: Sequence[Person], scene: Scene) -> Float64 | None:
        return wanted(who, scene.first, scene.end, self._frame) if who else None

    def _runs(self, parts: Sequence[_Part]) -> list[list[_Part]]:
        """The parts, those together between which the crop moves instead of being cut."""
        runs: list[list[_Part]] = []
        for part in parts:
            if runs and self._near(runs[-1][-1].wanted, part.wanted):
                runs[-1].append(part)
            else:
                runs.append([part])
        return runs

    def _near(self, before: Float64 | None, after: Float64 | None) -> bool:
        if before is None or after is None:
            return False
        common = overlap(self._frame.at(*before[-1]), self._frame.at(*after[0]))
        return common >= self._config.pan_overlap

    def _moving(
        self, shot: int, first: int, people: Sequence[Person], run: Sequence[_Part]
    ) -> Iterator[Take]:
        """The takes of a run of scenes, with one crop that moves through all of them."""
        path = np.concatenate([part.wanted for part in run if part.wanted is not None])
        crops = self._followed(path, self._frame)
        begin = run[0].scene.first
        for part in run:
            scene = part.scene
            goes_on = part is not run[-1]
            own = crops[scene.first - begin : scene.end - begin + goes_on]
            keys = keys_of(own, first, scene.first, cut=part is run[0])
            who = [people[n] for n in scene.who]
            pane = Pane(_names(who), _tracks(who), WHOLE, keys)
            yield Take(shot, first + scene.first, first + scene.end, "one", (pane,))

    def _panes(self, who: Sequence[Person], first: int, scene: Scene) -> tuple[Pane, ...]:
        """Two panes, in the order of the people from left to right."""
        panes = []
        for person, other, place in zip(who, reversed(who), self._places, strict=True):
            most = room_beside(person, other, scene.first, scene.end, self._half)
            path = wanted([person], scene.first, scene.end, self._half, most)
            assert path is not None  # only two may not fit
            keys = keys_of(self._followed(path, self._half), first, scene.first)
            panes.append(Pane(_names([person]), _tracks([person]), place, keys))
        return tuple(panes)

    def _followed(self, path: Float64, frame: Frame) -> Float64:
        """The crops (n, 4), x, y, width and height, that follow a path smoothly."""
        how = self._config
        aspect = float(frame.aspect)
        side = float(path[:, 2].min()) * min(aspect, 1.0)
        motion = Motion(how.dead_zone * side, how.speed * side, how.ease_s)
        x, y = followed(path[:, 0], motion), followed(path[:, 1], motion)
        zoom = Motion(0.0, how.speed * side, how.ease_s)
        height = followed(path[:, 2], zoom)
        width = height * aspect
        left = np.clip(x - width / 2, 0, np.maximum(self._source.width - width, 0))
        top = np.clip(y - height / 2, 0, np.maximum(self._source.height - height, 0))
        return np.stack([left, top, width, height], axis=1)

    def _fitted(self) -> Rect:
        """Where the whole source is in the new picture."""
        if self._shown > 1:
            part = float(1 / self._shown)
            return Rect(0.0, (1 - part) / 2, 1.0, part)
        part = float(self._shown)
        return Rect((1 - part) / 2, 0.0, part, 1.0)


def _still(crop: Rect, scene: Scene) -> Float64:
    row = [crop.x, crop.y, crop.width, crop.height]
    return np.tile(np.array(row), (scene.end - scene.first, 1))


def _names(people: Sequence[Person]) -> tuple[str, ...]:
    return tuple(person.name for person in people)


def _tracks(people: Sequence[Person]) -> tuple[int, ...]:
    return tuple(number for person in people for number in person.tracks)
