"""Checks the graphs of a bundle against their contract, and their outputs against PyTorch's.

PyTorch's outputs are computed once, at export, and stored in the bundle. So the proof can be
repeated anywhere, on any device, with ONNX Runtime alone.
"""

from __future__ import annotations

import itertools
import math
import reprlib
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from ..core.bundle import AGAIN, Bundle
from ..core.component import Context
from ..core.errors import ExportError, WeightsError
from ..core.exportable import Graph, Tensor
from ..core.types import Float32
from ..plugins.support.onnx import OnnxSession, nodes_by_provider
from ..plugins.support.pytorch import import_torch, inference

ANSWERS = "proof.npz"
"""The file of a bundle with PyTorch's outputs."""
TOLERANCES = {"fp32": 1e-4, "fp16": 2e-2}
"""Largest allowed difference of logits; int8 is judged by `agreement` instead."""
_STAGE_TOLERANCES = {"fp32": 1e-4, "fp16": 0.1}
"""The same for intermediate outputs, which are the input of another graph."""
_SIZES = {"batch": (1, 2, 5), "frames": (1, 2, 7, 25, 37, 150)}
_MOST_FRAMES = 300
"""Most frames (batch times frames) of a case: more take gigabytes, and show nothing new."""
_MOST_VALUES = 1 << 21
"""Most values of a tensor per frame."""
_SAMPLE = 1024
"""About so many values are kept of each row of an output that is not the first of its graph."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Proof:
    """The outcome of a proof.

    Attributes:
        largest_differences: By file of the graph: the largest difference from PyTorch's output.
        device: The device the graphs ran on: "cpu" or "cuda:N".
    """

    largest_differences: dict[str, float]
    device: str


def answers(graph: Graph) -> dict[str, Float32]:
    """By `graph: case`: PyTorch's output; of further outputs a sample, by `graph: case, name`."""
    torch = import_torch("asd export")
    found = {}
    with inference():
        for case, inputs in _cases(graph.name, graph.inputs):
            tensors = [torch.from_numpy(inputs[tensor.name]) for tensor in graph.inputs]
            outputs = graph.module(*tensors)
            first, *more = outputs if graph.more else (outputs,)
            found[f"{graph.name}: {case}"] = first.numpy()
            for tensor, output in zip(graph.more, more, strict=True):
                found[f"{graph.name}: {case}, {tensor.name}"] = _sample(output.numpy())
    return found


def _sample(output: Float32) -> Float32:
    """Some values of each row of an output, which may have millions."""
    rows = output.reshape(len(output), -1)
    return rows[:, :: 2 * (rows.shape[1] // (2 * _SAMPLE)) + 1]


def prove(bundle: Bundle, context: Context, say: Say) -> Proof:
    """Run every graph of a bundle in every case.

    Args:
        bundle: The bundle.
        context: Device and threads.
        say: Called with a line on each check.

    Raises:
        ExportError: A graph violates its contract, or its output differs too much.
        WeightsError: A file of the bundle is missing or altered.
    """
    wanted = _stored_answers(bundle)
    largest = {}
    for file, (inputs, outputs) in _contracts(bundle).items():
        path, opset = bundle.file(file), bundle.manifest["opset"]
        if find_spec("onnx"):
            _hold_valid(path, opset)
            say(f"{file}: valid, shapes inferred, opset {opset}")
        else:
            say(f"{file}: not checked for validity, the package onnx is not installed")
        session = OnnxSession(path, context)
        _hold_contract(file, session, inputs, outputs)
        say(f"{file}: {', '.join(_shown(tensor) for tensor in (*inputs, *outputs))}")
        _, example = next(_cases(path.stem, inputs))
        say(f"{file}: {_hold_nodes(path, session, context, example)}")
        tolerances = TOLERANCES if outputs[0].name == "logits" else _STAGE_TOLERANCES
        tolerance = tolerances.get(bundle.manifest["precision"])
        largest[file] = max(
            _hold_values(f"{path.name}: {case}", found, expected, tolerance, say)
            for sizes, arrays in _cases(path.stem, inputs)
            for case, found in _found(sizes, session.run_all(arrays), outputs)
            for expected in [_answer(wanted, bundle, f"{path.stem}: {case}")]
        )
    return Proof(largest, session.device)


def _found(
    case: str, found: Mapping[str, Float32], outputs: Sequence[Tensor]
) -> Iterator[tuple[str, Float32]]:
    """What a graph gave, under the names that `answers` has for it."""
    yield case, found[outputs[0].name]
    for tensor in outputs[1:]:
        yield f"{case}, {tensor.name}", _sample(found[tensor.name])


def _stored_answers(bundle: Bundle) -> dict[str, Float32]:
    """Read PyTorch's outputs from the bundle.

    Raises:
        WeightsError: The file is missing, altered or invalid.
    """
    path = bundle.file(ANSWERS)
    try:
        with np.load(path) as stored:
            return dict(stored)
    except (OSError, ValueError, AttributeError, TypeError, BadZipFile) as error:
        raise WeightsError(f"{path} holds no arrays that can be read", AGAIN) from error


def _answer(wanted: Mapping[str, Float32], bundle: Bundle, case: str) -> Float32:
    if case not in wanted:
        raise WeightsError(f"{bundle.folder} has no answer of PyTorch to {case}", AGAIN)
    return wanted[case]


def _contracts(bundle: Bundle) -> dict[str, tuple[list[Tensor], list[Tensor]]]:
    """By file: inputs and outputs of each graph, from the manifest.

    Raises:
        WeightsError: The manifest is incomplete, or has no graph.
    """
    try:
        found = {
            file: (
                [_tensor(given) for given in entry["inputs"]],
                [_tensor(given) for given in (entry["output"], *entry.get("more", ()))],
            )
            for file, entry in bundle.manifest["files"].items()
            if file.endswith(".onnx")
        }
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise WeightsError(
            f"The manifest of {bundle.folder} does not say all of its graphs "
            f"({type(error).__name__}: {error})",
            AGAIN,
        ) from error
    if not found:
        raise WeightsError(f"The manifest of {bundle.folder} names no graph", AGAIN)
    return found


def _cases(graph: str, inputs: tuple[Tensor, ...] | list[Tensor]) -> Iterator[Any]:
    """Yield each combination of sizes, by name, with random inputs; too large ones are left out.

    NumPy guarantees that RandomState's numbers never change.
    """
    free = sorted({name for tensor in inputs for _, name in tensor.free().values()})
    for values in itertools.product(*(_SIZES[name] for name in free)):
        sizes = dict(zip(free, values, strict=True))
        if math.prod(values) > _MOST_FRAMES:
            continue
        case = ", ".join(f"{name} {size}" for name, size in sizes.items())
        random = np.random.RandomState(zlib.crc32(f"{graph}: {case}".encode()))
        yield (
            case,
            {
                tensor.name: random.uniform(tensor.low, tensor.high, tensor.sized(sizes)).astype(
                    np.float32
                )
                for tensor in inputs
            },
        )


def _tensor(entry: Mapping[str, Any]) -> Tensor:
    """Parse a tensor's description in the manifest.

    Raises:
        KeyError: A key is missing.
        TypeError: A value has the wrong type.
        ValueError: A size or a bound is invalid or too large for a proof.
        OverflowError: A bound is too large for a float.
    """
    low, high = float(entry["low"]), float(entry["high"])
    tensor = Tensor(str(entry["name"]), tuple(entry["shape"]), str(entry["meaning"]), low, high)
    sizes = tensor.sized({"batch": 1, "frames": 1})
    if not math.isfinite(high - low) or min(sizes) < 1 or math.prod(sizes) > _MOST_VALUES:
        raise ValueError(f"{reprlib.repr(entry['shape'])} from {low} to {high}")
    return tensor


def _shown(tensor: Tensor) -> str:
    return f"{tensor.name} ({', '.join(map(str, tensor.shape))})"


def _hold_valid(path: Path, opset: int) -> None:
    import onnx

    from .convert import checked_graph

    model = checked_graph(onnx.load(path))
    found = {entry.domain: entry.version for entry in model.opset_import}
    if found.get("") != opset:
        raise ExportError(f"{path} has opset {found.get('')}, not {opset}")


def _hold_contract(
    file: str, session: OnnxSession, inputs: list[Tensor], outputs: list[Tensor]
) -> None:
    found = (session.inputs, session.outputs)
    wanted = tuple({t.name: list(t.shape) for t in tensors} for tensors in (inputs, outputs))
    if found != wanted:
        raise ExportError(f"{file} takes and gives {found}, but its contract is {wanted}")


def _hold_nodes(
    path: Path, session: OnnxSession, context: Context, example: Mapping[str, Float32]
) -> str:
    """Check that every node that computes values runs on the wanted provider."""
    wanted = session.providers[0]
    counts = nodes_by_provider(path, context, example)
    if not counts.get(wanted):
        raise ExportError(f"{path.name}: no node runs on {wanted}")
    for provider, nodes in counts.items():
        if provider != wanted:
            raise ExportError(
                f"{path.name}: {len(nodes)} nodes run on {provider} instead of {wanted}: "
                f"{', '.join(sorted(nodes)[:3])}"
            )
    return f"all {len(counts[wanted])} nodes run on {wanted}"


def _hold_values(
    what: str, found: Float32, expected: Float32, tolerance: float | None, say: Say
) -> float:
    if found.shape != expected.shape:
        raise ExportError(f"{what}: the output has shape {found.shape}, not {expected.shape}")
    if not np.isfinite(found).all():
        raise ExportError(f"{what}: the output holds values that are not finite")
    difference = float(np.abs(found - expected).max())
    allowed = "" if tolerance is None else f" (at most {tolerance:.0e})"
    say(f"{what}: {found.shape} differs from PyTorch by {difference:.1e}{allowed}")
    if tolerance is not None and difference > tolerance:
        raise ExportError(
            f"{what}: differs from PyTorch by {difference:.1e}, more than {tolerance:.0e}",
            "A higher precision may do: precision=fp32",
        )
    return difference
