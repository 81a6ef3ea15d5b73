"""Looks at one video with the components of a plan, before any decisions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from .analysis.cutting import with_cuts
from .analysis.embedder_answers import checked_identity_distance
from .analysis.listening import frames_before
from .analysis.one_pass import Analysis
from .analysis.parts import Parts
from .analysis.remarks import say_what_is_too_small, silence
from .analysis.shifting import AROUND_FRAMES, refuses_sounds
from .config.options import Options
from .contracts import Detector
from .cores import cores
from .correcting import Aside, measured, moved_by
from .kept_parts import asked_of
from .known_faces import KnownFaces
from .media.container import Reading
from .media.picture_times import picture_times
from .media.probe import Media, Sound, first_frame_at, frames, probe
from .models import seeded
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
        refuses_sounds: Whether what the pieces tell may be that the sound fits nobody; see
            `core.contracts.ShiftingScorer`.
    """

    shots: tuple[tuple[int, int], ...]
    tracks: tuple[Track, ...]
    heard: Heard | None
    identity_distance: float | None = None
    pieces: tuple[tuple[Piece, ...], ...] = ()
    refuses_sounds: bool = False


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
    parts = replace(parts, detector=_on_grid(parts.detector, media))
    frames_heard = frames_before(parts.vad, first_frame, parts.name("vad"))
    if options.sync == CHECK:
        frames_heard = max(frames_heard, AROUND_FRAMES)
    done, finding = 0, True

    def tell() -> None:
        if finding:
            progress("finding speakers", done, total)
        else:
            progress("scoring", *analysis.scored)

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
            tell=tell,
        ) as analysis,
    ):
        for frame, cut in cuts:
            analysis.feed(frame, cut)
            done += 1
            tell()
        finding = False
        tell()
        tracks, heard = analysis.finish()
        tell()
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
    refuses = refuses_sounds(parts.scorer)
    return Seen(shots, tracks, heard, distance, analysis.pieces, refuses)


def _on_grid(detector: Detector, media: Media) -> Detector:
    """The detector; one that knows the faces of the source's pictures, on the grid of the video."""
    if not isinstance(detector, KnownFaces):
        return detector
    boxes = detector.boxes
    if detector.clock == "source":
        times_s, shown = picture_times(media)
        late = int((boxes.frames >= len(times_s)).sum())
        why = f"it has {len(times_s)} pictures"
        detector = detector.on_grid(times_s, shown)
    else:
        late = int((boxes.frames > media.info.duration_s * GRID_FPS + 1).sum())
        late = late if media.info.fps > GRID_FPS + 0.5 else 0
        why = "if their frames count the pictures of the source, say clock=source"
    if late:
        media.notes.add(f"{late} of {len(boxes)} boxes are after the end of the video: {why}")
    return detector


def in_step(
    media: Media,
    options: Options,
    fresh: Callable[[], Parts],
    watch: Stopwatch,
    progress: Progress,
    *,
    can_refuse: bool,
) -> tuple[Media, Sync]:
    """Measure how late the sound is, and move it by so much.

    Args:
        media: The video.
        options: The options of the run.
        fresh: Makes the components for one pass.
        watch: Times the stage "sync".
        progress: Called with the progress of each pass.
        can_refuse: See `core.decisions.in_step.fit_of`.
    """
    aside = replace(media, notes=Aside(media.notes))

    def look(start_s: float, end_s: float) -> Sequence[Sequence[Piece]]:
        own = replace(fresh(), embedder=None, vad=None)
        part = replace(options, sync=CHECK, start_s=start_s, end_s=end_s)
        return analysed(aside, part, own, Stopwatch(), progress).pieces

    with watch("sync"):
        end_s = min(options.end_s or media.info.duration_s, media.info.duration_s)
        fit = measured(look, options.start_s, end_s, can_refuse=can_refuse)
    moved_s = moved_by(fit, end_s - options.start_s)
    return media.with_sound_moved(moved_s), Sync(fit, moved_s=moved_s)
