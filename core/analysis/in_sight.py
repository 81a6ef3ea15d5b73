"""Finds, follows and crops the faces of frames: what every pass does alike."""

from __future__ import annotations

import numpy as np

from ..errors import PluginError
from ..notes import Notes
from ..pictures import Frame
from ..progress import Stopwatch
from ..types import Detections, Float64, TrackPiece, UInt8
from .crops import face
from .embedding import FaceAt, Portraits
from .following import followed
from .live_track import CroppedTrack
from .looking import Looker
from .pacing import longest_step, pace
from .parts import Parts
from .pass_options import PassOptions
from .recent_frames import RecentFrames
from .same_person import SamePerson
from .square_pixels import Square


class InSight:
    """The faces in sight, as frames come; everything is in square pixels.

    It holds the frames that may still be looked at or cropped, until `forget_before`.

    Args:
        parts: The components.
        watch: Times the stages.
        options: How to look at the frames.
        notes: Collects a note if faces are left out.
        pixel_aspect: Width of a stored pixel over its height.

    Attributes:
        square: Converts square pixels to stored ones.
        frames: The pictures that are held.
        end: The grid frame after the last one taken.
    """

    def __init__(
        self,
        parts: Parts,
        watch: Stopwatch,
        options: PassOptions,
        notes: Notes,
        *,
        pixel_aspect: float,
    ) -> None:
        self.square = Square.of(pixel_aspect)
        self.frames = RecentFrames(self.square)
        self.end = 0
        self._parts = parts
        self._watch = watch
        self._options = options
        self._portraits = None
        if parts.embedder:
            self._portraits = Portraits(parts.embedder, watch, parts.name("embedder"))
        self._looker = Looker(
            parts.detector,
            self.frames,
            self.square,
            watch,
            notes,
            batch_frames=options.batch_frames,
            max_faces=options.max_faces,
            name=parts.name("detector"),
        )
        self._pace = pace(options.detect_every, self._looker)
        two_people = self._portraits.two_people if self._portraits else None
        self._follower, self._ids = followed(
            parts,
            SamePerson(self.frames, two_people),
            watch,
            notes,
            detect_every=longest_step(options.detect_every),
        )

    def take(self, frame: Frame) -> list[TrackPiece]:
        """Take the next frame of a shot; return the pieces of tracks that are final now."""
        self.frames.put(frame)
        self.end = frame.index + 1
        return self._followed(self._pace.take(frame.index))

    def catch_up(self) -> list[TrackPiece]:
        """Look at the frames that wait for others to be looked at with them."""
        return self._followed(self._looker.look())

    def end_shot(self) -> list[TrackPiece]:
        """End the shot and all tracks; return their last pieces."""
        return self._followed(self._pace.end(self.end - 1), final=True)

    def source_id(self, number: int) -> int | None:
        """The id that the detector gave a track which has begun; it is told once."""
        return self._ids.pop(number, None)

    def add(self, track: CroppedTrack, piece: TrackPiece) -> Float64:
        """Add a piece to its track.

        Returns:
            (n, 3) float64, the smoothed places of the track's next faces to be cropped.
        """
        if len(piece.boxes):
            track.uncropped.extend(piece.boxes)
            if self._portraits:
                self._portraits.follow(track.embedded, piece)
        if piece.status == "dropped":
            return np.empty((0, 3))
        rows = track.smoother.add(piece.boxes)
        if piece.status == "kept":
            rows = np.concatenate([rows, track.smoother.finish()])
        return rows

    def crop(self, track: CroppedTrack, row: Float64) -> UInt8:
        """Crop the next face of a track, and embed it if it is due.

        Args:
            track: The track.
            row: (3,) float64, the smoothed place of this face.

        Returns:
            (112, 112) uint8, grey.

        Raises:
            PluginError: The frame is not held any more, as the tracker told of it too late.
        """
        index = track.next_crop
        with self._watch("crop"):
            if index not in self.frames:
                name = self._parts.name("tracker")
                raise PluginError(f"{name} told of frame {index} too late to crop it")
            picture = self.frames[index]
            x, y, half_size = row
            cropped = face(picture, x, y, half_size, self._options.crop_scale)
        box = track.uncropped.popleft()
        if self._portraits and track.cropped % self._options.embed_every == 0:
            self._portraits.take(track.embedded, FaceAt(index, picture, box))
        track.cropped += 1
        return cropped

    def embed(self) -> None:
        """Embed the faces that wait for others to be embedded with them.

        Raises:
            PluginError: The embedder breaks its contract.
        """
        if self._portraits:
            self._portraits.flush()

    @property
    def undecided(self) -> int:
        """No track begins before this grid frame that has not begun yet."""
        waiting = (self._pace.waiting, self._follower.waiting)
        # The newest frame may turn out to be the last of its shot, which is always detected.
        return min([self.end - 1, *(first for first in waiting if first is not None)])

    def forget_before(self, index: int) -> None:
        """Free the frames before grid frame `index`, and what was found in them."""
        self.frames.forget_before(index)
        if self._portraits:
            self._portraits.forget_before(index)

    def _followed(
        self, found: list[tuple[int, Detections]], *, final: bool = False
    ) -> list[TrackPiece]:
        """Pass on the faces of the next frames that the detector looked at."""
        if self._portraits:
            self._portraits.looked(found)
        self._follower.add(found)
        return self._follower.follow(self.end, final=final)
