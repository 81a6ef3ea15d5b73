"""TalkNet, compatible with the published checkpoints, run by PyTorch or ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ....core.trainable import Recipe
from ....core.weights import Weights
from ..windowed import Model, Training, component
from .frames import FiveFrames

if TYPE_CHECKING:
    from ..windowed.network import Network

__all__ = ["MODEL", "TALKNET"]


def _network() -> Network:
    from .network import network

    return network()


MODEL = Model(
    name="talknet",
    title="TalkNet",
    about="TalkNet, the network of the reference (PyTorch or ONNX Runtime)",
    published={
        "talkset": Weights(
            name="talknet_talkset",
            url=(
                "https://github.com/Namadgi/TalkNet-ASD/raw/"
                "12a30910be6c67f5e3a0e3cf1c1b9616227a0804/pretrain_TalkSet.model"
            ),
            published="pretrain_TalkSet.model",
            check="git:edb89e987f9f47ab277a7c116574da32c9400f16",
            size_bytes=None,
            licence="MIT",
        ),
        "ava": Weights(
            name="talknet_ava",
            url=(
                "https://drive.usercontent.google.com/download"
                "?id=1NVIkksrD3zbxbDuDbPc_846bLfPSZcZm&export=download&confirm=t"
            ),
            published="pretrain_AVA.model",
            check="",
            size_bytes=None,
            licence="MIT",
        ),
    },
    folder=Path(__file__).parent,
    network=_network,
    sharing=FiveFrames(),
    training=Training(
        Recipe(
            source=(
                "trainTalkNet.py and talkNet.py of https://github.com/TaoRuijie/TalkNet-ASD at "
                "6d68214, as its authors trained `ava` (Tao et al., ACM MM 2021)"
            ),
            learning_rate=1e-4,
            decay=0.95,
            epochs=25,
            batch_frames=2500,
        ),
        head_weight=0.4,
    ),
    frontend="model.visualFrontend",
)
TALKNET = component(MODEL)
