"""Running a graph with ONNX Runtime, as every plugin that has one does."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
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
"""Is in what ONNX Runtime says when memory is short."""


class OnnxSession:
    """A graph, loaded on a device.

    Nothing is taken for granted: a device that was asked for and that ONNX Runtime did not give
    is an error, never a silent fallback to the CPU.

    Args:
        path: The graph.
        context: The device and the threads; "auto" takes CUDA where it works, else the CPU.
        tensorrt: Run on CUDA through TensorRT.
        profile: Folder for a log of what each node did; none is kept if not given.

    Attributes:
        device: "cpu" or "cuda:N".
        providers: The execution providers it got, the first one first.

    Raises:
        DeviceError: The device asked for is not there.
        WeightsError: The file is not a graph that this ONNX Runtime runs.
    """

    def __init__(
        self, path: Path, context: Context, tensorrt: bool = False, profile: Path | None = None
    ) -> None:
        session, gpu = start_session(path, context, tensorrt, profile)
        self.device = "cpu" if gpu is None else f"cuda:{gpu}"
        self.providers: tuple[str, ...] = tuple(session.get_providers())
        self._session = session
        self._path = path
        self._place = ("cpu", 0) if gpu is None else ("cuda", gpu)
        self._value = import_onnxruntime(str(path)).OrtValue

    def end_profile(self) -> Path:
        """Close the log that was asked for by `profile`: a JSON file."""
        return Path(self._session.end_profiling())

    @property
    def inputs(self) -> dict[str, list[Any]]:
        """Name and shape of each input; a free axis has a name or None for a size.

        Raises:
            WeightsError: One is not of float32.
        """
        return self._shapes(self._session.get_inputs())

    @property
    def outputs(self) -> dict[str, list[Any]]:
        """Name and shape of each output.

        Raises:
            WeightsError: One is not of float32.
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
        """What the file says of itself."""
        return dict(self._session.get_modelmeta().custom_metadata_map)

    def hold(self, tensors: Sequence[Tensor], what: str, hint: str) -> None:
        """See that the graph takes and gives these and nothing else, before it is run.

        Args:
            tensors: Its inputs and outputs; whatever is free in them must be free in the graph.
            what: What it should be, such as "LR-ASD".
            hint: How to mend it, for the error.

        Raises:
            WeightsError: It is another graph.
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
        """Run the graph; the inputs are put on its device and the output is fetched from there.

        Args:
            inputs: An array of float32 for each input.

        Returns:
            The first output.

        Raises:
            WeightsError: The graph cannot be computed with these inputs, or there is not enough
                memory on its device.
        """
        first = self._session.get_outputs()[0].name
        return self._fetched(inputs, [first])[first]

    def run_all(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, Float32]:
        """Run the graph as `run` does; returns all its outputs by name."""
        return self._fetched(inputs, [output.name for output in self._session.get_outputs()])

    def _fetched(
        self, inputs: Mapping[str, NDArray[Any]], outputs: list[str]
    ) -> dict[str, Float32]:
        try:
            binding = self._session.io_binding()
            for name, array in inputs.items():
                value = self._value.ortvalue_from_numpy(np.ascontiguousarray(array), *self._place)
                binding.bind_ortvalue_input(name, value)
            for name in outputs:
                binding.bind_output(name, *self._place)
            self._session.run_with_iobinding(binding)
            found = binding.copy_outputs_to_cpu()
            return {
                name: np.asarray(array, np.float32)
                for name, array in zip(outputs, found, strict=True)
            }
        except Exception as error:  # its exceptions have no base but Exception
            shapes = ", ".join(f"{name} {array.shape}" for name, array in inputs.items())
            reason = reason_of(error)
            raise WeightsError(
                f"{self._path} failed on {self.device} with {shapes}: {reason}",
                "Use a smaller scorer.batch_frames"
                if _OF_MEMORY.search(reason)
                else "The graph may be of another model, or need another version of ONNX Runtime",
            ) from error


def _fits(found: list[Any], wanted: tuple[int | str, ...]) -> bool:
    """Whether fixed sizes are equal and free ones free."""
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
    """Run a graph once and see where each node was computed.

    Args:
        path: The graph.
        context: The device and the threads.
        inputs: An array for each input.

    Returns:
        The names of the nodes that ran on each provider. Nodes that compute with sizes alone
        are left out: ONNX Runtime keeps them on the CPU, where sizes are.
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
