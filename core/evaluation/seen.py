"""Runs a configuration on labelled videos, or takes its scores from the cache."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..concluding import concluded
from ..config.plan import RunPlan
from ..decisions.in_step import checked
from ..errors import InputError
from ..files import sha256
from ..known_voices import voiced
from ..labels import LabelledVideo
from ..media.probe import Media
from ..models import Models
from ..progress import Progress, Stopwatch, silent
from ..provenance import WeightsFile, versions
from ..result import Result
from ..sync import CHECK
from ..viewing import Seen, analysed, media_of
from ..voices.files import turns_of
from .cache import Cache, Entry, LastEntry
from .cache_keys import MATTER_TO_DETECTORS, described, scores_key, voices_key
from .detections import KeptDetections
from .kept_scores import entry_of, seen_of
from .kept_voices import KeptVoices
from .labelled_faces import crops_info, crops_seen, parts_for
from .memory import peak_memory
from .protocols import content_of


@dataclass(frozen=True, eq=False)
class VideoOutcome:
    """A video's result, and the cost of computing it.

    Attributes:
        result: The result, with decisions.
        timings_s: Seconds of each stage, as recorded when it was computed.
        frames: Number of grid frames processed, to relate the seconds to.
        peak_bytes: Peak memory of the process meanwhile; None if the system does not report it.
        computed: Which of "detections", "scores" and "voices" were computed now; the others were
            cached.
        weights: By kind of component: the weights files used.
        devices: By kind of component: the device used.
        foreign: The result with the sound of another video; None if that was not computed.
    """

    result: Result
    timings_s: Mapping[str, float]
    frames: int
    peak_bytes: int | None
    computed: tuple[str, ...]
    weights: Mapping[str, tuple[WeightsFile, ...]]
    devices: Mapping[str, str]
    foreign: Result | None = None


Computes = Callable[[LabelledVideo, RunPlan], tuple[Entry, tuple[str, ...]]]
"""Runs a plan on a video; returns the cache entry, and the value for `VideoOutcome.computed`."""


@dataclass(frozen=True)
class Viewer:
    """Runs one configuration on labelled videos, using cached scores where there are any.

    Attributes:
        models: The components.
        compute: Computes what is not cached.
        cache: The cache of scores; None to compute everything.
        labelled_faces: Whether to score the dataset's own faces.
    """

    models: Models
    compute: Computes
    cache: Cache | None
    labelled_faces: bool

    def look(self, video: LabelledVideo, plan: RunPlan) -> VideoOutcome:
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
            content = content_of(video) if self.cache else ""
            key = scores_key(content, plan, video.faces) if content else {}
            entry, computed = self._kept_or_computed(video, plan, key)
            seen = seen_of(entry)
            info, context = crops_info(video), self.models.part("context")
            turns = turns_of(plan.options.diarization, info, of_several=True)
            result = concluded(info, plan, seen, {}, context, turns=turns)
            return _outcome(result, seen, entry, computed)
        media = media_of(plan.options)
        given, note = plan.options.diarization, media.notes.add
        turns = turns_of(given, media.info, of_several=True, note=note)
        key = {}
        content = sha256(video.path) if self.cache else ""
        if self.cache:
            faces = video.faces if self.labelled_faces else ()
            key = scores_key(content, plan, faces)
        entry, computed = self._kept_or_computed(video, plan, key)
        seen = seen_of(entry)
        info = replace(media.info, notes=tuple(media.notes))
        context = self.models.part("context")
        result = concluded(info, plan, seen, self.models.people, context, turns=turns)
        if plan.options.sync == CHECK:
            result = replace(result, sync=checked(seen.pieces, can_refuse=seen.refuses_sounds))
        result = replace(result, sound_path=media.sound_path)
        outcome = _outcome(result, seen, entry, computed)
        if plan.chosen["voice"].component.name == "none":
            return outcome
        return self._voiced(outcome, media, plan, voices_key(content, plan) if content else {})

    def _kept_or_computed(
        self, video: LabelledVideo, plan: RunPlan, key: Mapping[str, Any]
    ) -> tuple[Entry, tuple[str, ...]]:
        """The scores of a video and what was computed of them; without a key, they are not kept."""
        kept = self.cache.get(key) if self.cache and key else None
        if kept:
            return kept, ()
        entry, computed = self.compute(video, plan)
        if self.cache and key:
            self.cache.put(key, entry)
        return entry, computed

    def _voiced(
        self, outcome: VideoOutcome, media: Media, plan: RunPlan, key: Mapping[str, Any]
    ) -> VideoOutcome:
        """An outcome with what voices tell, and what that costs."""
        voices = KeptVoices(self.models, self.cache, key)
        with peak_memory() as peak:
            result = voiced(outcome.result, media, plan, voices, Stopwatch())
        peaks = (outcome.peak_bytes, voices.keep(peak.bytes))
        weights, devices = voices.origin
        return replace(
            outcome,
            result=result,
            timings_s={**outcome.timings_s, "voice": voices.seconds},
            peak_bytes=max((one for one in peaks if one), default=None),
            computed=(*outcome.computed, *(["voices"] if voices.computed else [])),
            weights={**outcome.weights, **weights},
            devices={**outcome.devices, **devices},
        )


@dataclass(frozen=True)
class Analyser:
    """Runs plans in this process, stage after stage, as costs are told by stage; see `Computes`.

    Attributes:
        models: The components.
        cache: The cache of detections; None to hold only the latest ones, in memory.
        labelled_faces: Whether to score the dataset's own faces.
        progress: Called with the progress of each video.
    """

    models: Models
    cache: Cache | None
    labelled_faces: bool
    progress: Progress = silent
    _last: LastEntry = field(default_factory=LastEntry)

    def __call__(self, video: LabelledVideo, plan: RunPlan) -> tuple[Entry, tuple[str, ...]]:
        """Run a plan on a video.

        Raises:
            AsdError: The video cannot be used.
        """
        if not self.labelled_faces:
            return self._find_and_score(media_of(plan.options), plan)
        watch = Stopwatch()
        with peak_memory() as peak:
            if video.path is None:
                scorer, name = self.models.part("scorer"), self.models.name("scorer")
                seen = crops_seen(video, scorer, name, watch, self.progress)
            else:
                media = media_of(plan.options)
                parts = self.models.parts(parts_for(video.faces, media.info.pixel_aspect))
                options = replace(plan.options, detect_every=1)
                seen = analysed(media, options, parts, watch, self.progress, overlap=False)
        self.models.check_device({})
        about = {
            "timings_s": dict(watch.seconds),
            "peak_bytes": peak.bytes,
            "devices": dict(self.models.devices),
        }
        return entry_of(seen, about, self.models.weights), ("scores",)

    def _find_and_score(self, media: Media, plan: RunPlan) -> tuple[Entry, tuple[str, ...]]:
        key = {
            "what": "detections",
            "video": sha256(media.info.path),
            **{name: getattr(plan.options, name) for name in MATTER_TO_DETECTORS},
            "detector": described(plan.chosen["detector"]),
            "versions": versions(plan),
        }
        kept = KeptDetections(self.models, self.cache or self._last, key)
        watch = Stopwatch()
        with peak_memory() as peak:
            parts = self.models.parts({"detector": kept})
            seen = analysed(media, plan.options, parts, watch, self.progress, overlap=False)
        weights, devices = kept.origin
        self.models.check_device(devices)
        kept.keep(peak.bytes)
        about = {
            "timings_s": {**watch.seconds, "detect": kept.seconds},
            "peak_bytes": max(peak.bytes, kept.peak_bytes) if peak.bytes else None,
            "devices": {**self.models.devices, **devices},
        }
        entry = entry_of(seen, about, {**self.models.weights, **weights})
        return entry, ("detections", "scores") if kept.computed else ("scores",)


def _outcome(result: Result, seen: Seen, entry: Entry, computed: tuple[str, ...]) -> VideoOutcome:
    about = entry.about
    return VideoOutcome(
        result,
        about["timings_s"],
        sum(end - first for first, end in seen.shots),
        about["peak_bytes"],
        computed,
        entry.weights,
        about["devices"],
    )
