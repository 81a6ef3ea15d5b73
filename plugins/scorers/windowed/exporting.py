"""The ONNX graphs of a model: the whole network, and the two parts that `SplitRuntime` runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ....core.analysis.features import MFCC_STEPS_PER_FRAME, mfcc
from ....core.errors import ConfigError, WeightsError
from ....core.exportable import Exportable, Graph
from ....core.types import GRID_FPS, Clip, Float32
from ....core.weights import chosen_path
from ...support.pytorch import import_torch
from .config import WindowedConfig
from .loading import is_onnx_path
from .model import Model
from .reach import Reach
from .tensors import FACES, LOGITS, MFCC
from .windows import Sharing, cut, pictures

if TYPE_CHECKING:
    from .network import Network


def exportable(model: Model, config: WindowedConfig) -> Exportable:
    """The graphs of a model with the weights that the configuration names.

    Raises:
        MissingExtraError: PyTorch is not installed.
        WeightsError: The weights are missing, damaged or of another model.
        ConfigError: The configuration names a runtime.
    """
    if config.runtime != "auto":
        raise ConfigError(
            f"An export is made by PyTorch and run by ONNX Runtime, not by scorer.runtime="
            f"{config.runtime}",
            f"Use scorer={model.name}",
        )
    import_torch("asd export")
    from .checkpoint import read_network
    from .graphs import Frontend, Whole, WindowPart

    source = chosen_path(model.published, config.weights)
    if is_onnx_path(source):
        raise WeightsError(
            f"{source} is an ONNX model already", "Export from the checkpoint it was made of"
        )
    network = read_network(model, source).eval()
    published = model.published.get(config.weights)
    title, sharing = model.title, model.sharing
    int8 = (f"network.{model.frontend}",)
    return Exportable(
        model=model.name,
        weights=config.weights if published else "",
        source=source,
        licence=published.licence if published else "",
        graphs=(
            Graph(
                "model",
                f"{title}: which frames of a face are those of the one who speaks",
                Whole(network),
                (MFCC, FACES),
                LOGITS,
                _whole_samples,
                int8,
            ),
            Graph(
                "frontend",
                f"{title}'s visual frontend: {sharing.vectors.meaning}",
                Frontend(network),
                (sharing.seen,),
                sharing.vectors,
                lambda clips: _frontend_samples(sharing, clips),
                int8,
            ),
            Graph(
                "window",
                f"{title} after its visual frontend: the logits of windows of one length",
                WindowPart(network),
                (MFCC, sharing.visual),
                LOGITS,
                lambda clips: (),  # no part of this graph is quantised to int8
            ),
            *_stream_graphs(model, network),
        ),
    )


def _stream_graphs(model: Model, network: Network) -> Iterator[Graph]:
    """The graphs that `stream.Stream` runs, of a model that has such."""
    sharing = model.sharing
    if model.parts is None or not isinstance(sharing, Reach):
        return
    frontend = f"{model.title}'s visual frontend"
    meanings = (
        "a piece of a clip as a window by itself",
        f"a piece that goes on from another: the vectors {sharing.frames} frames late",
        "where two pieces are joined",
        "where a window ends",
    )
    graphs = sharing.graphs.items()
    for module, meaning, graph in zip(model.parts(network), meanings, graphs, strict=True):
        name, (inputs, (output, *more)) = graph
        yield Graph(
            name,
            f"{frontend}, {meaning}",
            module,
            inputs,
            output,
            lambda clips: (),  # no part of these graphs is quantised to int8
            more=tuple(more),
            # In int8 the frontend is quicker as a whole; fp16 is for GPUs, which run it so.
            precisions=("fp32",),
        )


def _frontend_samples(sharing: Sharing, clips: Sequence[Clip]) -> Iterator[dict[str, Float32]]:
    """Inputs of the frontend graph for windows of one second, to calibrate int8."""
    for clip in clips:
        pieces, _ = sharing.plan(list(cut(len(clip), [1])), GRID_FPS)
        for piece in pieces:
            yield {sharing.seen.name: pictures(clip.faces, piece)}


def _whole_samples(clips: Sequence[Clip]) -> Iterator[dict[str, Float32]]:
    """Inputs of the whole network for windows of one second, to calibrate int8."""
    for clip in clips:
        sound = mfcc(clip)
        for start, end in cut(len(clip), [1]):
            yield {
                MFCC.name: sound[None, MFCC_STEPS_PER_FRAME * start : MFCC_STEPS_PER_FRAME * end],
                FACES.name: clip.faces[None, start:end].astype(np.float32),
            }
