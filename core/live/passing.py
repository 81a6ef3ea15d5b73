"""The pass over a stream: frames in, scores in hops out, with memory that stays the same for days.

It looks at frames as `core.analysis.one_pass` does, and so finds the same shots, faces and crops;
but faces are scored again and again while they are seen, on their last seconds, and what a hop has
given for good is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import numpy as np

from ..analysis.cutting import Cutting
from ..analysis.in_sight import InSight
from ..analysis.listening import STEP_FRAMES, Listener
from ..analysis.pacing import longest_step
from ..analysis.parts import Parts
from ..analysis.pass_options import PassOptions
from ..media.sound import Hearable
from ..notes import Notes
from ..pictures import Frame
from ..progress import Stopwatch
from ..types import SAMPLES_PER_FRAME, Float32, Heard, TrackPiece
from .followed import FollowedFace
from .hops import Hop, HopFace
from .rescored import Rescored
from .settings import LiveConfig


class LivePass(AbstractContextManager["LivePass"]):
    """Takes frames one by one and scores the faces in sight in hops.

    A context manager: when it is left, what it holds is freed.

    A hop comes with each grid frame whose number plus one is a multiple of `hop_s`, and at the end
    of a stretch. What it holds depends on nothing but the frames and the sound before it.

    What is certain of a frame waits for the cutter's later frames, for those of the smoothing, for
    faces that are out of sight for a moment and may come back, and for `lookahead_s` of crops after
    it. When a track ends, its last rows are certain all the same, as nothing comes after them. No
    row of a face is certain until it was seen in more frames than those that trackers drop; if a
    tracker drops it even so, it counts as kept.

    Args:
        parts: The components.
        sound: The sound, on the same clock as the frames.
        watch: Times the stages.
        options: How to look at the frames; `sync` is not looked at. Frames wait for a batch to be
            full only up to the next hop.
        config: How faces are scored.
        notes: Collects a note if faces are left out.
        pixel_aspect: Width of a stored pixel over its height. Components see square pixels.
        anew: Makes a component of a kind for each stretch but the first: the cutter and the voice
            activity detector, as pictures and sound before a gap tell nothing of those after it.
            Without it those of `parts` go on.
    """

    def __init__(  # noqa: PLR0917 - as a run is given them, and its own
        self,
        parts: Parts,
        sound: Hearable,
        watch: Stopwatch,
        options: PassOptions,
        config: LiveConfig,
        notes: Notes,
        *,
        pixel_aspect: float = 1.0,
        anew: Callable[[str], Any] | None = None,
    ) -> None:
        self._parts = parts
        self._sound = sound
        self._watch = watch
        self._hop = config.frames("hop_s")
        self._context = config.frames("context_s")
        self._lookahead = config.frames("lookahead_s")
        self._anew = anew
        self._cutting = Cutting(parts.cutter, watch, parts.name("cutter"))
        self._vad = parts.vad
        self._listener: Listener | None = None
        self._faces = InSight(parts, watch, options, notes, pixel_aspect=pixel_aspect)
        self._most_apart = longest_step(options.detect_every)
        self._rescored = Rescored(parts, sound, watch, self._context)
        self._live: dict[int, FollowedFace] = {}
        """By the tracker's number: the faces that are followed."""
        self._ended: list[FollowedFace] = []
        """Faces that are not followed any more, but have rows that no hop has given for good."""
        self._dropped: list[int] = []
        self._tracks = 0
        """How many tracks have been told of."""
        self._shots: list[tuple[int, int, int | None]] = []
        """The shots that have ended since the last hop."""
        self._shot = 0
        self._shot_start: int | None = None
        self._stretches = 0
        self._in_stretch = False
        self._end = 0
        self._certain_to = 0

    def __exit__(self, *_: object) -> None:
        self._faces.forget_before(self._faces.end)
        self._live.clear()
        self._ended.clear()

    def take(self, frame: Frame, begins: bool, *, late: bool = False) -> Hop | None:
        """Take the next frame.

        Args:
            frame: The frame. Its number follows that of the last one, unless it begins a stretch.
            begins: Whether it begins a stretch: the first one, or one after `end_stretch`.
            late: Whether the machine is too slow; of the hops only every other one comes then.

        Returns:
            A hop if one is due.

        Raises:
            PluginError: A component breaks its contract.
            ValueError: It begins a stretch within another one, or none where it must.
        """
        if begins and self._in_stretch:
            raise ValueError(f"frame {frame.index} has begins=True, but the last stretch goes on")
        if not (begins or self._in_stretch):
            raise ValueError(f"frame {frame.index} has begins=False, where a stretch must begin")
        if begins:
            self._begin_stretch()
        self._end = frame.index + 1
        for one, cut in self._cutting.put(frame):
            self._feed(one, cut)
        if self._end % (2 * self._hop if late else self._hop):
            return None
        self._add(self._faces.catch_up())
        return self._told(self._listener.take() if self._listener else None)

    def end_stretch(self) -> Hop:
        """End a stretch: nothing is known of what comes after the last frame.

        Returns:
            A hop in which all is certain.

        Raises:
            PluginError: A component breaks its contract.
        """
        for one, cut in self._cutting.end():
            self._feed(one, cut)
        if self._shot_start is not None:
            self._end_shot()
        heard = self._listener.finish(self._faces.end) if self._listener else None
        self._listener = None
        self._in_stretch = False
        return self._told(heard)

    def _begin_stretch(self) -> None:
        self._in_stretch = True
        self._stretches += 1
        if self._anew and self._stretches > 1:
            cutter = self._anew("cutter")
            self._cutting = Cutting(cutter, self._watch, self._parts.name("cutter"))
            if self._parts.vad:
                self._vad = self._anew("vad")

    def _feed(self, frame: Frame, cut: bool) -> None:
        """Take a frame of which it is known whether a shot begins with it."""
        if self._vad and self._listener is None:
            self._listener = Listener(
                self._vad,
                self._sound,
                self._watch,
                frame.index,
                self._parts.name("vad"),
                piece_frames=STEP_FRAMES,
            )
        if cut and self._shot_start is not None:
            self._end_shot()
        if self._shot_start is None:
            self._shot_start = frame.index
        if self._listener:
            self._listener.hear(frame.index + 1)
        self._add(self._faces.take(frame))
        self._release()

    def _end_shot(self) -> None:
        assert self._shot_start is not None
        self._add(self._faces.end_shot())
        self._faces.forget_before(self._faces.end)
        self._shots.append((self._shot, self._shot_start, self._faces.end))
        self._shot += 1
        self._shot_start = None

    def _add(self, pieces: list[TrackPiece]) -> None:
        """Add pieces to their tracks, and crop the faces that can be."""
        for piece in pieces:
            if piece.track not in self._live:
                assert self._shot_start is not None
                self._live[piece.track] = FollowedFace(
                    self._shot,
                    piece.first_frame,
                    self._faces.source_id(piece.track),
                    shot_start=self._shot_start,
                )
            track = self._live[piece.track]
            if piece.status == "dropped" and track.given > track.first_frame:
                piece = replace(piece, status="kept")  # noqa: PLW2901 - its last one
            track.follow(piece, self._most_apart)
            for row in self._faces.add(track, piece):
                track.put(row, self._faces.crop(track, row))
            if piece.status == "kept":
                self._ended.append(self._live.pop(piece.track))
            elif piece.status == "dropped":
                del self._live[piece.track]
                if track.number is not None:
                    self._dropped.append(track.number)

    def _release(self) -> None:
        """Free frames and sound that are no longer needed."""
        crops = [track.next_crop for track in self._live.values()]
        needed = min([self._faces.undecided, *crops])
        self._faces.forget_before(needed)
        heard = [needed, *(track.crops_from for track in (*self._live.values(), *self._ended))]
        if self._listener:
            heard.append(self._listener.next_frame)
        if (first := self._rescored.first_frame) is not None:
            heard.append(first)
        self._sound.forget(min(heard) * SAMPLES_PER_FRAME - 1)

    def _told(self, heard: Heard | None) -> Hop:
        """The hop of what has been found since the last one."""
        self._faces.embed()
        tracks = self._numbered()
        certain_to = self._now_certain()
        logits = self._rescored.score(tracks)
        faces = tuple(self._given(*one) for one in zip(tracks, logits, strict=True))
        self._ended = [track for track in self._ended if track.has_rows]
        going_on = [] if self._shot_start is None else [(self._shot, self._shot_start, None)]
        hop = Hop(
            end=self._end,
            certain_to=certain_to,
            scored_to=max([certain_to, *(track.next_crop for track in tracks)]),
            shots=(*self._shots, *going_on),
            faces=faces,
            dropped=tuple(self._dropped),
            heard=heard or self._unheard(),
        )
        self._shots, self._dropped = [], []
        return hop

    def _given(self, track: FollowedFace, logits: Float32) -> HopFace:
        told = track.give(logits, self._certain_to, self._faces.square)
        track.forget(self._context)
        return told

    def _numbered(self) -> list[FollowedFace]:
        """The tracks that have rows to be given, in order of their numbers; new ones get one."""
        tracks = [track for track in (*self._ended, *self._live.values()) if track.has_rows]
        new = [track for track in tracks if track.number is None]
        for track in sorted(new, key=lambda track: track.place):
            track.number = self._tracks
            self._tracks += 1
        return sorted(tracks, key=lambda track: track.number or 0)

    def _now_certain(self) -> int:
        """Before which grid frame all is certain from now on; see `core.live.hops.Hop`."""
        known = self._faces.end if self._shot_start is None else self._faces.undecided
        bounds = [track.certain_to(self._lookahead) for track in self._live.values()]
        if self._listener:
            bounds.append(self._listener.next_frame)
        self._certain_to = max(self._certain_to, min([known, *bounds]))
        return self._certain_to

    def _unheard(self) -> Heard | None:
        return Heard(self._faces.end, np.empty(0, np.float32)) if self._vad else None
