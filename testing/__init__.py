"""Checks that every component must pass, asdkit's own and those of plugins.

There is one for each kind, and one for scorers that can be trained. Each raises
`asdkit.plugin.PluginError` with one line that says what is wrong, what was expected and how to mend
it. In a test of a plugin:

    >>> def test_my_detector():
    ...     asdkit.testing.check_detector(asdkit.load("detector", "mine"))
"""

from ..core.samples import result, write_video
from .contexts import check_context
from .cutters import check_cutter
from .datasets import check_dataset
from .detectors import check_detector
from .embedders import check_embedder
from .scorers import check_scorer
from .trackers import check_tracker
from .trainables import check_trainable
from .vads import check_vad
from .voices import check_voice
from .writers import check_writer

__all__ = [
    "check_context",
    "check_cutter",
    "check_dataset",
    "check_detector",
    "check_embedder",
    "check_scorer",
    "check_tracker",
    "check_trainable",
    "check_vad",
    "check_voice",
    "check_writer",
    "result",
    "write_video",
]
