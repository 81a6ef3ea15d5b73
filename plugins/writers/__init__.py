"""The writers that come with asdkit."""

from ...core.component import Component
from ...core.hookspecs import hookimpl
from . import (
    annotated,
    ava,
    eaf,
    mot,
    otio,
    pywork,
    report,
    result_json,
    rttm,
    srt,
    textgrid,
    timeline,
    webvtt,
)
from .clips.writer import CLIPS
from .reframe.writer import REFRAME


@hookimpl
def asdkit_components() -> list[Component]:
    """Name the writers."""
    return [
        Component(
            "writer", "json", result_json.JsonConfig, result_json.build, files=(result_json.FILE,)
        ),
        Component("writer", "ava", ava.AvaWriterConfig, ava.build, files=(ava.FILE,)),
        Component("writer", "rttm", rttm.RttmConfig, rttm.build, files=(rttm.FILE,)),
        Component("writer", "webvtt", webvtt.WebvttConfig, webvtt.build, files=(webvtt.FILE,)),
        Component("writer", "pywork", pywork.PyworkConfig, pywork.build, files=pywork.FILES),
        Component(
            "writer",
            "annotated",
            annotated.AnnotatedConfig,
            annotated.build,
            files=(annotated.FILE,),
        ),
        Component("writer", "report", report.ReportConfig, report.build, files=(report.FILE,)),
        Component(
            "writer", "timeline", timeline.TimelineConfig, timeline.build, files=timeline.FILES
        ),
        REFRAME,
        CLIPS,
        Component("writer", "otio", otio.OtioConfig, otio.build, files=(otio.FILE,)),
        Component("writer", "srt", srt.SrtConfig, srt.build, files=(srt.FILE,)),
        Component("writer", "eaf", eaf.EafConfig, eaf.build, files=(eaf.FILE,)),
        Component(
            "writer", "textgrid", textgrid.TextgridConfig, textgrid.build, files=(textgrid.FILE,)
        ),
        Component("writer", "mot", mot.MotConfig, mot.build, files=(mot.FILE,)),
    ]
