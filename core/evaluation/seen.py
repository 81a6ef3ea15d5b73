"""What a configuration sees in labelled videos, computed or taken from the cache."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..components import RUN_KINDS, registry
from ..config import Chosen, Plan
from ..decisions import Heard
from ..errors import InputError
from ..files import sha256
from ..labels import LabelledFace, LabelledVideo
from ..media import Media
from ..models import Models, WeightsFile
from ..pipeline import Seen, analysed, concluded, media_of
from ..progress import Progress, Stopwatch, silent
from ..types import Result, Track
from ..version import __version__
from .cache import Arrays, Cache, Entry
from .detections import KeptDetections
from .given import crops_seen, parts_for
from .memory import peak_memory

_MATTER = ("allow_silent", "device", "seed", "batch_frames", "crop_scale", "detect_every")
"""Options that scores depend on, beside the components."""
_PER_TRACK = ("boxes", "smoothed", "logits", "embedded", "embeddings")


@dataclass(frozen=True, eq=False)
class Sight:
    """A result, and what it costs to compute.

    Attributes:
        result: The result, decided.
        timings_s: Seconds of each stage, measured when it was computed.
        frames: Grid frames looked at, to hold the seconds against.
        peak_bytes: The most memory the process held meanwhile; None where that is not told.
        computed: What was computed now, of "detections" and "scores"; the rest was kept.
        weights: The files of weights used, by kind of component.
        devices: The device that each component took, by kind.
    """

    result: Result
    timings_s: Mapping[str, float]
    frames: int
    peak_bytes: int | None
    computed: tuple[str, ...]
    weights: Mapping[str, tuple[WeightsFile, ...]]
    devices: Mapping[str, str]


def look(
    video: LabelledVideo,
    plan: Plan,
    models: Models,
    *,
    labelled_faces: bool = False,
    cache: Cache | None = None,
    progress: Progress = silent,
) -> Sight:
    """Run a plan on a labelled video, or take up what an earlier run has kept.

    Args:
        video: The video.
        plan: The plan for it.
        models: The components.
        labelled_faces: Score the faces that the dataset gives.
        cache: Where detections and scores are kept.
        progress: Is told how far it has come.

    Raises:
        AsdError: The video cannot be used, or has no labelled faces to score.
    """
    faces = video.faces if labelled_faces else ()
    if labelled_faces and not faces:
        raise InputError(f"The dataset gives no faces of {video.name}", "Find them: faces=found")
    if video.path is None:
        if not labelled_faces:
            raise InputError(
                f"The dataset holds no video {video.name}, but crops of its faces",
                "Score these with faces=labelled",
            )
        watch = Stopwatch()
        with peak_memory() as peak:
            info, seen = crops_seen(video, models.part("scorer"), watch, progress)
        entry = _entry(seen, models, watch.seconds, peak.bytes)
        return _sight(concluded(info, plan, seen, {}), seen, entry, ("scores",))
    media = media_of(plan.options)
    content = sha256(video.path) if cache else ""
    key = _scores_key(content, plan, faces)
    entry_or_none = cache.get(key) if cache else None
    computed: tuple[str, ...] = ()
    if entry_or_none is None:
        entry, computed = _analyse(media, plan, models, faces, content, cache, progress)
        if cache:
            cache.put(key, entry)
    else:
        entry = entry_or_none
    seen = _unpacked(entry)
    return _sight(concluded(media.info, plan, seen, models.people), seen, entry, computed)


def _sight(result: Result, seen: Seen, entry: Entry, computed: tuple[str, ...]) -> Sight:
    about = entry.about
    return Sight(
        result,
        about["timings_s"],
        sum(end - first for first, end in seen.shots),
        about["peak_bytes"],
        computed,
        entry.weights,
        about["devices"],
    )


def _analyse(
    media: Media,
    plan: Plan,
    models: Models,
    faces: Sequence[LabelledFace],
    content: str,
    cache: Cache | None,
    progress: Progress,
) -> tuple[Entry, tuple[str, ...]]:
    """Pass over a video, and tell what had to be computed."""
    watch = Stopwatch()
    if faces:
        with peak_memory() as peak:
            parts = models.parts(parts_for(faces))
            seen = analysed(media, replace(plan.options, detect_every=1), parts, watch, progress)
        return _entry(seen, models, watch.seconds, peak.bytes), ("scores",)
    detector = plan.chosen["detector"]
    key = {"what": "detections", "video": content, "device": plan.options.device}
    kept = KeptDetections(models, cache, {**key, "detector": _described(detector)})
    with peak_memory() as peak:
        parts = models.parts({"detector": kept})
        seen = analysed(media, plan.options, parts, watch, progress)
    kept.keep(peak.bytes)
    weights, devices = kept.origin
    most = max(peak.bytes, kept.peak_bytes) if peak.bytes else None
    timings = {**watch.seconds, "detect": kept.seconds}
    entry = _entry(seen, models, timings, most, weights, devices)
    return entry, ("detections", "scores") if kept.computed else ("scores",)


def _entry(
    seen: Seen,
    models: Models,
    timings_s: Mapping[str, float],
    peak_bytes: int | None,
    weights: Mapping[str, Any] | None = None,
    devices: Mapping[str, str] | None = None,
) -> Entry:
    about = {
        "timings_s": dict(timings_s),
        "peak_bytes": peak_bytes,
        "devices": {**models.devices, **(devices or {})},
        "heard_from": seen.heard.first_frame if seen.heard else None,
        "tracks": [[track.shot, track.first_frame] for track in seen.tracks],
    }
    return Entry(_packed(seen), about, {**models.weights, **(weights or {})})


def _packed(seen: Seen) -> Arrays:
    """Arrays that hold what was seen, beside what `_entry` says about it."""
    arrays = {
        f"{name}_{track.id}": getattr(track, name) for track in seen.tracks for name in _PER_TRACK
    }
    arrays["shots"] = np.array(seen.shots, np.int64).reshape(-1, 2)
    if seen.heard:
        arrays["heard"] = seen.heard.probabilities
    return arrays


def _unpacked(entry: Entry) -> Seen:
    arrays, about = entry.arrays, entry.about
    tracks = tuple(
        Track(
            id=number,
            shot=shot,
            first_frame=first,
            speaking=(),
            **{name: arrays[f"{name}_{number}"] for name in _PER_TRACK},
        )
        for number, (shot, first) in enumerate(about["tracks"])
    )
    heard = Heard(about["heard_from"], arrays["heard"]) if "heard" in arrays else None
    return Seen(tuple((first, end) for first, end in arrays["shots"].tolist()), tracks, heard)


def _scores_key(content: str, plan: Plan, faces: Sequence[LabelledFace]) -> dict[str, Any]:
    """All that scores depend on; not thresholds, which decide later."""
    options = plan.options
    own = {name: getattr(options, name) for name in _MATTER}
    if plan.chosen["embedder"].component.name != "none":
        own["embed_every"] = options.embed_every
    given = hashlib.sha256()
    for face in faces:
        given.update(f"{face.first_frame} ".encode() + face.boxes.tobytes())
    return {
        "what": "scores",
        "video": content,
        "faces": given.hexdigest() if faces else None,
        "options": own,
        **{kind: _described(plan.chosen[kind]) for kind in RUN_KINDS},
    }


def _described(chosen: Chosen) -> dict[str, Any]:
    """A component and its parameters; of those that name files, what is in them."""
    component = chosen.component
    values = asdict(chosen.config)
    provider = registry().providers[component.kind, component.name]
    files = {
        name: sha256(Path(value))
        for name, value in values.items()
        if isinstance(value, str) and Path(value).expanduser().is_file()
    }
    return {
        "name": component.name,
        "parameters": values,
        "files": files,
        "versions": [provider.name, provider.version, __version__],
    }
