"""What `asd train` needs of a model: its network with all heads, inputs, loss and checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....core.analysis.features import mfcc
from ....core.errors import ConfigError, WeightsError
from ....core.trainable import Trainable
from ....core.types import Clip, Float32, UInt8
from ....core.weights import chosen_path
from ...support.pytorch import import_torch
from .config import WHOLE, WindowedConfig
from .loading import is_onnx_path
from .model import Model
from .settling import published_name


def trainable(model: Model, config: WindowedConfig, from_nothing: bool) -> Trainable:
    """The network of a model, ready for training.

    Args:
        model: The model.
        config: Names the weights to start from; those of windows and of speed have no effect.
        from_nothing: Draw the weights at random instead, as the published training code does, with
            PyTorch's generator; no weights are read then.

    Raises:
        MissingExtraError: PyTorch is not installed.
        WeightsError: The weights are missing, damaged, of another model, or an export.
        ConfigError: The configuration asks for ONNX Runtime.
    """
    if config.runtime == "onnx" or config.tensorrt:
        raise ConfigError(
            f"scorer={model.name} cannot be trained by ONNX Runtime, but "
            + ("scorer.tensorrt=true" if config.tensorrt else "scorer.runtime=onnx")
            + " asks for it",
            f"Use scorer={model.name}, which PyTorch trains",
        )
    import_torch("asd train")
    from .checkpoint import read_network
    from .trained import Heads, loss_of, state_of

    if from_nothing:
        network, weights = model.network(), ""
        network.model.draw()
    else:
        path = chosen_path(model.published, config.weights)
        if is_onnx_path(path):
            raise WeightsError(
                f"{path} cannot be trained: it is an export for ONNX Runtime",
                "Train from the checkpoint it was made of, or from one of the published weights "
                + ", ".join(model.published),
            )
        network = read_network(model, path)
        weights = published_name(model, config.weights) or ""
    training = model.training

    def loss(outputs: Sequence[Any], labels: Any, epoch: int) -> Any:
        return loss_of(training, outputs, labels, epoch)

    return Trainable(
        model=model.name,
        weights=weights,
        module=Heads(network).train(),
        inputs=inputs,
        loss=loss,
        checkpoint=lambda: state_of(network),
        recipe=training.recipe,
        settings={"window_seconds": list(WHOLE)},
    )


def inputs(clips: Sequence[Clip]) -> tuple[UInt8, Float32]:
    """The inputs of the networks for a batch of B clips, all of T frames.

    Returns:
        (B, T, 112, 112) uint8, the faces as they are: they are normalised by the module, on its
        device; and (B, 4 T, 13) float32, the MFCC.

    Raises:
        ValueError: The clips are not all of one length, or there is none.
    """
    faces = np.stack([clip.faces for clip in clips])
    return faces, np.stack([mfcc(clip) for clip in clips])
