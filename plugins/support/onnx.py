"""Runs graphs with ONNX Runtime, for all plugins with one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.component import Context
from ...core.errors import WeightsError
from ...core.exportable import Tensor
from ...core.types import Float32
from .onnx_devices import import_onnxruntime, reason_of, start_session

_OF_MEMORY = re.compile(r"alloc|memory", re.IGNORECASE)
"""Matches messages of ONNX Runtime about insufficient memory."""


class OnnxSession:
    """A graph, loaded on a device.

    If ONNX Runtime does not use the requested device, this is an error, never a silent fallback to
    the CPU.

    Args:
        path: The graph.
        context: The device and the threads; "auto" uses CUDA if it works, else the CPU.
        tensorrt: Run on CUDA through TensorRT.
        profile: Folder for a log of the execution of each node; by default none is written.
        content: The graph, if it is not as the file has it.
        smaller: The option to lower if the device's memory does not suffice.

    Attributes:
        device: "cpu" or "cuda:N".
        providers: The execution providers in use, in order of priority.

    Raises:
        DeviceError: The requested device does not exist.
        WeightsError: ONNX Runtime cannot run the file.
    """

    def __init__(
        self,
        path: Path,
        context: Context,
        tensorrt: bool = False,
        profile: Path | None = None,
        *,
        content: bytes | None = None,
        smaller: str = "scorer.batch_frames",
    ) -> None:
        session, gpu = start_session(path, context, tensorrt, profile, content)
        self.device = "cpu" if gpu is None else f"cuda:{gpu}"
        self.providers: tuple[str, ...] = tuple(session.get_providers())
        self._session = session
        self._path = path
        self._smaller = smaller
        self._place = ("cpu", 0) if gpu is None else ("cuda", gpu)
        self._value = import_onnxruntime(str(path)).OrtValue

    def end_profile(self) -> Path:
        """Close the log requested by `profile`, and return its path, a JSON file."""
        return Path(self._session.end_profiling())

    @property
    def inputs(self) -> dict[str, list[Any]]:
        """By name: the shape of each input, with a name or None as the size of a free axis.

        Raises:
            WeightsError: An input is not float32.
        """
        return self._shapes(self._session.get_inputs())

    @property
    def outputs(self) -> dict[str, list[Any]]:
        """By name: the shape of each output.

        Raises:
            WeightsError: An output is not float32.
        """
        return self._shapes(self._session.get_outputs())

    def _shapes(self, values: Any) -> dict[str, list[Any]]:
        for value in values:
            if value.type != "tensor(float)":
                raise WeightsError(
                    f"{self._path} has {value.name} as {value.type}, expected tensor(float)",
                    "Make the graph take and give float32",
                )
        return {value.name: value.shape for value in values}

    @property
    def metadata(self) -> dict[str, str]:
        """The metadata stored in the file."""
        return dict(self._session.get_modelmeta().custom_metadata_map)

    def hold(self, tensors: Sequence[Tensor], what: str, hint: str) -> None:
        """Check that the graph has exactly these inputs and outputs.

        Args:
            tensors: The inputs and outputs; their free axes must be free in the graph, too.
            what: What the graph should be, such as "LR-ASD".
            hint: Hint of the error.

        Raises:
            WeightsError: The inputs or outputs differ.
        """
        found = {**self.inputs, **self.outputs}
        wanted = {tensor.name: tensor.shape for tensor in tensors}
        if found.keys() != wanted.keys() or any(
            not _fits(found[name], wanted[name]) for name in wanted
        ):
            raise WeightsError(
                f"{self._path} is not {what}: it has {_listed(found)}, expected {_listed(wanted)}",
                hint,
            )

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Float32:
        """Run the graph; inputs are copied to its device, and the output is copied back.

        Args:
            inputs: A float32 array for each input.

        Returns:
            The first output.

        Raises:
            WeightsError: The graph cannot be run with these inputs, or its device has not enough
                memory.
        """
        first = self._session.get_outputs()[0].name
        return self._fetched(inputs, [first])[first]

    def run_all(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, Float32]:
        """Run the graph as `run` does; returns all its outputs by name."""
        return self._fetched(inputs, [output.name for output in self._session.get_outputs()])

    def run_on(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Run the graph as `run_all` does, without copying what another graph is to read.

        Args:
            inputs: For each input a float32 array, or what this method returned.

        Returns:
            All outputs by name, as values that ONNX Runtime holds; `numpy()` of one is an array.
        """
        outputs = [output.name for output in self._session.get_outputs()]
        values = self._ran(inputs, outputs, lambda binding: binding.get_outputs())
        return dict(zip(outputs, values, strict=True))

    def _fetched(self, inputs: Mapping[str, Any], outputs: list[str]) -> dict[str, Float32]:
        found = self._ran(inputs, outputs, lambda binding: binding.copy_outputs_to_cpu())
        return {
            name: np.asarray(array, np.float32) for name, array in zip(outputs, found, strict=True)
        }

    def _placed(self, value: Any) -> Any:
        """A value on the session's device, of an array or of what `run_on` returned."""
        if isinstance(value, np.ndarray):
            return self._value.ortvalue_from_numpy(np.ascontiguousarray(value), *self._place)
        return value

    def _ran(
        self, inputs: Mapping[str, Any], outputs: list[str], fetch: Callable[[Any], list[Any]]
    ) -> list[Any]:
        """Run the graph, and fetch outputs from where ONNX Runtime was told to put them."""
        try:
            binding = self._session.io_binding()
            for name, value in inputs.items():
                binding.bind_ortvalue_input(name, self._placed(value))
            for name in outputs:
                binding.bind_output(name, *self._place)
            self._session.run_with_iobinding(binding)
            return fetch(binding)
        except Exception as error:  # ONNX Runtime's exceptions have no other common base
            shapes = ", ".join(f"{name} {_shape(value)}" for name, value in inputs.items())
            reason = reason_of(error)
            raise WeightsError(
                f"{self._path} failed on {self.device} with {shapes}: {reason}",
                f"Use a smaller {self._smaller}"
                if _OF_MEMORY.search(reason)
                else "The graph may be of another model, or need another version of ONNX Runtime",
            ) from error


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(value.shape if isinstance(value, np.ndarray) else value.shape())


def _fits(found: list[Any], wanted: tuple[int | str, ...]) -> bool:
    """Whether a shape has the wanted fixed sizes and free axes."""
    return len(found) == len(wanted) and all(
        size == there if isinstance(size, int) else not isinstance(there, int)
        for there, size in zip(found, wanted, strict=True)
    )


def _listed(tensors: Mapping[str, Sequence[Any]]) -> str:
    return ", ".join(
        f"{name} ({', '.join(map(str, shape))})" for name, shape in sorted(tensors.items())
    )


def nodes_by_provider(
    path: Path, context: Context, inputs: Mapping[str, NDArray[Any]]
) -> dict[str, set[str]]:
    """Run a graph once, and find the execution provider of each node.

    Args:
        path: The graph.
        context: The device and the threads.
        inputs: An array for each input.

    Returns:
        By provider: the names of the nodes that ran on it. Nodes that only compute sizes are left
        out, as ONNX Runtime always runs them on the CPU.
    """
    with TemporaryDirectory() as folder:
        session = OnnxSession(path, context, profile=Path(folder))
        session.run(inputs)
        events = json.loads(session.end_profile().read_text(encoding="utf-8"))
    found: dict[str, set[str]] = {}
    for event in events:
        arguments = event.get("args", {})
        if event.get("cat") != "Node" or "provider" not in arguments:
            continue
        types = {kind for output in arguments.get("output_type_shape", []) for kind in output}
        if not types <= {"int64", "int32", "bool"}:
            name = event["name"].removesuffix("_kernel_time")
            found.setdefault(arguments["provider"], set()).add(name)
    return found
