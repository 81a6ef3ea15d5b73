"""The transformer layer of TalkNet, which LoCoNet has too; modules are named as in checkpoints."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

_HEADS = 8
_DROPOUT = 0.1


class Attention(nn.Module):
    """A transformer layer: queries from `target`; keys, values and residual from `source`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(width, _HEADS, _DROPOUT, batch_first=True)
        self.linear1 = nn.Linear(width, 4 * width)
        self.linear2 = nn.Linear(4 * width, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.drop = nn.Dropout(_DROPOUT)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Attend from `target` (B, T, C) to `source` (B, T, C); the result is (B, T, C)."""
        # The residual adds to the source, not to the queries, as in the published network.
        found, _ = self.self_attn(target, source, source, need_weights=False)
        x = self.norm1(source + self.drop(found))
        inner = self.linear2(self.drop(functional.relu(self.linear1(x))))
        result: Tensor = self.norm2(x + self.drop(inner))
        return result
