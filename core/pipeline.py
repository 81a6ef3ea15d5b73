"""A run from beginning to end: check, build, analyse, write."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

from .concluding import concluded
from .config.compose import compose_run
from .config.options import RESULTS_FOLDER
from .config.plan import RunPlan, make_plan
from .contracts import Writer
from .decisions.in_step import checked, remark
from .decisions.speaking import doubt
from .files import digest_of, folder_name
from .known_voices import voiced
from .media.probe import Media
from .models import Models, seeded
from .progress import Progress, Stopwatch, silent
from .provenance import provenance, versions
from .registry import registry
from .result import Result
from .results import plain
from .results_folder import ResultsFolder, taken
from .resume import Answers, kept
from .sync import AUTO, CHECK
from .viewing import analysed, in_step, media_of
from .voices.files import moved, turns_of
from .writing import written


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
                media, sync = in_step(media, plan.options, models, watch, progress)
                turns = moved(turns, sync.moved_s)  # a diarizer hears the sound as it is
            noted = tuple(media.notes)
            seen = analysed(media, plan.options, parts, watch, progress, answers=answers)
            # Threads beside each other note things in any order.
            later = sorted(set(media.notes).difference(noted))
            with watch("identify") if parts.embedder else nullcontext():
                result = concluded(media.info, plan, seen, people, context, turns=turns)
            with seeded(plan.options.seed):
                result = voiced(result, media, plan, voice, watch)
            if plan.options.sync == CHECK:
                sync = checked(seen.pieces, can_refuse=seen.refuses_sounds)
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
