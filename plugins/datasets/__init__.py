"""The datasets that come with asdkit."""

from ...core.component import Component
from ...core.hookspecs import hookimpl
from . import asw, ava, columbia, dialogue, results, rttm, unitalk, wasd


@hookimpl
def asdkit_components() -> list[Component]:
    """Name the datasets."""
    return [
        Component(
            "dataset",
            "asw",
            asw.AswConfig,
            asw.build,
            about="Active Speakers in the Wild: JSON labels and videos",
        ),
        Component(
            "dataset",
            "ava",
            ava.AvaDatasetConfig,
            ava.build,
            about="AVA-ActiveSpeaker's labels; needs videos, crops or predictions",
        ),
        Component(
            "dataset",
            "columbia",
            columbia.ColumbiaConfig,
            columbia.build,
            about="the Columbia panel discussion",
        ),
        Component(
            "dataset",
            "dialogue",
            dialogue.DialogueConfig,
            dialogue.build,
            about="a JSON of faces and speech beside each video",
        ),
        Component(
            "dataset",
            "results",
            results.ResultsConfig,
            results.build,
            about="results of asd run or asd batch as weak labels",
        ),
        Component(
            "dataset",
            "rttm",
            rttm.RttmDatasetConfig,
            rttm.build,
            about="videos with RTTM that says who speaks when",
        ),
        Component(
            "dataset",
            "unitalk",
            unitalk.UniTalkConfig,
            unitalk.build,
            about="UniTalk: its folder of labels and crops, four categories",
        ),
        Component(
            "dataset",
            "wasd",
            wasd.WasdConfig,
            wasd.build,
            about="WASD: its folder of labels and crops, five categories",
        ),
    ]
