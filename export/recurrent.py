"""Exports GRUs as ONNX's GRU operator.

PyTorch's exporter traces a GRU: some versions then declare the traced number of steps as the length
of its output, and some build it into the graph.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_RESET_UPDATE_NEW = 3
"""Number of gates in the rows of PyTorch's weights, in the order reset, update, new; ONNX has the
order update, reset, new."""


def with_operators(module: nn.Module) -> nn.Module:
    """Replace every GRU of a module by an ONNX operator; for tracing, not for running.

    Bidirectional GRUs and those of several layers are not replaced.

    Args:
        module: The module, changed in place; if it is itself a GRU, a new module is returned.
    """
    if isinstance(module, nn.GRU) and module.num_layers == 1 and not module.bidirectional:
        return _GruOperator(module)
    for name, child in module.named_children():
        setattr(module, name, with_operators(child))
    return module


class _GruOperator(nn.Module):
    """Traced as a single ONNX `GRU` operator; when run, it returns zeros.

    Args:
        gru: The GRU whose weights are used.
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
        # The first axis of ONNX's weights is the direction.
        self.register_buffer("inputs", _in_onnx_order(inputs)[None])
        self.register_buffer("states", _in_onnx_order(states)[None])
        self.register_buffer("bias", bias[None])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Process a sequence from a zero state, with the inputs and outputs of `nn.GRU`."""
        if self._batch_first:
            x = x.transpose(0, 1)
        steps, batch = x.shape[:2]
        found, last = torch.onnx.ops.symbolic_multi_out(
            "GRU",
            (x, self.inputs, self.states, self.bias),
            # PyTorch applies the reset gate after the product with the weights.
            {"hidden_size": self._size, "linear_before_reset": 1},
            dtypes=(x.dtype, x.dtype),
            shapes=((steps, 1, batch, self._size), (1, batch, self._size)),
        )
        states = found.squeeze(1)
        return states.transpose(0, 1) if self._batch_first else states, last


def _in_onnx_order(rows: Tensor) -> Tensor:
    reset, update, new = rows.chunk(_RESET_UPDATE_NEW)
    return torch.cat([update, reset, new])
