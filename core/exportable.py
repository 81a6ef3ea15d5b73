"""Describes a scorer's network, so that `asd export` can write it as ONNX graphs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .types import Clip, Float32

PRECISIONS = ("fp32", "fp16", "int8")
"""The precisions in which bundles can be made."""
_DIMENSION = re.compile(r"(?:([1-9][0-9]*)\*)?(batch|frames)")


@dataclass(frozen=True)
class Tensor:
    """An input or output of a graph; always float32.

    Attributes:
        name: Its name in the graph.
        shape: A size for each axis: a number where it is fixed, "batch" or "frames" where it is
            free, or a multiple of these, such as "4*frames".
        meaning: Describes its content, with units.
        low: Typical lower bound of its values; the proof of an export draws from here on.
        high: Typical upper bound of its values; the proof draws up to here.
    """

    name: str
    shape: tuple[int | str, ...]
    meaning: str
    low: float
    high: float

    def free(self) -> dict[int, tuple[int, str]]:
        """The free axes, with factor and name, as in {1: (4, "frames")}.

        Raises:
            ValueError: A size is invalid.
        """
        found = {}
        for axis, size in enumerate(self.shape):
            if isinstance(size, str):
                match = _DIMENSION.fullmatch(size)
                if match is None:
                    raise ValueError(f"the shape of {self.name} has the size {size!r}")
                found[axis] = (int(match[1] or 1), match[2])
        return found

    def sized(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """The shape with each free size filled in."""
        free = self.free()
        return tuple(
            free[axis][0] * sizes[free[axis][1]] if axis in free else int(size)
            for axis, size in enumerate(self.shape)
        )


@dataclass(frozen=True)
class Graph:
    """A network, or a part of one, that becomes one ONNX file.

    Attributes:
        name: Name of the file, without `.onnx`.
        meaning: Describes what it computes.
        module: A `torch.nn.Module` on the CPU, in `eval` mode; its forward takes the inputs in
            their order and returns the output. All are float32 even when the module has been
            made `half()`.
        inputs: Its inputs.
        output: Its output; one named "logits" has a stricter tolerance in fp16.
        samples: Computes real inputs from clips, a few at a time, to calibrate int8.
        int8: Names, in `module`, of the submodules that an int8 export quantises.
        more: Further outputs; then the module returns a tuple of all.
        precisions: The precisions in which bundles have this graph.
    """

    name: str
    meaning: str
    module: Any
    inputs: tuple[Tensor, ...]
    output: Tensor
    samples: Callable[[Sequence[Clip]], Iterable[Mapping[str, Float32]]]
    int8: tuple[str, ...] = ()
    more: tuple[Tensor, ...] = ()
    precisions: tuple[str, ...] = PRECISIONS

    @property
    def file(self) -> str:
        """Name of the file."""
        return f"{self.name}.onnx"

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """All its outputs."""
        return (self.output, *self.more)


@dataclass(frozen=True)
class Exportable:
    """A scorer's network with its weights, ready for export.

    The scorer's config has a field `weights`, which also accepts the folder of a bundle.

    Attributes:
        model: Name of the scorer, such as "talknet", as recorded in the bundle.
        weights: Name of the published weights, or "" for a user's own file.
        source: The checkpoint that was read.
        licence: Licence of the weights, or "" if unknown.
        graphs: The graphs; the one named "model" is the whole network.
    """

    model: str
    weights: str
    source: Path
    licence: str
    graphs: tuple[Graph, ...]
