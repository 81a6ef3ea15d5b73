"""What a configuration sees in labelled videos, computed or taken from the cache."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ..component import RUN_KINDS
from ..config.chosen import Chosen
from ..config.plan import Plan
from ..errors import InputError
from ..files import expanded, sha256
from ..labels import LabelledFace, LabelledVideo
from ..media.probe import Media
from ..models import Models, WeightsFile, versions
from ..pipeline import Seen, analysed, concluded, media_of
from ..progress import Progress, Stopwatch, silent
from ..types import Heard, Result, Track
from .cache import Arrays, Cache, Entry, LastEntry
from .detections import KeptDetections
from .labelled_faces import FOUND_KINDS, crops_info, crops_seen, parts_for
from .memory import peak_memory

_MATTER = (
    *("allow_silent", "device", "threads", "seed"),
    *("batch_frames", "crop_scale", "detect_every", "max_faces"),
    *("video_track", "sound_track", "program", "rotate", "max_pixels"),
)
"""Options that scores, or what they cost, depend on, beside the components."""
_MATTER_TO_DETECTORS = (
    *("device", "threads", "batch_frames"),
    *("video_track", "program", "rotate", "max_pixels"),
)
_SELF = __name__.partition(".")[0]
_MINE = (f"{_SELF}.core", f"{_SELF}.plugins")
"""Where asdkit's own components are, and what runs them."""
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
        foreign: The same faces with the sound of another video; None where that was not looked at.
    """

    result: Result
    timings_s: Mapping[str, float]
    frames: int
    peak_bytes: int | None
    computed: tuple[str, ...]
    weights: Mapping[str, tuple[WeightsFile, ...]]
    devices: Mapping[str, str]
    foreign: Result | None = None


Computes = Callable[[LabelledVideo, Plan], tuple[Entry, tuple[str, ...]]]
"""Looks at a video as a plan says; also tells what it had to compute, for `Sight.computed`."""


@dataclass(frozen=True)
class Viewer:
    """Looks at labelled videos with one configuration, or takes up what an earlier run has kept.

    Attributes:
        models: The components.
        compute: Computes what is not kept.
        cache: Where scores are kept; None to compute all.
        labelled_faces: Score the faces that the dataset gives.
    """

    models: Models
    compute: Computes
    cache: Cache | None
    labelled_faces: bool

    def look(self, video: LabelledVideo, plan: Plan) -> Sight:
        """The result of a plan on a labelled video.

        Args:
            video: The video.
            plan: The plan for it.

        Raises:
            AsdError: The video cannot be used, or has no labelled faces to score.
        """
        if self.labelled_faces and not video.faces:
            raise InputError(
                f"The dataset gives no faces of {video.name}", "Find them: faces=found"
            )
        if video.path is None:
            if not self.labelled_faces:
                raise InputError(
                    f"The dataset holds no video {video.name}, but crops of its faces",
                    "Score these with faces=labelled",
                )
            entry, computed = self.compute(video, plan)
            seen = _unpacked(entry)
            return _sight(concluded(crops_info(video), plan, seen, {}), seen, entry, computed)
        media = media_of(plan.options)
        key = {}
        if self.cache:
            faces = video.faces if self.labelled_faces else ()
            key = _scores_key(sha256(video.path), plan, faces)
        kept = self.cache.get(key) if self.cache else None
        entry, computed = (kept, ()) if kept else self.compute(video, plan)
        if self.cache and not kept:
            self.cache.put(key, entry)
        seen = _unpacked(entry)
        info = replace(media.info, notes=tuple(media.notes))
        result = concluded(info, plan, seen, self.models.people)
        return _sight(replace(result, sound_path=media.sound_path), seen, entry, computed)


@dataclass(frozen=True)
class Analyser:
    """Computes in this process; see `Computes`.

    Attributes:
        models: The components.
        cache: Where detections are kept; None for the latest alone, in memory.
        labelled_faces: Score the faces that the dataset gives.
        progress: Is told how far each video has come.
    """

    models: Models
    cache: Cache | None
    labelled_faces: bool
    progress: Progress = silent
    _last: LastEntry = field(default_factory=LastEntry)

    def __call__(self, video: LabelledVideo, plan: Plan) -> tuple[Entry, tuple[str, ...]]:
        """Look at a video.

        Raises:
            AsdError: It cannot be used.
        """
        if not self.labelled_faces:
            return self._find_and_score(media_of(plan.options), plan)
        watch = Stopwatch()
        with peak_memory() as peak:
            if video.path is None:
                scorer = self.models.part("scorer")
                seen = crops_seen(video, scorer, watch, self.progress)
            else:
                media = media_of(plan.options)
                parts = self.models.parts(parts_for(video.faces, media.info.pixel_aspect))
                options = replace(plan.options, detect_every=1)
                seen = analysed(media, options, parts, watch, self.progress)
        self.models.check_device({})
        about = {
            "timings_s": dict(watch.seconds),
            "peak_bytes": peak.bytes,
            "devices": dict(self.models.devices),
        }
        return _entry(seen, about, self.models.weights), ("scores",)

    def _find_and_score(self, media: Media, plan: Plan) -> tuple[Entry, tuple[str, ...]]:
        key = {
            "what": "detections",
            "video": sha256(media.info.path),
            **{name: getattr(plan.options, name) for name in _MATTER_TO_DETECTORS},
            "detector": _described(plan.chosen["detector"]),
            "versions": versions(plan),
        }
        kept = KeptDetections(self.models, self.cache or self._last, key)
        watch = Stopwatch()
        with peak_memory() as peak:
            parts = self.models.parts({"detector": kept})
            seen = analysed(media, plan.options, parts, watch, self.progress)
        weights, devices = kept.origin
        self.models.check_device(devices)
        kept.keep(peak.bytes)
        about = {
            "timings_s": {**watch.seconds, "detect": kept.seconds},
            "peak_bytes": max(peak.bytes, kept.peak_bytes) if peak.bytes else None,
            "devices": {**self.models.devices, **devices},
        }
        entry = _entry(seen, about, {**self.models.weights, **weights})
        return entry, ("detections", "scores") if kept.computed else ("scores",)


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


def _entry(seen: Seen, about: Mapping[str, Any], weights: Mapping[str, Any]) -> Entry:
    """What was seen, to be kept."""
    more = {
        "heard_from": seen.heard.first_frame if seen.heard else None,
        "tracks": [[track.shot, track.first_frame] for track in seen.tracks],
    }
    return Entry(_packed(seen), {**about, **more}, dict(weights))


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
    tracks = []
    for number, (shot, first) in enumerate(about["tracks"]):
        own: dict[str, Any] = {name: arrays[f"{name}_{number}"] for name in _PER_TRACK}
        tracks.append(Track(id=number, shot=shot, first_frame=first, speaking=(), **own))
    heard = Heard(about["heard_from"], arrays["heard"]) if "heard" in arrays else None
    shots = tuple((first, end) for first, end in arrays["shots"].tolist())
    return Seen(shots, tuple(tracks), heard)


def _scores_key(content: str, plan: Plan, faces: Sequence[LabelledFace]) -> dict[str, Any]:
    """All that scores depend on; not thresholds, which decide later."""
    options = plan.options
    own = {name: getattr(options, name) for name in _MATTER}
    if plan.chosen["embedder"].component.name != "none":
        own["embed_every"] = options.embed_every
    given = hashlib.sha256()
    for face in faces:
        given.update(f"{face.first_frame} ".encode() + face.boxes.tobytes())
    unused = FOUND_KINDS if faces else ()
    return {
        "what": "scores",
        "video": content,
        "sound": sha256(expanded(options.sound)) if options.sound else None,
        "end_s": options.end_s,
        "faces": given.hexdigest() if faces else None,
        "options": own,
        "versions": versions(plan),
        **{kind: _described(plan.chosen[kind]) for kind in RUN_KINDS if kind not in unused},
    }


def _described(chosen: Chosen) -> dict[str, Any]:
    """A component, its parameters and its code; of those that name files, what is in them."""
    values = asdict(chosen.config)
    files = {
        name: sha256(expanded(value))
        for name, value in values.items()
        if isinstance(value, str) and expanded(value).is_file()
    }
    return {
        "name": chosen.component.name,
        "parameters": values,
        "files": files,
        "code": _code(chosen.component.config.__module__.partition(".")[0]),
    }


@cache
def _code(package: str) -> str:
    """A hash of a package's own code: whoever writes a plugin changes it without a new version."""
    own = [find_spec(package)] if package != _SELF else map(find_spec, _MINE)
    folders = [Path(spec.origin).parent for spec in own if spec and spec.origin]
    digest = hashlib.sha256()
    for path in sorted(path for folder in folders for path in folder.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
