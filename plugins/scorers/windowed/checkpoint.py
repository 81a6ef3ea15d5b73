"""Reads checkpoints."""

from __future__ import annotations

from pathlib import Path

from ...support.checkpoints import load_checkpoint
from .model import Model
from .network import Network


def read_network(model: Model, path: Path) -> Network:
    """The network with the weights of a file, on the CPU.

    Args:
        model: What the file should hold.
        path: A checkpoint as the authors publish it, with all keys, those of training included.

    Raises:
        WeightsError: There is no such file, it cannot be read, or it is of another model.
    """
    network = model.network()
    hint = (
        f"scorer.weights takes {', '.join(model.published)} or the path of a checkpoint of "
        f"{model.title}, of a bundle or of an ONNX model"
    )
    load_checkpoint(network, path, model.title, hint)
    return network
