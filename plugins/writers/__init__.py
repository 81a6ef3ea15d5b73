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
            "writer",
            "json",
            result_json.JsonConfig,
            result_json.build,
            files=(result_json.FILE,),
            about="all of the result, for programs and asd repeat",
        ),
        Component(
            "writer",
            "ava",
            ava.AvaWriterConfig,
            ava.build,
            files=(ava.FILE,),
            about="a CSV in the form of AVA-ActiveSpeaker",
        ),
        Component(
            "writer",
            "rttm",
            rttm.RttmConfig,
            rttm.build,
            files=(rttm.FILE,),
            about="who speaks when, for tools of diarization",
        ),
        Component(
            "writer",
            "webvtt",
            webvtt.WebvttConfig,
            webvtt.build,
            files=(webvtt.FILE,),
            about="subtitles that name the speaker",
        ),
        Component(
            "writer",
            "pywork",
            pywork.PyworkConfig,
            pywork.build,
            files=pywork.FILES,
            about="the pickles of TalkNet-ASD scripts",
        ),
        Component(
            "writer",
            "annotated",
            annotated.AnnotatedConfig,
            annotated.build,
            files=(annotated.FILE,),
            needs_video=True,
            about="the video with boxes and scores drawn in",
        ),
        Component(
            "writer",
            "report",
            report.ReportConfig,
            report.build,
            files=(report.FILE,),
            needs_video=True,
            about="one page to open: the video, who speaks when, names to edit",
        ),
        Component(
            "writer",
            "timeline",
            timeline.TimelineConfig,
            timeline.build,
            files=timeline.FILES,
            about="who speaks when, as a picture (Matplotlib)",
            needs=("matplotlib",),
        ),
        REFRAME,
        CLIPS,
        Component(
            "writer",
            "otio",
            otio.OtioConfig,
            otio.build,
            files=(otio.FILE,),
            needs_video=True,
            about="a timeline for video editors (OpenTimelineIO)",
        ),
        Component(
            "writer",
            "srt",
            srt.SrtConfig,
            srt.build,
            files=(srt.FILE,),
            about="subtitles with the names of the speakers",
        ),
        Component(
            "writer",
            "eaf",
            eaf.EafConfig,
            eaf.build,
            files=(eaf.FILE,),
            needs_video=True,
            about="tiers of who speaks when, for ELAN",
        ),
        Component(
            "writer",
            "textgrid",
            textgrid.TextgridConfig,
            textgrid.build,
            files=(textgrid.FILE,),
            about="tiers of who speaks when, for Praat",
        ),
        Component(
            "writer",
            "mot",
            mot.MotConfig,
            mot.build,
            files=(mot.FILE,),
            about="boxes in MOTChallenge's form",
        ),
    ]
