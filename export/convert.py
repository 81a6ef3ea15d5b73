"""Converts a network to an ONNX graph in the requested precision, with names and descriptions."""

from __future__ import annotations

import ast
import copy
import inspect
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import ConfigError, ExportError
from ..core.exportable import Graph, Tensor
from ..core.types import Clip
from ..core.version import __version__
from ..plugins.support.pytorch import import_torch

if TYPE_CHECKING:
    import onnx
    from torch import nn

_LEAST, _MOST = 2, 1 << 14
"""Bounds of a free axis, for the exporter only; the graph has none. The exporter treats a size of 1
as a special case, and products of the upper bounds in any layer must stay below 2**31."""
_EXAMPLE = {"batch": 3, "frames": 11}
"""Sizes of the inputs used for tracing. They do not fix any axis: the proof runs the graph at other
sizes."""


def to_onnx(graph: Graph, half: bool, opset: int, notes: Mapping[str, str]) -> onnx.ModelProto:
    """Trace a network and write it as a graph.

    Args:
        graph: The network.
        half: Compute in half precision; inputs and output stay float32.
        opset: Version of the ONNX operators.
        notes: Metadata to store in the file, as `metadata_props`.

    Raises:
        ExportError: PyTorch cannot export the network, or the exported graph is invalid.
    """
    torch = import_torch("asd export")
    from .recurrent import with_operators

    module = with_operators(copy.deepcopy(graph.module))
    if half:
        module.half()
    dims = {
        name: torch.export.Dim(name, min=_LEAST, max=_MOST) for name in _free_names(graph.inputs)
    }
    example = tuple(torch.rand(tensor.sized(_EXAMPLE)) for tensor in graph.inputs)
    shapes = tuple(
        {axis: factor * dims[name] for axis, (factor, name) in tensor.free().items()}
        for tensor in graph.inputs
    )
    try:
        with _quiet():
            program = torch.onnx.export(
                module,
                example,
                dynamo=True,
                dynamic_shapes=_as_taken(module, shapes),
                input_names=[tensor.name for tensor in graph.inputs],
                output_names=[tensor.name for tensor in graph.outputs],
                opset_version=opset,
                verbose=False,
            )
    except Exception as error:  # the exporter raises many kinds, none of which a user can fix
        raise ExportError(
            f"PyTorch {torch.__version__} cannot export {graph.name} with opset={opset} "
            f"({type(error).__name__})",
            "Try the default opset; ASDKIT_DEBUG=1 shows what PyTorch says",
        ) from error
    model = program.model_proto
    _describe(model, graph, notes)
    _declare_shapes(model, graph)
    return checked_graph(model)


def _as_taken(module: nn.Module, shapes: tuple[Any, ...]) -> tuple[Any, ...]:
    """The shapes as the exporter wants them: what `*words` takes in a tuple of its own."""
    taken = list(inspect.signature(module.forward).parameters.values())
    named = [one for one in taken if one.kind is not one.VAR_POSITIONAL]
    if len(named) == len(taken):
        return shapes
    return (*shapes[: len(named)], shapes[len(named) :])


def check_opset(opset: int) -> None:
    """Check that the installed package onnx supports an opset.

    Raises:
        ConfigError: It does not.
    """
    from onnx import defs

    if opset > defs.onnx_opset_version():
        raise ConfigError(
            f"opset={opset} is not known to the package onnx installed here, which goes up to "
            f"{defs.onnx_opset_version()}",
            "Use a lower opset, which runs in more runtimes, or install a newer onnx",
        )


def checked_graph(model: onnx.ModelProto) -> onnx.ModelProto:
    """Infer the shape of every value, and validate the graph.

    Raises:
        ExportError: The graph is invalid.
    """
    import onnx

    try:
        model = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:  # onnx's exceptions have no other common base
        reason = " ".join(str(error).split())
        raise ExportError(f"{model.graph.name} is not a valid graph: {reason}") from error
    return model


def to_int8(model: onnx.ModelProto, graph: Graph, clips: Sequence[Clip]) -> onnx.ModelProto:
    """Quantise the submodules listed in `graph.int8` to int8.

    Weights are rounded per channel to 7 bits, as processors without VNNI can overflow with 8.
    Activation ranges are those measured on the clips. Convolutions with a single input channel are
    not quantised.

    Args:
        model: The graph in fp32.
        graph: The network the graph was made from.
        clips: Real clips, for calibration.
    """
    if not graph.int8:
        return model
    model = _norms_as_convolutions(model, graph.int8)
    nodes = [node.name for node in model.graph.node if node.name.startswith(graph.int8)]
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    with TemporaryDirectory() as folder, _quiet():
        source, path = Path(folder, "fp32.onnx"), Path(folder, graph.file)
        onnx.save(model, source)
        quantize_static(
            source,
            path,
            _Samples(graph, clips),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=nodes,
            nodes_to_exclude=_of_one_channel(model),
            op_types_to_quantize=["Conv", "Add", "MaxPool", "Relu"],
        )
        return checked_graph(onnx.load(path))


def _norms_as_convolutions(model: onnx.ModelProto, within: tuple[str, ...]) -> onnx.ModelProto:
    """Replace batch norms by depthwise 1x1 convolutions, for which there are int8 kernels."""
    from onnx import helper, numpy_helper

    model = copy.deepcopy(model)
    values = {entry.name: entry for entry in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type != "BatchNormalization" or not node.name.startswith(within):
            continue
        gain, offset, mean, variance = (numpy_helper.to_array(values[i]) for i in node.input[1:5])
        (epsilon,) = (attribute.f for attribute in node.attribute if attribute.name == "epsilon")
        weight = gain / np.sqrt(variance + epsilon)
        names = [f"{node.output[0]}_weight", f"{node.output[0]}_bias"]
        arrays = [weight[:, None, None, None], offset - mean * weight]
        model.graph.initializer.extend(map(numpy_helper.from_array, arrays, names))
        convolution = helper.make_node(
            "Conv", [node.input[0], *names], node.output, node.name, group=len(weight)
        )
        node.CopyFrom(convolution)
    used = {name for node in model.graph.node for name in node.input}
    kept = [entry for entry in model.graph.initializer if entry.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    return model


def _of_one_channel(model: onnx.ModelProto) -> list[str]:
    """Names of convolutions with one input channel (grey pictures): cheap, but lossy in int8."""
    shapes = {entry.name: list(entry.dims) for entry in model.graph.initializer}
    return [
        node.name
        for node in model.graph.node
        if node.op_type == "Conv"
        and shapes.get(node.input[1], [])[1:2] == [1]
        and not any(entry.name == "group" and entry.i > 1 for entry in node.attribute)
    ]


class _Samples:
    """Real inputs, through the interface of the quantiser's data reader."""

    def __init__(self, graph: Graph, clips: Sequence[Clip]) -> None:
        self._left = iter(graph.samples(clips))

    def get_next(self) -> Mapping[str, Any] | None:
        return next(self._left, None)


def _free_names(tensors: Sequence[Tensor]) -> list[str]:
    return sorted({name for tensor in tensors for _, name in tensor.free().values()})


def _describe(model: onnx.ModelProto, graph: Graph, notes: Mapping[str, str]) -> None:
    """Name and document the graph and its nodes; drop the exporter's metadata on source code."""
    import onnx

    for number, node in enumerate(model.graph.node):
        scopes = {entry.key: entry.value for entry in node.metadata_props}.get(_SCOPES, "[]")
        within = [scope for scope in ast.literal_eval(scopes)[:-1] if scope[:1].isalpha()]
        node.name = "/".join([*within[-1:], f"{node.op_type}_{number}"])
        del node.metadata_props[:]
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        del value.metadata_props[:]
    for initializer in model.graph.initializer:
        del initializer.metadata_props[:]
    del model.graph.metadata_props[:], model.graph.value_info[:]
    model.graph.name = graph.name
    model.graph.doc_string = model.doc_string = graph.meaning
    values = {value.name: value for value in (*model.graph.input, *model.graph.output)}
    for tensor in (*graph.inputs, *graph.outputs):
        values[tensor.name].doc_string = tensor.meaning
    model.producer_name, model.producer_version = "asdkit", __version__
    onnx.helper.set_model_props(model, dict(notes))


def _declare_shapes(model: onnx.ModelProto, graph: Graph) -> None:
    """Declare the contract's shapes of inputs and output, replacing the exporter's.

    The exporter may declare the example's size for a free axis. All intermediate shapes are
    inferred again, and the proof shows whether the graph runs at other sizes.
    """
    values = {value.name: value for value in (*model.graph.input, *model.graph.output)}
    for tensor in (*graph.inputs, *graph.outputs):
        shape = values[tensor.name].type.tensor_type.shape
        del shape.dim[:]
        for size in tensor.shape:
            if isinstance(size, int):
                shape.dim.add(dim_value=size)
            else:
                shape.dim.add(dim_param=size)


_SCOPES = "pkg.torch.onnx.name_scopes"


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence warnings and log lines of the exporter and the quantiser."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
