"""Writes a copy of the video with a box around each face, coloured by whether it speaks."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import cast

import numpy as np

from ...core.component import Context
from ...core.decisions.segments import inside
from ...core.files import whole
from ...core.media.encode import Mp4Writer
from ...core.media.planes import Canvas
from ...core.result import Result
from ...core.results import known_off_screen
from ...core.shown_names import shown_names
from ...core.types import GRID_FPS, Float64, Track
from ...core.voices.assigning import names_of
from .drawing import draw_face, draw_label
from .source import Footage, footage

FILE = "annotated.mp4"
SPEAKING = (0, 180, 50)
SILENT = (235, 40, 40)
BY_SPEAKING, BY_SCORE = "speaking", "score"
"""The values of the parameter `colour`."""
_MEAN_FRAMES = 5
"""A displayed score is the mean over so many grid frames, as in the reference."""


@dataclass(frozen=True)
class AnnotatedConfig:
    """Parameters of the `annotated` writer.

    Attributes:
        crf: Constant rate factor of H.264, from 0 (lossless, large) to 51 (worst, small).
        colour: speaking colours a face by whether it was decided that it speaks, and labels it with
            its probability; score does so by the score, averaged over five frames, as the reference
            does, whatever was decided.
    """

    crf: int = 20
    colour: str = field(default=BY_SPEAKING, metadata={"values": (BY_SPEAKING, BY_SCORE)})

    def __post_init__(self) -> None:
        if self.colour not in (BY_SPEAKING, BY_SCORE):
            raise ValueError(f"colour must be {BY_SPEAKING} or {BY_SCORE}, got {self.colour!r}")
        if not 0 <= self.crf <= 51:
            raise ValueError(f"crf must be from 0 to 51, got {self.crf}")


class AnnotatedWriter:
    """Writes `annotated.mp4`: all pictures of the source with its sound, cut to the run's part.

    A face has a green box while it speaks, as all other files tell it, else a red one. The label
    above shows its identity, or the number of its track, and its probability of speaking. Between
    grid frames the box is interpolated.

    With `colour=score` the box is green while the score, averaged over five grid frames, is not
    negative and there is speech, as far as that was detected; and the label shows that score.
    """

    def __init__(self, config: AnnotatedConfig, threads: int | None) -> None:
        self._crf = config.crf
        self._by_score = config.colour == BY_SCORE
        self._threads = threads

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write the file; see `core.contracts.Writer`."""
        path = folder / FILE
        overlay = _Overlay(result, by_score=self._by_score)
        with (
            footage(result, self._threads) as source,
            whole(path) as aside,
            self._video(aside, source) as video,
        ):
            for begin, end, stored in source:
                frame = source.upright(stored)
                overlay.draw(Canvas(frame, source.look.conversion), begin)
                video.add_coded(frame, begin - source.zero, end - source.zero)
        return [path]

    def _video(self, path: Path, source: Footage) -> Mp4Writer:
        return Mp4Writer(
            path,
            Fraction(source.media.info.fps),
            ticks_per_s=source.ticks_per_s,
            crf=self._crf,
            look=source.look,
            sound=source.sound(),
            threads=source.threads,
        )


class _Face:
    """A track to draw."""

    def __init__(self, track: Track, label: str) -> None:
        self._boxes = track.boxes
        self._scores = _means(track.scores.astype(np.float64))
        self._probabilities = track.probabilities
        self._speaking = track.speaking
        self.label = label
        self.first_frame = track.first_frame
        self.end_frame = track.first_frame + len(track)

    def score(self, frame: int) -> float:
        """The mean score around a frame."""
        return float(self._scores[frame - self.first_frame])

    def probability(self, frame: int) -> float:
        return float(self._probabilities[frame - self.first_frame])

    def speaks(self, time_s: float) -> bool:
        """Whether it was decided that it speaks."""
        return inside(self._speaking, time_s)

    def box(self, position: float) -> Float64:
        """The box (4,) at a position on the grid, interpolated between frames."""
        last = len(self._boxes) - 1
        index = min(max(position - self.first_frame, 0.0), last)
        before = int(index)
        part = index - before
        box = (1 - part) * self._boxes[before] + part * self._boxes[min(before + 1, last)]
        return cast("Float64", box)


def _means(scores: Float64) -> Float64:
    """The mean over the frames around each frame; over fewer at the ends."""
    margin = _MEAN_FRAMES // 2
    padded = np.pad(scores, margin, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, _MEAN_FRAMES)
    return cast("Float64", np.nanmean(windows, axis=1))


class _Overlay:
    """Draws a result onto pictures, which must come in order of time."""

    def __init__(self, result: Result, *, by_score: bool = False) -> None:
        self._by_score = by_score
        self._speech = result.speech
        self._off_screen = result.off_screen or ()
        show = shown_names(result, "#")
        self._off_screen_known = known_off_screen(result, show)
        self._coming = deque(sorted(result.tracks, key=lambda track: track.first_frame))
        self._shown: list[_Face] = []
        names = names_of(result.voices or (), result.tracks)
        self._labels = {number: show(name) for number, name in names.items()}

    def draw(self, canvas: Canvas, time_s: Fraction) -> None:
        """Draw the faces at a time, and a label if somebody speaks off screen."""
        now_s = float(time_s)
        audible = self._speech is None or inside(self._speech, now_s)
        position = float(time_s * GRID_FPS)
        frame = int(position + 0.5)
        while self._coming and self._coming[0].first_frame <= frame:
            track = self._coming.popleft()
            self._shown.append(_Face(track, self._labels[track.id]))
        self._shown = [face for face in self._shown if frame < face.end_frame]
        for face in self._shown:
            number, speaks = face.probability(frame), face.speaks(now_s)
            if self._by_score:
                number = face.score(frame)
                speaks = number >= 0 and audible
            colour = SPEAKING if speaks else SILENT
            draw_face(canvas, face.box(position), f"{face.label}  {number:.2f}", colour)
        if inside(self._off_screen, now_s):
            known = (who for who, own in self._off_screen_known.items() if inside(own, now_s))
            who = next(known, "off screen")
            draw_label(canvas, 0, canvas.height, who, SPEAKING)


def build(config: AnnotatedConfig, context: Context) -> AnnotatedWriter:
    """Make the writer."""
    return AnnotatedWriter(config, context.threads)
