"""Cuts many parts out of a video in one pass over it."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from ....core.analysis.square_pixels import Square
from ....core.media.container import EARLY_S
from ....core.media.encode import Mp4Writer
from ....core.media.placing import Timed, placed
from ....core.media.shared_sound import SharedSound
from ....core.media.soundtrack import SoundTrack
from ....core.types import GRID_FPS
from ..source import Footage
from .config import ClipsConfig
from .pictures import FacePictures
from .turns import Turn


@dataclass
class Written:
    """A turn whose file is written, or is being written.

    Attributes:
        turn: The turn.
        begin_s: When its first picture begins, in seconds from the first one of the video.
        end_s: When its last picture ends.
    """

    turn: Turn
    begin_s: Fraction
    end_s: Fraction


@dataclass
class _Open:
    """A file that is being written, perhaps of a face."""

    written: Written
    video: Mp4Writer
    faces: FacePictures | None


class Recorder:
    """Writes the files of turns, in one pass.

    It holds only what is being written now: as many files as faces speak at once.

    Args:
        source: The video.
        turns: The turns, by their first frames.
        cuts: The grid frames where shots begin.
        config: The writer's parameters.
        folder: The folder for the files.
    """

    def __init__(
        self,
        source: Footage,
        turns: Sequence[Turn],
        cuts: Collection[int],
        config: ClipsConfig,
        folder: Path,
    ) -> None:
        self._source = source
        self._coming = deque(turns)
        self._cuts = cuts
        self._config = config
        self._folder = folder
        self._square = Square.of(source.media.info.pixel_aspect)
        self._sound: SharedSound | None = None
        self._sound_zero = Fraction(0)
        self._open: list[_Open] = []

    def record(self) -> Iterator[Written]:
        """Write the files; yield each turn when its file is whole."""
        pictures = placed(self._source, self._cuts, self._source.media.early_s)
        try:
            for frames, picture in pictures:
                yield from self._closed(max(Fraction(frames[0]), picture[0] * GRID_FPS))
                if not self._open and not self._coming:
                    return
                self._take(frames, picture)
            yield from self._closed(None)
        except BaseException as error:
            for file in self._open:
                file.video.__exit__(type(error), error, error.__traceback__)
            raise

    def _take(self, frames: range, picture: Timed) -> None:
        """Write a picture to all files that it belongs to; begin those that begin with it."""
        begin, end, stored = picture
        while self._coming and self._coming[0].first <= frames[-1]:
            turn = self._coming.popleft()
            if turn.end > frames[0]:
                # Of slow pictures one may be shown before a turn, or on the grid alone, early.
                whole = turn.first <= frames[0] and begin < Fraction(turn.end, GRID_FPS)
                self._begin(turn, begin if whole else Fraction(turn.first, GRID_FPS))
        if self._open:
            upright = self._source.upright(stored)
        needed = begin
        for file in self._open:
            over = Fraction(file.written.turn.end, GRID_FPS)
            since = max(begin, file.written.begin_s) if begin < over else file.written.begin_s
            file.written.end_s = end if end <= over + EARLY_S else over
            shown = upright
            if file.faces is not None:
                shown = file.faces.drawn(upright, float(since * GRID_FPS))
            needed = min(needed, since)
            zero = file.written.begin_s
            file.video.add_coded(shown, since - zero, file.written.end_s - zero)
        if self._sound is not None:
            self._sound.forget(max(needed - self._sound_zero, Fraction(0)))

    def _closed(self, position: Fraction | None) -> Iterator[Written]:
        """Finish the files that end before a place on the grid, or all; yield what they hold."""
        for file in list(self._open):
            if position is None or file.written.turn.end <= position:
                self._open.remove(file)
                file.video.__exit__(None, None, None)
                yield file.written

    def _begin(self, turn: Turn, begin: Fraction) -> None:
        source, faces, look = self._source, None, self._source.look
        threads = source.threads
        if self._config.picture == "face":
            how = self._config
            faces = FacePictures(turn.track, self._square, how.size_px, how.around, look.conversion)
            look = replace(look, pixel_aspect=Fraction(1))
            threads = 1  # the pictures are small, and there may be many files
        video = Mp4Writer(
            self._folder / turn.file,
            Fraction(source.media.info.fps),
            ticks_per_s=source.ticks_per_s,
            crf=self._config.crf,
            look=look,
            sound=self._sound_from(begin),
            threads=threads,
        )
        self._open.append(_Open(Written(turn, begin, begin), video.__enter__(), faces))

    def _sound_from(self, begin: Fraction) -> SoundTrack | None:
        media = self._source.media
        if media.sound is None:
            return None
        if self._sound is None:
            self._sound_zero = begin
            zero = media.sound_zero + begin
            self._sound = SharedSound(media.sound, zero, media.sound_clock, self._source.threads)
        return self._sound.track(begin - self._sound_zero)
