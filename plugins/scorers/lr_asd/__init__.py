"""LR-ASD, compatible with the published checkpoints, run by PyTorch or ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ....core.trainable import Recipe
from ....core.weights import Weights
from ..factorised_parts import layers, parts
from ..windowed import WHOLE, AvaTrainedConfig, Model, Reach, Training, component

if TYPE_CHECKING:
    from ..windowed.network import Network

__all__ = ["LR_ASD", "MODEL"]

_PUBLISHER = (
    "https://github.com/Junhua-Liao/LR-ASD/raw/1b6dcd2d8fc2895683de6508ec6294ec47d388ca/weight/"
)


def _network() -> Network:
    from .network import network

    return network()


MODEL = Model(
    name="lr_asd",
    title="LR-ASD",
    about="LR-ASD, more accurate than Light-ASD (PyTorch or ONNX Runtime)",
    published={
        "talkset": Weights(
            name="lr_asd_talkset",
            url=f"{_PUBLISHER}finetuning_TalkSet.model",
            published="finetuning_TalkSet.model",
            check="sha256:6b4ef53694e874e96cf630198dc479c78aebb3993bbf166aee3d926dfe7d9342",
            size_bytes=3426337,
            licence="MIT",
        ),
        "ava": Weights(
            name="lr_asd_ava",
            url=f"{_PUBLISHER}pretrain_AVA.model",
            published="pretrain_AVA.model",
            check="sha256:85e6c77fc981595234790d1e128ebb60352d37726b2445e0ef8891e2512fe9e3",
            size_bytes=3426337,
            licence="MIT",
        ),
    },
    folder=Path(__file__).parent,
    network=_network,
    # Three blocks, each with temporal kernels of 5 and 3, which reach 2 and 1 frames.
    sharing=Reach(3 * (2 + 1), 128, layers(2 + 1, paths=1)),
    parts=parts,
    training=Training(
        Recipe(
            source=(
                "train.py and ASD.py of https://github.com/Junhua-Liao/LR-ASD at 1b6dcd2, as its "
                "authors trained `ava` (Liao et al., IJCV 2025)"
            ),
            learning_rate=1e-3,
            decay=0.95,
            epochs=40,
            batch_frames=2000,
            weight_decay=0.01,
        ),
        head_weight=0.5,
    ),
    frontend="model.visualEncoder",
    config=AvaTrainedConfig,
    # `ava` was trained on whole tracks, `talkset` on short clips: docs/choosing.md measures both.
    windows={"ava": WHOLE},
    refuses=frozenset({"ava"}),
    # Lips move before the voice is heard: docs/input.md measures by how much.
    sound_early_s=0.1,
)
LR_ASD = component(MODEL)
