"""No graph holds or declares the sizes that its network was traced with, by any exporter."""

from __future__ import annotations

import math
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from extras import onnx, onnxruntime, torch
from family import MODELS, SMALL, scorer
from torch import nn

from asdkit.core.exportable import Graph, Tensor
from asdkit.export import convert, proof
from asdkit.export.convert import to_onnx
from asdkit.plugins.scorers.windowed.config import WindowedConfig

SIZES = [(batch, frames) for batch in (1, 2, 5) for frames in (1, 2, 7, 25, 40)]


class Sequence(nn.Module):
    """GRUs of both orders of axes, with biases and without."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.before = nn.Linear(4, 4)
        self.first = nn.GRU(4, 6, batch_first=True)
        self.second = nn.GRU(6, 2, bias=False)

    def forward(self, x):
        found = self.first(self.before(x.to(self.before.weight.dtype)))[0].flip(1)
        return self.second(found.transpose(0, 1))[0].transpose(0, 1).float()


def graph_of(module):
    x = Tensor("x", ("batch", "frames", 4), "numbers", -1.0, 1.0)
    logits = Tensor("logits", ("batch", "frames", 2), "no, yes", -9.0, 9.0)
    return Graph("model", "a toy", module.eval(), (x,), logits, lambda clips: ())


def declared(model, name):
    values = {v.name: v for v in (*model.graph.input, *model.graph.output)}
    dims = values[name].type.tensor_type.shape.dim
    return tuple(dim.dim_param or dim.dim_value for dim in dims)


def free(model, example):
    """Inputs and output are as in the contract, and nothing between has a size of the example."""
    sizes = {size * factor for size in example.values() for factor in (1, 4)}
    sizes.add(math.prod(example.values()))
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        found = {dim.dim_value for dim in value.type.tensor_type.shape.dim}
        assert not found & sizes, value.name
    for entry in model.graph.initializer:  # what reshapes go to
        if entry.data_type == onnx.TensorProto.INT64:
            assert not set(onnx.numpy_helper.to_array(entry).ravel().tolist()) & sizes, entry.name


def test_the_example_is_of_no_size_that_the_proof_tries():
    for name, size in convert._EXAMPLE.items():
        assert size not in proof._SIZES[name]


@pytest.mark.parametrize("half", [False, True])
def test_a_gru_is_the_operator_and_runs_at_every_size(half):
    module = Sequence()
    for _ in range(2):  # the second export within a process fares no worse
        model = to_onnx(graph_of(module), half, 18, {})
        assert [n.op_type for n in model.graph.node].count("GRU") == 2
        assert declared(model, "logits") == ("batch", "frames", 2)
        free(model, convert._EXAMPLE)
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        for batch, frames in SIZES:
            x = np.random.RandomState(frames).uniform(-1, 1, (batch, frames, 4))
            x = x.astype(np.float32)
            with torch.inference_mode():
                wanted = module(torch.from_numpy(x)).numpy()
            (found,) = session.run(None, {"x": x})
            np.testing.assert_allclose(found, wanted, atol=5e-3 if half else 1e-6, rtol=0)
    assert isinstance(module.first, nn.GRU)  # the network itself is not touched


def test_a_gru_that_is_no_single_operator_is_left_alone():
    from asdkit.export.recurrent import with_operators

    for gru in (nn.GRU(4, 2, bidirectional=True), nn.GRU(4, 2, num_layers=2)):
        assert with_operators(gru) is gru
    assert not isinstance(with_operators(nn.GRU(4, 2)), nn.GRU)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_graphs_do_not_grow_with_what_is_traced(name, family, monkeypatch):
    """The graph of the bundle, and one that was traced with other sizes."""
    exported = scorer(name).export(WindowedConfig(str(family.checkpoint(name))))
    (graph,) = [graph for graph in exported.graphs if graph.name == "window"]
    bundled = onnx.load(family.exported(name)[0] / "window.onnx")
    example = convert._EXAMPLE["frames"]
    other = {"batch": 2, "frames": 19}
    assert other["frames"] != example
    monkeypatch.setattr(convert, "_EXAMPLE", other)
    kinds = []
    for model, frames in ((bundled, example), (to_onnx(graph, False, 18, {}), other["frames"])):
        free(model, {"frames": frames})
        for tensor in (*graph.inputs, graph.output):
            assert declared(model, tensor.name) == tensor.shape
        kinds.append(Counter(node.op_type for node in model.graph.node))
    assert kinds[0] == kinds[1]
    assert kinds[0]["GRU"] == (2 if name in SMALL else 0)
    assert not kinds[0].keys() & {"Loop", "Scan", "If"}


def test_a_length_that_an_exporter_declares_is_not_kept(monkeypatch):
    """As PyTorch 2.13 and 2.14 do for a GRU: the graph runs at any length, its shapes say one."""
    real = torch.onnx.export

    def pinning(*words, **named):
        model = real(*words, **named).model_proto
        model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 11
        return SimpleNamespace(model_proto=model)

    monkeypatch.setattr(torch.onnx, "export", pinning)
    model = to_onnx(graph_of(nn.Linear(4, 2)), False, 18, {})
    assert declared(model, "logits") == ("batch", "frames", 2)
