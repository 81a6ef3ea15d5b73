"""Writes who speaks when as an annotation document of ELAN."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import count
from pathlib import Path
from xml.etree import ElementTree as ET

from ...core.component import Context
from ...core.files import beside, whole
from ...core.media.of_result import place_of
from ...core.result import Result
from ...core.results import printable
from ...core.results_folder import final_folder
from .speakers import in_steps, speakers_of

FILE = "speakers.eaf"
_MS = 1000
_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_TYPE = "default-lt"
"""What ELAN calls the type of tiers in a new document."""
_MIME_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/x-m4v",
    ".mov": "video/quicktime",
    ".mpg": "video/mpeg",
    ".mpeg": "video/mpeg",
}
"""The types that ELAN names; all others are "unknown" to it, which it plays if it can."""


@dataclass(frozen=True)
class EafConfig:
    """The `eaf` writer has no parameters."""


class EafWriter:
    """Writes `speakers.eaf`: a tier for each person, with an annotation for each turn.

    There is a tier for everybody with an identity and for whoever else speaks, also off screen;
    with a diarization annotations are its turns; see `core.results.turns`. Tier, participant and
    the text of annotations are the name. Times are milliseconds on the clock of the file. The
    document names the video by its place and relative to its own folder, not percent-encoded, as
    ELAN does.

    The form is EAF 3.0: https://www.mpi.nl/tools/elan/EAF_Annotation_Format_3.0_and_ELAN.pdf.
    """

    def write(self, result: Result, folder: Path) -> list[Path]:
        """Write the file; see `core.contracts.Writer`."""
        path = folder / FILE
        document = _document(result, final_folder(folder))
        ET.indent(document, "    ")
        with whole(path) as aside, aside.open("wb") as file:
            ET.ElementTree(document).write(file, "UTF-8", xml_declaration=True)
            file.write(b"\n")
        return [path]


def _document(result: Result, folder: Path) -> ET.Element:
    document = ET.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "asdkit",
            "DATE": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "FORMAT": "3.0",
            "VERSION": "3.0",
            f"{{{_INSTANCE}}}noNamespaceSchemaLocation": _SCHEMA,
        },
    )
    header = ET.SubElement(document, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    source = place_of(result.video.path, result)
    media = {
        "MEDIA_URL": printable(f"file:///{source.as_posix().lstrip('/')}"),
        "MIME_TYPE": _MIME_TYPES.get(source.suffix.lower(), "unknown"),
    }
    if (near := beside(source, folder)) is not None:
        near = near if near.startswith("../") else f"./{near}"
        media["RELATIVE_MEDIA_URL"] = printable(near)
    ET.SubElement(header, "MEDIA_DESCRIPTOR", media)
    order = ET.SubElement(document, "TIME_ORDER")
    annotations = count(1)
    zero_s = result.video.start_s
    times: list[int] = []
    for speaker in speakers_of(result):
        tier = ET.SubElement(
            document,
            "TIER",
            LINGUISTIC_TYPE_REF=_TYPE,
            PARTICIPANT=speaker.shown,
            TIER_ID=speaker.shown,
        )
        spans = [(zero_s + start_s, zero_s + end_s) for start_s, end_s in speaker.turns]
        end = math.ceil(spans[-1][1] * _MS) + 1 if spans else 1
        for turn in in_steps(spans, _MS, end):
            times += turn.start, turn.stop
            alignable = ET.SubElement(
                ET.SubElement(tier, "ANNOTATION"),
                "ALIGNABLE_ANNOTATION",
                ANNOTATION_ID=f"a{next(annotations)}",
                TIME_SLOT_REF1=f"ts{len(times) - 1}",
                TIME_SLOT_REF2=f"ts{len(times)}",
            )
            ET.SubElement(alignable, "ANNOTATION_VALUE").text = speaker.shown
    for number, time_ms in sorted(enumerate(times, 1), key=lambda slot: slot[1]):
        ET.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=f"ts{number}", TIME_VALUE=str(time_ms))
    ET.SubElement(
        document,
        "LINGUISTIC_TYPE",
        GRAPHIC_REFERENCES="false",
        LINGUISTIC_TYPE_ID=_TYPE,
        TIME_ALIGNABLE="true",
    )
    return document


def build(config: EafConfig, context: Context) -> EafWriter:
    """Make the writer."""
    return EafWriter()
