"""A run from beginning to end: check, build, analyse, write."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

from .analysis.cutting import with_cuts
from .analysis.embedder_answers import checked_identity_distance
from .analysis.listening import frames_before
from .analysis.one_pass import Analysis, Parts
from .analysis.remarks import say_what_is_too_small, silence
from .analysis.rescoring import in_context
from .analysis.shifting import AROUND_FRAMES, refuses_sounds
from .config.compose import compose_run
from .config.options import RESULTS_FOLDER, Options
from .config.plan import RunPlan, make_plan
from .contracts import FaceContext, Writer
from .cores import cores
from .correcting import Aside, measured
from .decisions.identities import identify
from .decisions.in_step import checked, remark
from .decisions.speaking import doubt
from .decisions.turns import Rules, decide_by
from .files import digest_of, folder_name
from .kept_parts import asked_of
from .known_voices import voiced
from .media.container import Reading
from .media.probe import Media, Sound, first_frame_at, frames, probe
from .models import Models, seeded
from .progress import Progress, Stopwatch, silent
from .provenance import provenance, versions
from .registry import registry
from .results import plain
from .results_folder import ResultsFolder, taken
from .resume import Answers, kept
from .sync import AUTO, CHECK, Piece, Sync
from .types import GRID_FPS, SAMPLES_PER_FRAME, Float32, Heard, Result, Spans, Track, VideoInfo
from .voices.assigning import with_voices
from .voices.files import turns_of
from .writing import written

_SOUND_SHORTER_FRAMES = 5
_log = logging.getLogger(__name__)


def run(video: str | Path, overrides: Iterable[str] = (), progress: Progress = silent) -> Result:
    """Find out who speaks when in a video, and write the results.

    Args:
        video: The file.
        overrides: Options as on the command line, such as "detector=yunet"; with "writers=[]"
            nothing is written.
        progress: Called with the progress of the run.

    Returns:
        The result; `result.tracks` holds the faces with a score for each frame.

    Raises:
        AsdError: The video, an option, weights, the device or the output folder is not usable.

    Example:
        >>> result = asdkit.run("clip.mp4", overrides=["detector=yunet"])
        >>> [track.speaking for track in result.tracks]
    """
    return execute(make_plan(compose_run(overrides, os.fspath(video))), progress)


def execute(
    plan: RunPlan, progress: Progress = silent, *, models: Models | None = None, keep: bool = True
) -> Result:
    """Run a plan. Errors that can be found before decoding are raised before it.

    Args:
        plan: The plan.
        progress: Called with the progress of the run.
        models: Components already loaded, for plans that differ only in their videos.
        keep: Whether to store network outputs during the run, so that `resume` can reuse them.

    Raises:
        AsdError: As for `run`.
        KeyboardInterrupt: The run was stopped; its message, if any, says how to resume.
    """
    watch = Stopwatch()
    media = media_of(plan.options)
    turns = turns_of(plan.options.diarization, media.info)
    folder = Path(plan.options.output or Path(RESULTS_FOLDER, folder_name(media.info.path)))
    with _place(folder, plan) as place:
        progress("loading", 0, 0)
        models = models or Models(plan)
        with watch("load"):
            parts = models.parts()
            people = models.people
            context, voice = models.part("context"), models.part("voice")
            writers = [chosen.build(models.context) for chosen in plan.writers]
        answers = Answers(
            place.incomplete if place and keep else None,
            _origin(plan, models, media) if place and keep else None,
            plan.options.seed,
        )
        if plan.options.resume:
            answers.resume()
        else:
            answers.start_anew()
        with kept(answers):
            sync = None
            if plan.options.sync == AUTO:
                media, sync = _in_step(media, plan.options, models, watch, progress)
            noted = tuple(media.notes)
            seen = analysed(media, plan.options, parts, watch, progress, answers=answers)
            # Threads beside each other note things in any order.
            later = sorted(set(media.notes).difference(noted))
            with watch("identify") if parts.embedder else nullcontext():
                result = concluded(media.info, plan, seen, people, context, turns=turns)
            with seeded(plan.options.seed):
                result = voiced(result, media, plan, voice, watch)
            if plan.options.sync == CHECK:
                sync = checked(seen.pieces, can_refuse=refuses_sounds(parts.scorer))
            for said in (doubt(result.tracks), remark(sync) if sync else ""):
                if said:
                    media.notes.add(said)
                    later.append(said)
            result = replace(
                result,
                video=replace(media.info, notes=(*noted, *later)),
                sync=sync,
                sound_path=media.sound_path,
                media=media,
                provenance=provenance(plan, models.weights, models.devices),
                timings_s=watch.total(),
            )
            if place:
                result = _written(result, plan, writers, place, watch=watch, progress=progress)
        answers.remove()
        if place:
            place.finish()
    return replace(result, timings_s=watch.total())


def _place(folder: Path, plan: RunPlan) -> AbstractContextManager[ResultsFolder | None]:
    """The folder for the results; None if nothing is to be written."""
    if not plan.writers:
        return nullcontext()
    known = [name for writer in registry().of_kind("writer") for name in writer.files]
    own = [name for chosen in plan.writers for name in chosen.component.files]
    return taken(folder, known, own, plan.options.overwrite)


def _written(
    result: Result,
    plan: RunPlan,
    writers: Sequence[Writer],
    place: ResultsFolder,
    *,
    watch: Stopwatch,
    progress: Progress,
) -> Result:
    """Write the result's files and put them in place together; return the result with them."""
    with place.writing() as aside:
        for chosen, writer in zip(plan.writers, writers, strict=True):
            progress(f"writing {', '.join(chosen.component.files)}", 0, 0)
            with watch("write"):
                files = written(chosen.in_words, writer, result, aside)
            result = replace(result, folder=aside, files=(*result.files, *files))
    return replace(result, folder=place.folder, files=tuple(place.put(result.files)))


def _origin(plan: RunPlan, models: Models, media: Media) -> dict[str, Any]:
    """Everything besides the inputs that the outputs of networks depend on, as plain values."""
    kinds = ("detector", "scorer", "embedder")
    nodes = {kind: dict(plan.settings[kind]) for kind in kinds}
    nodes["scorer"].pop("calibration", None)
    files = [media.info.path, *([media.sound_path] if media.sound_path else [])]
    for chosen in (plan.chosen[kind] for kind in kinds):
        for one in (chosen, *chosen.members):
            files += one.named_files().values()
    weights = {kind: [asdict(file) for file in used] for kind, used in models.weights.items()}
    origin = {
        **nodes,
        "files": [digest_of(path) for path in dict.fromkeys(files)],
        "weights": weights,
        "devices": models.devices,
        "versions": versions(replace(plan, writers=())),
        "seed": plan.options.seed,
        "sync": plan.options.sync,
    }
    return cast("dict[str, Any]", json.loads(json.dumps(plain(origin))))


def media_of(options: Options) -> Media:
    """Probe the video of a run, without decoding it.

    Raises:
        InputError: The video is not usable.
    """
    return probe(
        Path(options.video),
        Path(options.sound) if options.sound else None,
        Reading.of(vars(options)),
        allow_silent=options.allow_silent,
        end_s=options.end_s,
    )


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


def _in_step(
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
    moved_s = fit.offset_s if fit.is_out_of_step and fit.offset_s else 0.0
    return media.with_sound_moved(moved_s), Sync(fit, moved_s=moved_s)


def concluded(
    video: VideoInfo,
    plan: RunPlan,
    seen: Seen,
    people: Mapping[str, Float32],
    context: FaceContext | None,
    *,
    turns: Mapping[str, Spans] | None,
) -> Result:
    """Compare faces, calibrate, decide who speaks when and who is who: all without inference.

    Args:
        video: The video.
        plan: The plan; its thresholds and its scorer's calibration are applied here.
        seen: The output of the pass.
        people: The embeddings of people known by name.
        context: What corrects the scores of faces by those of others; None for nothing.
        turns: The turns of each voice of a diarization; None without one.

    Raises:
        PluginError: The context breaks its contract.
    """
    options = plan.options
    name = plan.chosen["context"].in_words
    tracks = in_context(seen.tracks, seen.shots, seen.heard, context, name)
    if calibration := plan.chosen["scorer"].calibration:
        tracks = tuple(replace(track, logits=calibration.apply(track.logits)) for track in tracks)
    rules = Rules(options.decisions, options.segments, options.speech, options.conversation)
    decision = decide_by(rules, tracks, seen.shots, seen.heard)
    tracks = decision.tracks
    distance = options.identity_distance
    if distance is None:
        distance = seen.identity_distance
    if distance is not None and any(len(track.embeddings) for track in tracks):
        tracks = identify(tracks, people, distance)
    result = Result(
        video=video,
        shots=seen.shots,
        tracks=tracks,
        settings={**plan.settings, "identity_distance": distance},
        timings_s={},
        speech=decision.speech,
        off_screen=decision.off_screen,
    )
    return with_voices(result, turns, options.speech.off_screen_min_s)
