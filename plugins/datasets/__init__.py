"""The datasets that come with asdkit."""

from ...core.component import Component
from ...core.hookspecs import hookimpl
from . import ava, columbia, dialogue, rttm


@hookimpl
def asdkit_components() -> list[Component]:
    """Name the datasets."""
    return [
        Component("dataset", "ava", ava.AvaDatasetConfig, ava.build),
        Component("dataset", "columbia", columbia.ColumbiaConfig, columbia.build),
        Component("dataset", "dialogue", dialogue.DialogueConfig, dialogue.build),
        Component("dataset", "rttm", rttm.RttmDatasetConfig, rttm.build),
    ]
