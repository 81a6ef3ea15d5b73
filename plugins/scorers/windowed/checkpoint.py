"""Reads checkpoints."""

from __future__ import annotations

from pathlib import Path

from ...support.checkpoints import load_checkpoint
from .model import Model
from .network import Network


def read_network(model: Model, path: Path) -> Network:
    """Load a network with the weights of a file, on the CPU.

    Args:
        model: The model the file should be of.
        path: A checkpoint as the authors publish it, with all keys, including those of the
            training heads.

    Raises:
        WeightsError: The file is missing, unreadable or of another model.
    """
    network = model.network()
    hint = (
        f"As weights {model.name} takes {', '.join(model.published)} or the path of a checkpoint "
        f"of {model.title}, of a bundle or of an ONNX model"
    )
    load_checkpoint(network, path, model.title, hint)
    return network
