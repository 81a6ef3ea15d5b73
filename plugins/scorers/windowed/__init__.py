"""The code shared by scorers that read windows of sound and faces: TalkNet, LR-ASD, Light-ASD.

These scorers differ in their network, in their weights and the best windows for each, in how many
neighbouring frames a visual vector depends on, and in how they were trained. All else is here: the
parameters, windows of several lengths, PyTorch and ONNX Runtime, bundles, checkpoints, training and
every error. Neither runtime is imported before it is needed.
"""

from functools import partial

from ....core.component import Component
from .config import WHOLE, AvaTrainedConfig
from .exporting import exportable
from .loading import build
from .model import Model, Training
from .reach import Reach
from .settling import settled
from .training import trainable

__all__ = ["WHOLE", "AvaTrainedConfig", "Model", "Reach", "Training", "component"]


def component(model: Model) -> Component:
    """The scorer that runs a model, with its weights and its export."""
    return Component(
        "scorer",
        model.name,
        model.config,
        partial(build, model),
        weights=tuple(model.published.values()),
        export=partial(exportable, model),
        trainable=partial(trainable, model),
        settle=partial(settled, model),
        shifts=True,
        about=model.about,
        needs=("torch",),
    )
