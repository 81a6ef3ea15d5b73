"""Who-speaks error: the diarization error rate of who is said to speak when."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..errors import InputError, MissingExtraError
from ..types import Spans

if TYPE_CHECKING:
    from pyannote.core import Annotation


def who_speaks_error(
    reference: Mapping[str, Spans],
    hypothesis: Mapping[str, Spans],
    scored: Spans | None = None,
    collar_s: float = 0.0,
) -> dict[str, float]:
    """The diarization error rate of one video, as pyannote.metrics computes it.

    Names need not agree: those of the hypothesis are matched one to one with the reference's, so
    that the error is least.

    Args:
        reference: Who speaks when, by name.
        hypothesis: Who was said to, by name.
        scored: What is judged; None for all.
        collar_s: Seconds before and after each boundary of the reference that are not judged, as
            in NIST's md-eval; the collar of pyannote.metrics is both together.

    Returns:
        - diarization_error_rate: the next three over `total_s`, from 0 on; it may exceed 1. nan
          where nobody speaks.
        - false_alarm_s: seconds in which more were said to speak than did.
        - missed_s: seconds in which fewer were said to speak than did.
        - confusion_s: seconds in which another was said to speak.
        - total_s: seconds of speech in the reference; where two speak at once, both count.

    Raises:
        MissingExtraError: pyannote.metrics is not installed.
    """
    try:
        from pyannote.core import Segment, Timeline
        from pyannote.metrics.diarization import DiarizationErrorRate
    except ImportError as error:
        raise MissingExtraError("The who-speaks error", "pyannote.metrics", "evaluate") from error
    true, said = _annotation(reference), _annotation(hypothesis)
    if scored is None:
        judged = Timeline([true.get_timeline().extent() | said.get_timeline().extent()])
    else:
        judged = Timeline([Segment(*span) for span in scored])
    measure = DiarizationErrorRate(collar=2 * collar_s)
    parts = measure(true, said, uem=judged, detailed=True)
    return _with_rate(
        {
            "false_alarm_s": float(parts["false alarm"]),
            "missed_s": float(parts["missed detection"]),
            "confusion_s": float(parts["confusion"]),
            "total_s": float(parts["total"]),
        }
    )


def pooled(errors: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The error of several videos: of the sums of their parts, not the mean of their errors.

    Args:
        errors: What `who_speaks_error` returned for each, one at least.

    Raises:
        InputError: Nobody speaks in any of them.
    """
    parts = [name for name in errors[0] if name != "diarization_error_rate"]
    found = _with_rate({name: sum(one[name] for one in errors) for name in parts})
    if not found["total_s"]:
        raise InputError(
            "Who-speaks error needs speech, but the references have none in what is judged",
            "Check that the references belong to these videos",
        )
    return found


def _with_rate(parts: dict[str, float]) -> dict[str, float]:
    """The parts and, before them, the error that they make."""
    wrong = parts["false_alarm_s"] + parts["missed_s"] + parts["confusion_s"]
    rate = wrong / parts["total_s"] if parts["total_s"] else math.nan
    return {"diarization_error_rate": rate, **parts}


def _annotation(speakers: Mapping[str, Spans]) -> Annotation:
    """The spans as pyannote.core has them; those of one name that overlap become one."""
    from pyannote.core import Annotation, Segment

    annotation = Annotation()
    for name, spans in speakers.items():
        for span in spans:
            annotation[Segment(*span), name] = name
    return annotation.support()
