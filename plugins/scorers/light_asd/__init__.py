"""Light-ASD, compatible with the published checkpoints, run by PyTorch or ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ....core.trainable import Recipe
from ....core.weights import Weights
from ..factorised_parts import layers, parts
from ..windowed import WHOLE, AvaTrainedConfig, Model, Reach, Training, component

if TYPE_CHECKING:
    from ..windowed.network import Network

__all__ = ["LIGHT_ASD", "MODEL"]

_PUBLISHER = (
    "https://github.com/Junhua-Liao/Light-ASD/raw/ed38c232de5efe0261dbd68627c0ade7cdfe14eb/weight/"
)


def _network() -> Network:
    from .network import network

    return network()


MODEL = Model(
    name="light_asd",
    title="Light-ASD",
    about="Light-ASD, the smallest of the networks (PyTorch or ONNX Runtime)",
    published={
        "talkset": Weights(
            name="light_asd_talkset",
            url=f"{_PUBLISHER}finetuning_TalkSet.model",
            published="finetuning_TalkSet.model",
            check="sha256:efc375833887eefa9d209dc92810e18519b04c3c73ea35a549f2a7f40b7d94d5",
            size_bytes=4175289,
            licence="MIT",
        ),
        "ava": Weights(
            name="light_asd_ava",
            url=f"{_PUBLISHER}pretrain_AVA_CVPR.model",
            published="pretrain_AVA_CVPR.model",
            check="sha256:d44bc3ea7baa8e0946fa3921311714a630ed8b90a1928fab0dbe30d918909317",
            size_bytes=4175289,
            licence="MIT",
        ),
    },
    folder=Path(__file__).parent,
    network=_network,
    # Three blocks; the longer path of each has one temporal kernel of 5, which reaches 2 frames.
    sharing=Reach(3 * 2, 128, layers(2, paths=2)),
    parts=parts,
    training=Training(
        Recipe(
            source=(
                "train.py and ASD.py of https://github.com/Junhua-Liao/Light-ASD at ed38c23, as "
                "its authors trained `ava` (Liao et al., CVPR 2023)"
            ),
            learning_rate=1e-3,
            decay=0.95,
            epochs=30,
            batch_frames=2000,
        ),
        head_weight=0.5,
        first_temperature=1.3,
        cooling=0.02,
    ),
    frontend="model.visualEncoder",
    config=AvaTrainedConfig,
    # `ava` was trained on whole tracks, `talkset` on short clips: docs/choosing.md measures both.
    windows={"ava": WHOLE},
)
LIGHT_ASD = component(MODEL)
