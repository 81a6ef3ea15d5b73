"""The writers that come with asdkit."""

from ...core.component import Component
from ...core.hookspecs import hookimpl
from . import annotated, ava, pywork, result_json, rttm, timeline, webvtt


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
            about="the video with boxes and scores drawn in",
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
    ]
