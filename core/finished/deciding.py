"""Decides anew who speaks when in a result, without running any model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from ..component import CALIBRATION
from ..config.chosen import NO_CONTEXT, read_calibration
from ..config.values import make
from ..decisions.conversation import ConversationConfig
from ..decisions.segments import SegmentsConfig, SpeechConfig
from ..decisions.speaking import doubt
from ..decisions.turns import DECISIONS, INDEPENDENT, Rules, decide_by
from ..errors import ConfigError, InputError
from ..files import expanded
from ..provenance import WeightsFile
from ..result import KEPT, Result
from ..rttm import merged
from ..scaling import calibrated
from ..types import Float32, Spans, Track
from ..voice import Voice
from ..voices.assigning import with_voices
from ..voices.joining import joined

_FORMS = {
    "segments": SegmentsConfig,
    "speech": SpeechConfig,
    "conversation": ConversationConfig,
}
_AGAIN = "Run the video again with asd run: it keeps what is needed"


def decided(
    result: Result,
    given: Mapping[str, object],
    decisions: str | None,
    calibration: str | Path | None,
) -> Result:
    """See `Result.decide`.

    Args:
        result: The result.
        given: What is to change of segments, speech and conversation; None for nothing.
        decisions: One of `DECISIONS`; None leaves it as it was.
        calibration: The file of a calibration, None for none, or `KEPT`.
    """
    if calibration != KEPT:
        result = _calibrated(result, None if calibration is None else expanded(str(calibration)))
    rules = rules_of(result.settings, given, decisions)
    if result.speech is not None and result.heard is None:
        raise InputError(
            f"The result of {result.video.path} does not hold what voice activity detection "
            "heard, from which to decide anew",
            _AGAIN,
        )
    decision = decide_by(rules, result.tracks, result.shots, result.heard)
    settings = {
        **result.settings,
        "decisions": rules.decisions,
        **{key: asdict(getattr(rules, key)) for key in _FORMS},
    }
    before, old_doubt = result, doubt(result.tracks)
    new_doubt = doubt(decision.tracks)
    notes = [note for note in result.video.notes if note != old_doubt]
    result = replace(
        result,
        video=replace(result.video, notes=(*notes, *([new_doubt] if new_doubt else []))),
        tracks=decision.tracks,
        settings=settings,
        speech=decision.speech,
        off_screen=decision.off_screen,
        folder=None,
        files=(),
    )
    if result.voices is not None:
        result = _with_voices(result, result.voices, rules.speech.off_screen_min_s)
    if before.off_screen_names is not None:
        old = list(zip(before.off_screen or (), before.off_screen_names, strict=True))
        names = tuple(_name_of(span, old) for span in result.off_screen or ())
        result = replace(result, off_screen_names=names)
    return result


def _with_voices(result: Result, before: Sequence[Voice], min_s: float) -> Result:
    """The result, with the voices assigned anew; those of one name are one.

    Who has the name of a person was said to be that person, and stays it.
    """
    turns: dict[str, Spans] = {}
    for voice in before:
        known = turns.get(voice.name)
        turns[voice.name] = voice.turns if known is None else merged((*known, *voice.turns))
    result = with_voices(result, turns, min_s)
    said = {voice.name for voice in before if voice.name == voice.person}
    voices = enumerate(result.voices or ())
    people = {place: voice.name for place, voice in voices if voice.name in said}
    return joined(result, people, min_s)


def rules_of(
    settings: Mapping[str, Any], given: Mapping[str, object], decisions: str | None
) -> Rules:
    """The rules of a run with these settings, with what is to change.

    Raises:
        ConfigError: An option is unknown, of the wrong type or out of range.
    """
    if decisions is None:
        decisions = settings.get("decisions", INDEPENDENT)
    if decisions not in DECISIONS:
        known = f"{', '.join(DECISIONS[:-1])} or {DECISIONS[-1]}"
        raise ConfigError(f"decisions must be {known}, got {decisions!r}")
    made: dict[str, Any] = {}
    for key, form in _FORMS.items():
        value = given.get(key)
        if is_dataclass(value):
            made[key] = value
            continue
        if not isinstance(value, Mapping | None):
            raise ConfigError(f"{key} must be options such as {{'on': 0.7}}, got {value!r}")
        made[key] = make(form, {**settings.get(key, {}), **(value or {})}, key)
    return Rules(decisions=cast("str", decisions), **made)


def _calibrated(result: Result, path: Path | None) -> Result:
    """A result with the calibration of a file, or without one."""
    scorer = dict(result.settings.get("scorer", {}))
    weights = dict(result.provenance.get("weights", {}))
    was_calibrated = weights.pop("calibration", None) is not None
    scaling = None
    scorer[CALIBRATION] = None
    if path is not None:
        given = SimpleNamespace(**scorer)
        context = result.settings.get("context", NO_CONTEXT)
        read = read_calibration(path, scorer.get("name", ""), given, context)
        scaling = read.scaling
        scorer[CALIBRATION] = str(path)
        weights["calibration"] = [asdict(WeightsFile.at(path))]
    return replace(
        result,
        tracks=tuple(
            calibrated(track, _uncalibrated(result, track, was_calibrated), scaling)
            for track in result.tracks
        ),
        calibration=scaling,
        settings={**result.settings, "scorer": scorer},
        provenance={**result.provenance, "weights": weights},
    )


def _uncalibrated(result: Result, track: Track, was_calibrated: bool) -> Float32:
    """The logits of a track without any calibration.

    Raises:
        InputError: They were not kept.
    """
    if track.uncalibrated is not None:
        return track.uncalibrated
    if was_calibrated:
        raise InputError(
            f"The result of {result.video.path} does not hold the scores from before its "
            "calibration, which another one would change",
            _AGAIN,
        )
    return track.logits


def _name_of(
    span: tuple[float, float], named: Sequence[tuple[tuple[float, float], str | None]]
) -> str | None:
    """The name of the span that shares the most with a span; None if none shares any."""
    shared = [(min(span[1], end) - max(span[0], start), name) for (start, end), name in named]
    longest_s, name = max(shared, key=lambda one: one[0], default=(0.0, None))
    return name if longest_s > 0 else None
