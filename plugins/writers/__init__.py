"""The writers that come with asdkit."""

from ...core.component import Component
from ...core.hookspecs import hookimpl
from . import annotated, ava, pywork, report, result_json, rttm, timeline, webvtt
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
    ]
