"""Axes of an ONNX graph are freed without the package onnx."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from extras import onnx, onnxruntime
from onnx import TensorProto, helper

from asdkit.core.onnx_file import with_free_axes

FREE = {"x": {2: "height", 3: "width"}, "y": {2: "height", 3: "width"}}


@pytest.fixture(scope="module")
def fixed():
    """A graph that smooths pictures of 4x6 and doubles them."""
    values = {
        name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, 4, 6])
        for name in ("x", "between", "y", "other")
    }
    kernel = helper.make_tensor("kernel", TensorProto.FLOAT, [1, 1, 3, 3], [1 / 9] * 9)
    nodes = [
        helper.make_node("Conv", ["x", "kernel"], ["between"], pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["between", "between"], ["y"]),
        helper.make_node("Neg", ["between"], ["other"]),
    ]
    outputs = [values["y"], values["other"]]
    graph = helper.make_graph(
        nodes, "fixed", [values["x"]], outputs, [kernel], value_info=[values["between"]]
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def test_the_named_axes_are_free_and_all_else_is_as_it_was(fixed):
    found = onnx.load_from_string(with_free_axes(fixed.SerializeToString(), FREE))
    wanted = onnx.ModelProto.FromString(fixed.SerializeToString())
    for value in (wanted.graph.input[0], wanted.graph.output[0]):
        for axis, name in FREE[value.name].items():
            value.type.tensor_type.shape.dim[axis].dim_param = name
    del wanted.graph.value_info[:]
    assert found == wanted


def test_a_freed_graph_takes_other_sizes(fixed):
    content = with_free_axes(fixed.SerializeToString(), {**FREE, "other": FREE["x"]})
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    for size in ((4, 6), (5, 9), (1, 1)):
        smooth, other = session.run(None, {"x": np.ones((1, 1, *size), np.float32)})
        assert smooth.shape == (1, 1, *size)
        assert smooth == pytest.approx(-2 * other)


def test_names_longer_than_a_byte_can_count(fixed):
    names = {"x": {3: "w" * 300}}
    found = onnx.load_from_string(with_free_axes(fixed.SerializeToString(), names))
    sizes = found.graph.input[0].type.tensor_type.shape.dim
    assert [size.dim_param or size.dim_value for size in sizes] == [1, 1, 4, "w" * 300]


def test_what_is_no_graph_is_an_error(fixed):
    content = fixed.SerializeToString()
    with pytest.raises((ValueError, IndexError)):
        with_free_axes(content[:-3], FREE)
    with pytest.raises(ValueError, match="wire type"):
        with_free_axes(Path(__file__).read_bytes(), FREE)
