"""Reads a checkpoint of TalkNet."""

from __future__ import annotations

from pathlib import Path

from ...checkpoints import load_checkpoint
from .model import TalkNetNetwork

_HINT = (
    "scorer.weights takes talkset, ava or the path of a TalkNet checkpoint, of a bundle or of an "
    "ONNX model"
)


def read_network(path: Path) -> TalkNetNetwork:
    """The network with the weights of a file, on the CPU.

    Args:
        path: A checkpoint as the authors publish it, with all keys, those of training included.

    Raises:
        WeightsError: There is no such file, it cannot be read, or it is of another model.
    """
    network = TalkNetNetwork()
    load_checkpoint(network, path, "TalkNet", _HINT)
    return network
