"""TalkNet as graphs: the whole network, and the two parts that the fast path runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ....core.errors import ConfigError, WeightsError
from ....core.features import MFCC_STEPS_PER_FRAME, mfcc
from ....core.graphs import Exportable, Graph
from ....core.types import GRID_FPS, Clip, Float32
from ...torch_support import import_torch
from .loading import PUBLISHED, checkpoint_path, is_onnx_path
from .scorer import TalkNetConfig
from .tensors import FACES, LOGITS, MFCC, MODEL, SEEN, VECTORS, VISUAL
from .windows import pictures, plan

_SAMPLE_FRAMES = 8
"""Frames of a clip that are looked at together to calibrate int8."""


def exportable(config: TalkNetConfig) -> Exportable:
    """TalkNet with the weights that the configuration names.

    Raises:
        MissingExtraError: PyTorch is not installed.
        WeightsError: The weights are missing, damaged or of another model.
        ConfigError: A runtime is asked for.
    """
    if config.runtime != "auto":
        raise ConfigError(
            f"An export is made by PyTorch and run by ONNX Runtime, not by scorer.runtime="
            f"{config.runtime}",
            f"Use scorer={MODEL}",
        )
    import_torch("asd export")
    from .checkpoint import read_network
    from .graphs import Frontend, Whole, WindowPart

    source = checkpoint_path(config)
    if is_onnx_path(source):
        raise WeightsError(
            f"{source} is an ONNX model already", "Export from the checkpoint it was made of"
        )
    network = read_network(source).eval()
    published = PUBLISHED.get(config.weights)
    return Exportable(
        model=MODEL,
        weights=config.weights if published else "",
        source=source,
        licence=published.licence if published else "",
        graphs=(
            Graph(
                "model",
                "TalkNet: which frames of a face are those of the one who speaks",
                Whole(network),
                (MFCC, FACES),
                LOGITS,
                _whole_samples,
                int8=("network.model.visualFrontend",),
            ),
            Graph(
                "frontend",
                "TalkNet's visual frontend: a vector for each frame, from the five around it",
                Frontend(network),
                (SEEN,),
                VECTORS,
                _frontend_samples,
                int8=("network.model.visualFrontend",),
            ),
            Graph(
                "window",
                "TalkNet after its visual frontend: the logits of windows of one length",
                WindowPart(network),
                (MFCC, VISUAL),
                LOGITS,
                lambda clips: (),  # nothing in it is computed in int8
            ),
        ),
    )


def _frontend_samples(clips: Sequence[Clip]) -> Iterator[dict[str, Float32]]:
    """Frames of each second of each clip, the zeros at its ends among them."""
    for clip in clips:
        seen, _ = plan(len(clip), [1])
        for first in range(0, len(seen), GRID_FPS):
            yield {SEEN.name: pictures(clip.faces, seen[first : first + _SAMPLE_FRAMES])}


def _whole_samples(clips: Sequence[Clip]) -> Iterator[dict[str, Float32]]:
    """A short window of each second of each clip."""
    for clip in clips:
        sound = mfcc(clip)
        for start in range(0, len(clip), GRID_FPS):
            end = min(start + _SAMPLE_FRAMES, len(clip))
            yield {
                MFCC.name: sound[None, MFCC_STEPS_PER_FRAME * start : MFCC_STEPS_PER_FRAME * end],
                FACES.name: clip.faces[None, start:end].astype(np.float32),
            }
