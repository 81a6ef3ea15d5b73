"""Looks at one video with the components of a plan, before any decisions."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from .analysis.cutting import with_cuts
from .analysis.embedder_answers import checked_identity_distance
from .analysis.listening import frames_before
from .analysis.one_pass import Analysis, Parts
from .analysis.remarks import say_what_is_too_small, silence
from .analysis.shifting import AROUND_FRAMES, refuses_sounds
from .config.options import Options
from .cores import cores
from .correcting import Aside, measured, moved_by
from .kept_parts import asked_of
from .media.container import Reading
from .media.probe import Media, Sound, first_frame_at, frames, probe
from .models import Models, seeded
from .progress import Progress, Stopwatch, silent
from .resume import Answers
from .sync import CHECK, Piece, Sync
from .types import GRID_FPS, SAMPLES_PER_FRAME, Heard, Track

_SOUND_SHORTER_FRAMES = 5
_log = logging.getLogger(__name__)


def media_of(options: Options) -> Media:
    """Probe the video of a run, without decoding it.

    Raises:
        InputError: The video is not usable.
    """
    media = probe(
        Path(options.video),
        Path(options.sound) if options.sound else None,
        Reading.of(vars(options)),
        allow_silent=options.allow_silent,
        end_s=options.end_s,
    )
    return replace(media, info=replace(media.info, name=options.name or ""))


@dataclass(frozen=True, eq=False)
class Seen:
    """The output of the pass over a video, before any decisions.

    Attributes:
        shots: (first, end) grid frames of each shot, end excluded.
        tracks: The faces with their logits, without identities and speaking segments.
        heard: The detected speech; None without voice activity detection.
        identity_distance: The embedder's own, for `identify`; None without an embedder.
        pieces: With `sync=check`: for each track its pieces, scored with shifted sound.
    """

    shots: tuple[tuple[int, int], ...]
    tracks: tuple[Track, ...]
    heard: Heard | None
    identity_distance: float | None = None
    pieces: tuple[tuple[Piece, ...], ...] = ()


def analysed(
    media: Media,
    options: Options,
    parts: Parts,
    watch: Stopwatch,
    progress: Progress = silent,
    *,
    answers: Answers | None = None,
    overlap: bool = True,
) -> Seen:
    """Pass over a video: find shots, tracks with scores, and speech.

    Args:
        media: The video.
        options: The options of the run.
        parts: The components.
        watch: Times the stages.
        progress: Called with the progress of the pass.
        answers: Stored network outputs to reuse; new outputs are added.
        overlap: Whether stages may run at the same time, if several threads are allowed: then
            `watch` tells how long each took beside the others, not what it costs by itself.

    Raises:
        AsdError: The video breaks off, or a component breaks its contract.
    """
    end_s = min(options.end_s or media.info.duration_s, media.info.duration_s)
    total = max(1, round((end_s - options.start_s) * GRID_FPS))
    first_frame = first_frame_at(options.start_s)
    overlap = overlap and (options.threads or cores()) > 1
    distance = None
    if parts.embedder:
        distance = checked_identity_distance(parts.name("embedder"), parts.embedder)
    frames_heard = frames_before(parts.vad, first_frame, parts.name("vad"))
    if options.sync == CHECK:
        frames_heard = max(frames_heard, AROUND_FRAMES)
    with (
        seeded(options.seed),
        Sound(media, options.start_s, frames_heard / GRID_FPS, options.threads) as sound,
        closing(
            with_cuts(
                frames(media, options.start_s, options.end_s, threads=options.threads),
                parts.cutter,
                watch,
                parts.name("cutter"),
                overlap=overlap,
            )
        ) as cuts,
        Analysis(
            asked_of(answers or Answers(None, seed=options.seed), parts),
            sound,
            watch,
            options,
            media.notes,
            pixel_aspect=media.info.pixel_aspect,
            overlap=overlap,
        ) as analysis,
    ):
        done = 0
        for frame, cut in cuts:
            analysis.feed(frame, cut)
            done += 1
            progress("finding speakers", done, total)
        progress("scoring", done, total)
        tracks, heard = analysis.finish()
        if not tracks:
            say_what_is_too_small(media, parts)
        shots = tuple(analysis.shots)
        picture_end = shots[-1][1] if shots else 0
        if media.sound is not None and sound.is_silent(picture_end * SAMPLES_PER_FRAME):
            media.notes.add(silence(media.sound))
        sound_end = None if sound.ended_at is None else sound.ended_at // SAMPLES_PER_FRAME
    if sound_end is not None and picture_end - sound_end > _SOUND_SHORTER_FRAMES:
        _log.warning(
            "The sound ends at %.2f s, before the picture (%.2f s); the rest counts as silence",
            sound_end / GRID_FPS,
            picture_end / GRID_FPS,
        )
    return Seen(shots, tracks, heard, distance, analysis.pieces)


def in_step(
    media: Media, options: Options, models: Models, watch: Stopwatch, progress: Progress
) -> tuple[Media, Sync]:
    """Measure how late the sound is, and move it by so much."""
    aside = replace(media, notes=Aside(media.notes))

    def look(start_s: float, end_s: float) -> Sequence[Sequence[Piece]]:
        parts = replace(models.parts(), embedder=None, vad=None)
        part = replace(options, sync=CHECK, start_s=start_s, end_s=end_s)
        return analysed(aside, part, parts, Stopwatch(), progress).pieces

    with watch("sync"):
        end_s = min(options.end_s or media.info.duration_s, media.info.duration_s)
        refuses = refuses_sounds(models.part("scorer"))
        fit = measured(look, options.start_s, end_s, can_refuse=refuses)
    moved_s = moved_by(fit, end_s - options.start_s)
    return media.with_sound_moved(moved_s), Sync(fit, moved_s=moved_s)
