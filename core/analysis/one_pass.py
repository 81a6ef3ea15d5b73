"""The one pass over a video: frames in, scored face tracks out, in bounded memory.

Memory holds the frames that a gap in a track or the smoothing may still need, at most a minute of
face crops and sound for each live track, and two groups of clips that are to be scored. For scorers
that look at all faces of a moment at once it holds those of a minute: `core.analysis.gathering`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager

import numpy as np

from ..errors import PluginError
from ..media.sound import Hearable
from ..notes import Notes
from ..pictures import Frame
from ..progress import Stopwatch
from ..scenes import SceneScorer
from ..sync import CHECK, Piece
from ..types import (
    CLIP_FRAMES,
    SAMPLES_PER_FRAME,
    Clip,
    Float32,
    Float64,
    Heard,
    Int16,
    Track,
    TrackPiece,
)
from .attributes import checked_concurrent
from .clip_sound import clip_sound
from .gathering import Gathering, PlacedClip, SceneByClips, next_cut
from .in_sight import InSight
from .listening import Listener, frames_before
from .live_track import LiveTrack, room_for_faces
from .parts import Parts
from .pass_options import PassOptions
from .scoring import Scoring
from .shifting import AROUND, ShiftedScorer, WideClip
from .square_pixels import Square


class Analysis(AbstractContextManager["Analysis"]):
    """Takes frames one by one and collects shots, tracks and the detected speech.

    A context manager: when it is left, nothing is computed any more.

    Args:
        parts: The components.
        sound: The sound, on the same clock as the frames.
        watch: Times the stages.
        options: How to look at the frames.
        notes: Collects a note if faces are left out.
        pixel_aspect: Width of a stored pixel over its height. Components see square pixels.
        overlap: Whether to score in a thread beside the caller's, if the scorer allows it.
        tell: Called now and then while the pass waits for the scorer; what it raises ends the pass.

    Attributes:
        shots: (first, end) grid frames of each shot so far, end excluded.
        pieces: At the end and with `sync=check`: for each track its pieces, scored with shifted
            sound.
    """

    def __init__(
        self,
        parts: Parts,
        sound: Hearable,
        watch: Stopwatch,
        options: PassOptions,
        notes: Notes | None = None,
        *,
        pixel_aspect: float = 1.0,
        overlap: bool = False,
        tell: Callable[[], None] = lambda: None,
    ) -> None:
        self.shots: list[tuple[int, int]] = []
        self.pieces: tuple[tuple[Piece, ...], ...] = ()
        self._parts = parts
        self._sound = sound
        self._watch = watch
        name = parts.name("scorer")
        self._shifts = options.sync == CHECK
        scorer = ShiftedScorer(parts.scorer, name) if self._shifts else parts.scorer
        self._gathering: Gathering | None = None
        if isinstance(parts.scorer, SceneScorer):
            if self._shifts:
                raise PluginError(
                    f"{name} looks at all faces of a moment at once, so it cannot shift the sound",
                    "Leave out Component.shifts",
                )
            scorer = SceneByClips(parts.scorer)
            self._gathering = Gathering(sound, watch)
        beside = checked_concurrent(name, parts.scorer) and overlap
        self._scoring = Scoring(scorer, watch, name, beside=beside, tell=tell)
        self._listener: Listener | None = None
        self._faces = InSight(parts, watch, options, notes or Notes(), pixel_aspect=pixel_aspect)
        self._live: dict[int, LiveTrack] = {}
        self._kept: list[LiveTrack] = []
        self._shot_start: int | None = None

    def __exit__(self, *_: object) -> None:
        self._scoring.close()

    @property
    def scored(self) -> tuple[int, int]:
        """How many frames of faces have been scored, and how many are cropped to be."""
        return self._scoring.done, self._scoring.total

    def feed(self, frame: Frame, cut: bool) -> None:
        """Take the next frame; `cut` says whether a shot begins with it."""
        self._scoring.look()
        if self._shot_start is None:
            self._shot_start = frame.index
            if self._parts.vad:
                vad, name = self._parts.vad, self._parts.name("vad")
                before = frames_before(vad, frame.index, name)
                self._listener = Listener(
                    vad, self._sound, self._watch, frame.index, name, before=before
                )
        elif cut:
            self._end_shot()
            self._shot_start = frame.index
        if self._listener:
            self._listener.hear(frame.index + 1)
        self._take(self._faces.take(frame))
        self._release()

    def finish(self) -> tuple[tuple[Track, ...], Heard | None]:
        """End the last shot.

        Returns:
            The kept tracks, by first frame and then left to right, without decisions yet; and the
            detected speech, if there is a voice activity detector.
        """
        if self._shot_start is not None:
            self._end_shot()
        self._faces.embed()
        self._scoring.finish()
        heard = None
        if self._listener:
            heard = self._listener.finish(self._faces.end)
        ordered = sorted(self._kept, key=lambda track: (track.first_frame, track.boxes[0][0, 0]))
        self.pieces = tuple(tuple(track.pieces) for track in ordered)
        tracks = tuple(
            _finished(number, track, self._faces.square) for number, track in enumerate(ordered)
        )
        return tracks, heard

    def _end_shot(self) -> None:
        assert self._shot_start is not None
        self._take(self._faces.end_shot())
        self._score_scenes()
        self._faces.forget_before(self._faces.end)
        self.shots.append((self._shot_start, self._faces.end))

    def _release(self) -> None:
        """Free frames and sound that are no longer needed."""
        crops = [track.next_crop for track in self._live.values()]
        needed = min([self._faces.undecided, *crops])
        self._faces.forget_before(needed)
        self._score_scenes(needed)
        heard = min([track.clip_start for track in self._live.values()], default=needed)
        if self._gathering and (first := self._gathering.first_frame) is not None:
            heard = min(heard, first)
        if self._listener:
            heard = min(heard, self._listener.next_frame)
        around = AROUND if self._shifts else 1
        self._sound.forget(heard * SAMPLES_PER_FRAME - around)

    def _take(self, pieces: Iterable[TrackPiece]) -> None:
        """Crop the faces of new pieces, and score the clips that these complete."""
        ready: list[tuple[list[Float32], Clip]] = []
        for piece in pieces:
            if piece.track not in self._live:
                assert self._shot_start is not None
                source_id = self._faces.source_id(piece.track)
                self._live[piece.track] = LiveTrack(len(self.shots), piece.first_frame, source_id)
            track = self._live[piece.track]
            rows = self._faces.add(track, piece)
            if piece.status != "live":
                del self._live[piece.track]
            if piece.status == "dropped":
                continue
            if piece.status == "kept":
                self._kept.append(track)
            track.boxes.append(piece.boxes)
            track.smoothed.append(rows)
            ready += [(track.logits, clip) for clip in self._clips(track, rows)]
            if piece.status == "kept" and track.gathered:
                ready.append((track.logits, self._clip(track)))
        if self._gathering and self._shot_start is not None:
            self._gathering.add(self._shot_start, ready)
        else:
            self._scoring.add(ready)

    def _score_scenes(self, before: int | None = None) -> None:
        """Score the scenes that are whole, if there are scenes; see `Gathering.whole`."""
        for scene in self._gathering.whole(before) if self._gathering else ():
            self._scoring.add(scene)

    def _clips(self, track: LiveTrack, rows: Float64) -> Iterator[Clip]:
        """Crop the next faces of a track; yield each clip that reaches its full length."""
        for row in rows:
            if not track.gathered:
                track.faces = room_for_faces(CLIP_FRAMES)
            track.faces[track.gathered] = self._faces.crop(track, row)
            track.gathered += 1
            if track.gathered == CLIP_FRAMES or self._cuts_all(track):
                yield self._clip(track)

    def _cuts_all(self, track: LiveTrack) -> bool:
        """Whether a scene ends with the last crop of a track."""
        if self._gathering is None or self._shot_start is None:
            return False
        return next_cut(self._shot_start, track.next_crop - 1) == track.next_crop

    def _clip(self, track: LiveTrack) -> Clip:
        """The current clip of a track, which then begins another."""
        clip_start, stop = track.clip_start, track.next_crop
        begins = clip_start == track.first_frame
        with self._watch("sound"):
            sound, sample, after = clip_sound(self._sound, clip_start, stop, begins=begins)
            around = self._around(clip_start, stop) if self._shifts else None
        faces = track.faces[: track.gathered]
        track.faces, track.gathered = room_for_faces(), 0
        if self._gathering:
            return PlacedClip(faces, sound, sample, after, clip_start)
        if around is None:
            return Clip(faces, sound, sample, after)
        return WideClip(faces, sound, sample, after, clip_start, around, track.pieces)

    def _around(self, first: int, stop: int) -> Int16:
        """The sound of grid frames, and as much around it as shifts need."""
        return self._sound.read(
            first * SAMPLES_PER_FRAME - AROUND, stop * SAMPLES_PER_FRAME + AROUND
        )


def _finished(number: int, track: LiveTrack, square: Square) -> Track:
    vectors = track.embedded.vectors
    return Track(
        id=number,
        shot=track.shot,
        first_frame=track.first_frame,
        boxes=square.stored_boxes(np.concatenate(track.boxes)),
        smoothed=square.stored_smoothed(np.concatenate(track.smoothed)),
        logits=np.concatenate(track.logits),
        speaking=(),
        embedded=np.array(track.embedded.frames, np.int64),
        embeddings=np.stack(vectors) if vectors else np.empty((0, 0), np.float32),
        source_id=track.source_id,
    )
