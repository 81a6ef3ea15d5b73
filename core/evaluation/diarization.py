"""Who-speaks error: the diarization error rate of a result's turns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..errors import InputError, MissingExtraError
from ..types import Spans

if TYPE_CHECKING:
    from pyannote.core import Annotation, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate


def who_speaks_error(
    reference: Mapping[str, Spans],
    hypothesis: Mapping[str, Spans],
    scored: Spans | None = None,
    collar_s: float = 0.0,
) -> dict[str, float]:
    """The diarization error rate of one video, as pyannote.metrics computes it.

    Names need not agree: the hypothesis's names are mapped one to one to the reference's such that
    the error is minimal.

    Args:
        reference: By name: when this person speaks.
        hypothesis: By name: when the result says so.
        scored: The spans to evaluate; None for all.
        collar_s: Seconds before and after each boundary of the reference that are not evaluated,
            as in NIST's md-eval; the collar of pyannote.metrics is twice this.

    Returns:
        - diarization_error_rate: the sum of the next three over `total_s`, 0 or more; it may
          exceed 1. nan if nobody speaks.
        - false_alarm_s: seconds of speech in the hypothesis beyond the number of true speakers.
        - missed_s: seconds of speech in the reference beyond the number of speakers found.
        - confusion_s: seconds of speech assigned to the wrong person.
        - total_s: seconds of speech in the reference; where two speak at once, both count.

    Raises:
        MissingExtraError: pyannote.metrics is not installed.
    """
    measure = _measure(collar_s)
    true, said, judged = _compared(reference, hypothesis, scored)
    parts = measure(true, said, uem=judged, detailed=True)
    return _with_rate(
        {
            "false_alarm_s": float(parts["false alarm"]),
            "missed_s": float(parts["missed detection"]),
            "confusion_s": float(parts["confusion"]),
            "total_s": float(parts["total"]),
        }
    )


def paired(
    reference: Mapping[str, Spans],
    hypothesis: Mapping[str, Spans],
    scored: Spans | None = None,
    collar_s: float = 0.0,
) -> dict[str, str | None]:
    """Whom each name of the hypothesis was taken for: the mapping behind `who_speaks_error`.

    Args:
        reference: See `who_speaks_error`, as for the others.
        hypothesis: By name: when the result says that this person speaks.
        scored: The spans to evaluate; None for all.
        collar_s: Seconds before and after each boundary that are not evaluated.

    Returns:
        By name in the hypothesis, sorted: the name in the reference; None for a name that was
        mapped to nobody, as each is mapped to another person, and only to one who speaks at the
        same time.

    Raises:
        MissingExtraError: pyannote.metrics is not installed.
    """
    measure = _measure(collar_s)
    true, said, judged = _compared(reference, hypothesis, scored)
    # The error is computed from what is left after this, so the mapping has to be, too.
    left = measure.uemify(true, said, uem=judged, collar=2 * collar_s)
    mapping = measure.optimal_mapping(left[0], left[1])
    return {name: mapping.get(name) for name in sorted(hypothesis)}


def pooled(errors: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The error over several videos, computed from summed seconds, not as the mean of rates.

    Args:
        errors: The return value of `who_speaks_error` for each video, at least one.

    Raises:
        InputError: No video has any speech in its reference.
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
    """The diarization error rate, followed by the parts it is computed from."""
    wrong = parts["false_alarm_s"] + parts["missed_s"] + parts["confusion_s"]
    rate = wrong / parts["total_s"] if parts["total_s"] else math.nan
    return {"diarization_error_rate": rate, **parts}


def _measure(collar_s: float) -> DiarizationErrorRate:
    try:
        from pyannote.metrics.diarization import DiarizationErrorRate
    except ImportError as error:
        raise MissingExtraError("The who-speaks error", "pyannote.metrics", "evaluate") from error
    return DiarizationErrorRate(collar=2 * collar_s)


def _compared(
    reference: Mapping[str, Spans], hypothesis: Mapping[str, Spans], scored: Spans | None
) -> tuple[Annotation, Annotation, Timeline]:
    """Reference, hypothesis and the spans to evaluate, as pyannote.core's."""
    from pyannote.core import Segment, Timeline

    true, said = _annotation(reference), _annotation(hypothesis)
    if scored is None:
        return true, said, Timeline([true.get_timeline().extent() | said.get_timeline().extent()])
    return true, said, Timeline([Segment(*span) for span in scored])


def _annotation(speakers: Mapping[str, Spans]) -> Annotation:
    """Convert spans to pyannote.core's; overlapping spans of one name are merged."""
    from pyannote.core import Annotation, Segment

    annotation = Annotation()
    for name, spans in speakers.items():
        for span in spans:
            annotation[Segment(*span), name] = name
    return annotation.support()
