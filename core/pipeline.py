"""A run from beginning to end: check, build, analyse, write."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, cast

from .analysis.parts import Parts
from .analysis.shifting import refuses_sounds
from .concluding import concluded
from .config.compose import compose_run
from .config.options import RESULTS_FOLDER
from .config.plan import RunPlan, make_plan
from .config.words import Overrides, words_of
from .contracts import Writer
from .decisions.in_step import checked, remark
from .decisions.speaking import doubt
from .errors import ConfigError
from .files import digest_of, folder_name
from .known_faces import Boxes, KnownFaces
from .known_voices import voiced
from .media.probe import Media
from .models import Models, seeded
from .progress import Event, Progress, Stopwatch, Teller, silent
from .provenance import provenance, versions
from .registry import registry
from .result import Result
from .results import plain
from .results_folder import ResultsFolder, taken
from .resume import Answers, kept
from .sync import AUTO, CHECK
from .viewing import analysed, in_step, media_of
from .voices.files import moved, turns_of
from .writing import stage_of, written


def run(
    video: str | os.PathLike[str],
    overrides: Overrides = (),
    progress: Progress = silent,
    *,
    boxes: Boxes | None = None,
    cancel: Event | None = None,
    **options: Any,
) -> Result:
    """Find out who speaks when in a video, and write the results.

    For many videos `Pipeline` loads the components once.

    Args:
        video: The file.
        overrides: Options as on the command line: a list of words such as "detector=yunet", one
            string of several words, or a dict of names, perhaps dotted or nested, and values,
            which are taken literally; with `writers=[]` nothing is written.
        progress: Called with the progress of the run, in each of its stages; what it raises ends
            the run.
        boxes: Faces found beforehand, to use in place of the detector.
        cancel: Ends the run when it is set, such as a `threading.Event`.
        **options: More options, which go before the overrides: `detector="yunet"`.

    Returns:
        The result; `result.tracks` holds the faces with a score for each frame.

    Raises:
        AsdError: The video, an option, weights, the device or the output folder is not usable.
        CancelledError: `cancel` was set. Nothing is left of the run.

    Example:
        >>> result = asdkit.run("clip.mp4", detector="yunet", writers=[])
        >>> [track.speaking for track in result.tracks]
    """
    plan = make_plan(compose_run(words_of(overrides, options), os.fspath(video)))
    return execute(plan, progress, boxes=boxes, cancel=cancel)


def execute(
    plan: RunPlan,
    progress: Progress = silent,
    *,
    models: Models | None = None,
    keep: bool = True,
    boxes: Boxes | None = None,
    cancel: Event | None = None,
    of_several: bool = False,
) -> Result:
    """Run a plan. Errors that can be found before decoding are raised before it.

    Args:
        plan: The plan.
        progress: Called with the progress of the run.
        models: Components already loaded, for plans that differ only in their videos.
        keep: Whether to store network outputs during the run, so that `resume` can reuse them.
        boxes: Faces to use in place of the plan's detector.
        cancel: Ends the run when it is set.
        of_several: Whether the video is one of several; see `core.voices.files.turns_of`.

    Raises:
        AsdError: As for `run`.
        KeyboardInterrupt: The run was stopped; its message, if any, says how to resume.
    """
    if boxes is not None and not isinstance(boxes, Boxes):
        raise ConfigError(
            f"boxes must be asdkit.Boxes, got {type(boxes).__name__}",
            "As in: boxes=asdkit.Boxes(frames, boxes)",
        )
    tell = Teller(progress, cancel)
    watch = Stopwatch()
    media = media_of(plan.options)
    note = media.notes.add
    turns = turns_of(plan.options.diarization, media.info, of_several=of_several, note=note)
    folder = Path(plan.options.output or Path(RESULTS_FOLDER, folder_name(media.info.path)))
    with _place(folder, plan) as place:
        models = models or Models(plan)
        with watch("load"):
            parts = _parts(models, boxes, lambda: tell("loading", 0, 0))
            people = models.people
            tell("loading", 0, 0)
            context, voice = models.part("context"), models.part("voice")
            writers = [chosen.build(models.context) for chosen in plan.writers]
        answers = Answers(
            place.incomplete if place and keep else None,
            _origin(plan, models, media, boxes) if place and keep else None,
            plan.options.seed,
        )
        if plan.options.resume:
            answers.resume()
        else:
            answers.start_anew()
        with kept(answers):
            sync = None
            if plan.options.sync == AUTO:
                media, sync = in_step(
                    media,
                    plan.options,
                    partial(_parts, models, boxes),
                    watch,
                    tell,
                    can_refuse=refuses_sounds(parts.scorer),
                )
                turns = moved(turns, sync.moved_s)  # a diarizer hears the sound as it is
            noted = tuple(media.notes)
            seen = analysed(media, plan.options, parts, watch, tell, answers=answers)
            # Threads beside each other note things in any order.
            later = sorted(set(media.notes).difference(noted))
            with watch("identify") if parts.embedder else nullcontext():
                result = concluded(
                    media.info, plan, seen, people, context, turns=turns, progress=tell
                )
            with seeded(plan.options.seed):
                result = voiced(result, media, plan, voice, watch, progress=tell)
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
                provenance=_provenance(plan, models, boxes),
                timings_s=watch.total(),
            )
            if place:
                result = _written(result, plan, writers, place, watch=watch, tell=tell)
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
    tell: Teller,
) -> Result:
    """Write the result's files and put them in place together; return the result with them."""
    with place.writing() as aside:
        for chosen, writer in zip(plan.writers, writers, strict=True):
            with tell.stage(stage_of(chosen.component)), watch("write"):
                files = written(chosen.in_words, writer, result, aside, chosen.component.files)
            result = replace(result, folder=aside, files=(*result.files, *files))
    return replace(result, folder=place.folder, files=tuple(place.put(result.files)))


def _parts(models: Models, boxes: Boxes | None, tell: Callable[[], None] = lambda: None) -> Parts:
    """The components for one video, with the faces given in place of the detector."""
    if boxes is None:
        return models.parts(tell=tell)
    parts = models.parts({"detector": KnownFaces(boxes)}, tell)
    return replace(parts, names={**parts.names, "detector": "boxes="})


def _provenance(plan: RunPlan, models: Models, boxes: Boxes | None) -> dict[str, Any]:
    """The origin of the result; of boxes that were given their digest."""
    if boxes is None:
        return provenance(plan, models.weights, models.devices)
    used = [kind for kind in models.weights if kind != "detector" or models.people]
    weights = {kind: models.weights[kind] for kind in used}
    devices = {kind: device for kind, device in models.devices.items() if kind in used}
    return {**provenance(plan, weights, devices), "boxes": boxes.about()}


def _origin(plan: RunPlan, models: Models, media: Media, boxes: Boxes | None) -> dict[str, Any]:
    """Everything besides the inputs that the outputs of networks depend on, as plain values."""
    kinds = ("detector", "scorer", "embedder")
    nodes = {kind: dict(plan.settings[kind]) for kind in kinds}
    nodes["scorer"].pop("calibration", None)
    files = [media.info.path, *([media.sound_path] if media.sound_path else [])]
    for one in chain.from_iterable(plan.chosen[kind].whole() for kind in kinds):
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
        **({} if boxes is None else {"boxes": boxes.about()}),
    }
    return cast("dict[str, Any]", json.loads(json.dumps(plain(origin))))
