"""What a pass over a video comes to: contexts, calibration, decisions and identities."""

from __future__ import annotations

from collections.abc import Mapping

from .analysis.rescoring import in_context
from .config.plan import RunPlan
from .contracts import FaceContext
from .decisions.identities import identify
from .decisions.turns import Rules, decide_by
from .progress import Progress, silent
from .result import Result, VideoInfo
from .scaling import calibrated
from .types import Float32, Spans
from .viewing import Seen
from .voices.assigning import with_voices


def concluded(
    video: VideoInfo,
    plan: RunPlan,
    seen: Seen,
    people: Mapping[str, Float32],
    context: FaceContext | None,
    *,
    turns: Mapping[str, Spans] | None = None,
    progress: Progress = silent,
) -> Result:
    """Compare faces, calibrate, decide who speaks when and who is who: all without inference.

    Args:
        video: The video.
        plan: The plan; its thresholds and its scorer's calibration are applied here.
        seen: The output of the pass.
        people: The embeddings of people known by name.
        context: What corrects the scores of faces by those of others; None for nothing.
        turns: The turns of each voice of a diarization; None without one.
        progress: Called before each stage.

    Raises:
        PluginError: The context breaks its contract.
    """
    options = plan.options
    progress("deciding", 0, 0)
    name = plan.chosen["context"].in_words
    tracks = in_context(seen.tracks, seen.shots, seen.heard, context, name)
    calibration = plan.chosen["scorer"].calibration
    scaling = None if calibration is None else calibration.scaling
    tracks = tuple(calibrated(track, track.logits, scaling) for track in tracks)
    rules = Rules(options.decisions, options.segments, options.speech, options.conversation)
    decision = decide_by(rules, tracks, seen.shots, seen.heard)
    tracks = decision.tracks
    distance = options.identity_distance
    if distance is None:
        distance = seen.identity_distance
    if distance is not None and any(len(track.embeddings) for track in tracks):
        progress("identifying", 0, 0)
        tracks = identify(tracks, people, distance)
    result = Result(
        video=video,
        shots=seen.shots,
        tracks=tracks,
        settings={**plan.settings, "identity_distance": distance},
        timings_s={},
        speech=decision.speech,
        off_screen=decision.off_screen,
        heard=seen.heard,
        calibration=scaling,
    )
    return with_voices(result, turns, options.speech.off_screen_min_s)
