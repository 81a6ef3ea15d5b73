"""A result as an annotation of pyannote.core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import MissingExtraError
from ..results import turns

if TYPE_CHECKING:
    from ..result import Result


def annotation(result: Result) -> Any:
    """See `Result.to_annotation`."""
    try:
        from pyannote.core import Annotation, Segment
    except ImportError as error:
        raise MissingExtraError("Result.to_annotation()", "pyannote.core", "evaluate") from error
    found = Annotation(uri=result.video.name, modality="speaker")
    zero_s = result.video.start_s
    for number, (start_s, end_s, name) in enumerate(turns(result)):
        found[Segment(zero_s + start_s, zero_s + end_s), number] = name
    return found
