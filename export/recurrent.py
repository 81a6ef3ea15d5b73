"""Recurrent layers as the ONNX operators that they are.

Left to PyTorch's exporter, a GRU becomes what a trace of it shows: some versions declare the traced
number of steps as the length of its output, and some build it into the graph.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_RESET_UPDATE_NEW = 3
"""Gates in the rows of PyTorch's weights, in this order; ONNX has update, reset, new."""


def with_operators(module: nn.Module) -> nn.Module:
    """The module with an ONNX operator in place of every GRU; for tracing, not for running.

    Bidirectional GRUs and those of several layers stay as they are.

    Args:
        module: Its GRUs are replaced; one that is a GRU itself is left as it is.
    """
    if isinstance(module, nn.GRU) and module.num_layers == 1 and not module.bidirectional:
        return _GruOperator(module)
    for name, child in module.named_children():
        setattr(module, name, with_operators(child))
    return module


class _GruOperator(nn.Module):
    """Is traced as one ONNX `GRU`; the values it gives when run are zeros.

    Args:
        gru: Whose weights it has.
    """

    inputs: Tensor
    states: Tensor
    bias: Tensor

    def __init__(self, gru: nn.GRU) -> None:
        super().__init__()
        self._size, self._batch_first = gru.hidden_size, gru.batch_first
        inputs, states = (gru.get_parameter(f"weight_{part}_l0").detach() for part in ("ih", "hh"))
        nothing = inputs.new_zeros(_RESET_UPDATE_NEW * gru.hidden_size)
        biases = [nothing, nothing]
        if gru.bias:
            biases = [gru.get_parameter(f"bias_{part}_l0").detach() for part in ("ih", "hh")]
        bias = torch.cat([_in_onnx_order(part) for part in biases])
        # ONNX counts directions in the first axis.
        self.register_buffer("inputs", _in_onnx_order(inputs)[None])
        self.register_buffer("states", _in_onnx_order(states)[None])
        self.register_buffer("bias", bias[None])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """A sequence from a state of zeros, as `nn.GRU` takes and gives it."""
        if self._batch_first:
            x = x.transpose(0, 1)
        steps, batch = x.shape[:2]
        found, last = torch.onnx.ops.symbolic_multi_out(
            "GRU",
            (x, self.inputs, self.states, self.bias),
            # PyTorch applies the reset gate behind the product with the weights.
            {"hidden_size": self._size, "linear_before_reset": 1},
            dtypes=(x.dtype, x.dtype),
            shapes=((steps, 1, batch, self._size), (1, batch, self._size)),
        )
        states = found.squeeze(1)
        return states.transpose(0, 1) if self._batch_first else states, last


def _in_onnx_order(rows: Tensor) -> Tensor:
    reset, update, new = rows.chunk(_RESET_UPDATE_NEW)
    return torch.cat([update, reset, new])
