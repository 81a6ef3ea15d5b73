"""A run from beginning to end: check, build, analyse, write."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile

from .analysis import Analysis, Parts
from .components import Context, registry
from .config import CHOSEN_KINDS, Options, Plan, compose_run, make_plan
from .decisions import decide
from .errors import ConfigError, DeviceError, OutputError
from .identities import identify
from .media import Media, Sound, frames, probe
from .people import read_people
from .progress import Progress, Stopwatch, silent
from .types import GRID_FPS, SAMPLES_PER_FRAME, Float32, Result

RESULTS_FOLDER = "asd_results"
"""Where results go, each in a folder named after its video, unless `output` says otherwise."""
_SOUND_SHORTER_FRAMES = 5
_log = logging.getLogger(__name__)


def run(video: str | Path, overrides: Iterable[str] = (), progress: Progress = silent) -> Result:
    """Find out who speaks when in a video, and write the results.

    Args:
        video: The file.
        overrides: Options as on the command line, such as "detector=yunet"; with "writers=[]"
            nothing is written.
        progress: Is told how far the run has come.

    Returns:
        The result; `result.tracks` holds the faces with a score for each frame.

    Raises:
        AsdError: The video, an option, weights, the device or the output folder is not usable.

    Example:
        >>> result = asdkit.run("clip.mp4", overrides=["detector=yunet"])
        >>> [track.speaking for track in result.tracks]
    """
    return execute(make_plan(compose_run(overrides, os.fspath(video))), progress)


def execute(plan: Plan, progress: Progress = silent) -> Result:
    """Run a plan. What can be refused is refused before decoding begins.

    Raises:
        AsdError: As for `run`.
    """
    options = plan.options
    watch = Stopwatch()
    media = probe(
        Path(options.video),
        Path(options.sound) if options.sound else None,
        allow_silent=options.allow_silent,
        end_s=options.end_s,
    )
    folder = Path(options.output or Path(RESULTS_FOLDER, media.info.path.stem))
    with _results_folder(folder, plan) as stale:
        progress("loading", 0, 0)
        with watch("load"):
            context = Context(options.device, options.threads, options.detect_every)
            parts = Parts(**{kind: plan.chosen[kind].build(context) for kind in CHOSEN_KINDS})
            people = _people(options, parts)
            writers = [chosen.build(context) for chosen in plan.writers]
        settings = {**plan.settings, "devices": _devices(plan, parts)}
        result = replace(_analysed(media, plan, parts, watch, progress), settings=settings)
        if parts.embedder:
            with watch("identify"):
                tracks = identify(result.tracks, people, options.identity_distance)
            result = replace(result, tracks=tracks)
        for chosen, writer in zip(plan.writers, writers, strict=True):
            progress(f"writing {', '.join(chosen.component.files)}", 0, 0)
            with watch("write"):
                files = writer.write(result, folder)
            result = replace(result, folder=folder, files=(*result.files, *files))
        for path in set(stale).difference(result.files):
            path.unlink()
    return replace(result, timings_s=watch.total())


def _people(options: Options, parts: Parts) -> dict[str, Float32]:
    """The embeddings of people known by name."""
    if options.identities is None:
        return {}
    if parts.embedder is None:
        raise ConfigError(
            f"identities={options.identities} needs an embedder, to compare faces by",
            "Use embedder=facenet",
        )
    return read_people(Path(options.identities).expanduser(), parts.detector, parts.embedder)


def _analysed(
    media: Media,
    plan: Plan,
    parts: Parts,
    watch: Stopwatch,
    progress: Progress,
) -> Result:
    options = plan.options
    end_s = min(options.end_s or media.info.duration_s, media.info.duration_s)
    total = max(1, round((end_s - options.start_s) * GRID_FPS))
    with Sound(media, options.start_s) as sound:
        analysis = Analysis(
            parts,
            sound,
            watch,
            crop_scale=options.crop_scale,
            detect_every=options.detect_every,
            batch_frames=options.batch_frames,
            embed_every=options.embed_every,
        )
        pictures = frames(media, options.start_s, options.end_s, threads=options.threads)
        done = 0
        while True:
            with watch("decode"):
                frame = next(pictures, None)
            if frame is None:
                break
            analysis.feed(frame)
            done += 1
            progress("finding speakers", done, total)
        progress("scoring", done, total)
        tracks, heard = analysis.finish()
        shots = tuple(analysis.shots)
        picture_end = shots[-1][1] if shots else 0
        sound_end = None if sound.ended_at is None else sound.ended_at // SAMPLES_PER_FRAME
    if sound_end is not None and picture_end - sound_end > _SOUND_SHORTER_FRAMES:
        _log.warning(
            "The sound ends at %.2f s, before the picture (%.2f s); the rest counts as silence",
            sound_end / GRID_FPS,
            picture_end / GRID_FPS,
        )
    decision = decide(tracks, heard, options.segments, options.speech)
    return Result(
        video=media.info,
        shots=shots,
        tracks=decision.tracks,
        settings=plan.settings,
        timings_s=watch.total(),
        speech=decision.speech,
        off_screen=decision.off_screen,
        sound_path=media.sound_path,
    )


def _devices(plan: Plan, parts: Parts) -> dict[str, str]:
    """What each component that can choose really took."""
    devices = {kind: part.device for kind, part in vars(parts).items() if hasattr(part, "device")}
    asked = plan.options.device
    if asked.startswith("cuda") and not any(d.startswith("cuda") for d in devices.values()):
        names = ", ".join(f"{kind}={c.component.name}" for kind, c in plan.chosen.items())
        raise DeviceError(
            f"device={asked} was asked for, but nothing here can use it ({names})",
            "Use device=auto, or choose a detector or scorer that runs on CUDA",
        )
    return devices


@contextmanager
def _results_folder(folder: Path, plan: Plan) -> Iterator[list[Path]]:
    """Make the folder for the results; if nothing gets written it is removed again.

    Yields:
        Results of an earlier run that are to go once there are new ones.
    """
    if not plan.writers:
        yield []
        return
    known = [Path(name) for writer in registry().of_kind("writer") for name in writer.files]
    existing = [folder / name for name in known if (folder / name).exists()]
    if existing and not plan.options.overwrite:
        raise OutputError(
            f"{folder} already holds results ({existing[0].relative_to(folder)})",
            "Choose another folder with output=FOLDER, or replace them with overwrite=true",
        )
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(
            f"Cannot write to {folder}: {error.strerror or error}",
            "Choose another folder with output=FOLDER",
        ) from error
    try:
        yield existing
    finally:
        for path in made:
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
