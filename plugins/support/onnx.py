"""What every plugin that runs on ONNX Runtime needs: the import, the device, the session."""

from __future__ import annotations

import ctypes
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.component import Context
from ...core.errors import DeviceError, MissingExtraError, OutputError, WeightsError
from ...core.exportable import Tensor
from ...core.types import Float32
from ...core.weights import cache_folder

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
_INSTALL_GPU = 'pip uninstall --yes onnxruntime && pip install "asdkit[gpu]"'
_LIBRARIES = {CUDA: "onnxruntime_providers_cuda", TENSORRT: "onnxruntime_providers_tensorrt"}
_OF_MEMORY = re.compile(r"alloc|memory", re.IGNORECASE)
"""Is in what ONNX Runtime says when memory is short."""
_WARNINGS, _SILENT = 2, 4
"""Severities from which on ONNX Runtime writes to its log: its default, and fatal errors alone."""


def import_onnxruntime(needed_by: str) -> ModuleType:
    """The module `onnxruntime`.

    Args:
        needed_by: What the user chose that needs it, such as "scorer=talknet_onnx".

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError(needed_by, "onnxruntime", "cpu") from error
    module: ModuleType = onnxruntime
    return module


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
        ort = import_onnxruntime(str(path))
        gpu, wanted = _wanted(context.device, tensorrt)
        lacking = [provider for provider in wanted if provider not in ort.get_available_providers()]
        options = _session_options(ort, context.threads, profile)
        session: Any = None
        failure: Exception | None = None
        if wanted and not lacking:
            providers = [(provider, _options(provider, gpu)) for provider in wanted]
            session, failure = _gpu_session(ort, path, providers, options)
            got = session.get_providers() if session else []
            lacking = [provider for provider in wanted if provider not in got]
        if lacking or not wanted:
            session = _cpu_session(ort, path, options)  # tells it if the file is what is wrong
        if lacking and (tensorrt or context.device != "auto"):
            raise _refusal(ort, _asked(context.device, tensorrt), lacking[0], failure) from failure
        on_gpu = bool(wanted) and not lacking
        self.device = f"cuda:{gpu}" if on_gpu else "cpu"
        self.providers: tuple[str, ...] = tuple(session.get_providers())
        self._session = session
        self._path = path
        self._place = ("cuda", gpu) if on_gpu else ("cpu", 0)
        self._value = ort.OrtValue

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
            reason = _reason(error)
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


def check_device(context: Context) -> None:
    """See that this ONNX Runtime was built for a device, before anything is loaded.

    Raises:
        DeviceError: It was not.
    """
    ort = import_onnxruntime(f"device={context.device}")
    _, wanted = _wanted(context.device, tensorrt=False)
    for provider in wanted:
        if context.device != "auto" and provider not in ort.get_available_providers():
            raise _refusal(ort, _asked(context.device, tensorrt=False), provider, None)


def _wanted(device: str, tensorrt: bool) -> tuple[int, list[str]]:
    """The number of the CUDA device to try, and the providers; none for the CPU.

    Raises:
        DeviceError: The name is none that asdkit knows, or the CPU cannot do what is asked.
    """
    match = re.fullmatch(r"auto|cpu|cuda(?::([0-9]+))?", device)
    if match is None:
        raise DeviceError(
            f"device={device} is not a device asdkit knows",
            "Use device=auto, device=cpu, device=cuda or device=cuda:N",
        )
    if device == "cpu":
        if tensorrt:
            raise DeviceError(
                "TensorRT runs on CUDA, but device=cpu was asked for",
                "Use device=cuda, or scorer.tensorrt=false",
            )
        return 0, []
    return int(match[1] or 0), [TENSORRT, CUDA] if tensorrt else [CUDA]


def _asked(device: str, tensorrt: bool) -> str:
    return "scorer.tensorrt=true" if tensorrt else f"device={device}"


def _options(provider: str, gpu: int) -> dict[str, str]:
    """The options of a provider."""
    if provider == TENSORRT:
        folder = cache_folder() / "tensorrt"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"Cannot make {folder} for TensorRT's engines: {error.strerror}",
                "Choose another folder for the cache with ASDKIT_CACHE",
            ) from error
        return {
            "device_id": str(gpu),
            "trt_engine_cache_enable": "True",  # building an engine takes minutes
            "trt_engine_cache_path": str(folder),
        }
    return {
        "device_id": str(gpu),
        "use_tf32": "0",  # its 10 bits of mantissa move logits by more than 1e-3
        "cudnn_conv_algo_search": "HEURISTIC",  # the default searches anew for each batch size
    }


def _cpu_session(ort: ModuleType, path: Path, options: Any) -> Any:
    """A session on the CPU.

    Raises:
        WeightsError: The file is not a graph that this ONNX Runtime runs.
    """
    try:
        return ort.InferenceSession(str(path), options, providers=[CPU])
    except Exception as error:  # its exceptions have no base but Exception
        raise WeightsError(
            f"ONNX Runtime {ort.__version__} cannot run {path}: {_reason(error)}",
            "Export it with asd export, with a lower opset if this version is old, or install a "
            "newer onnxruntime",
        ) from error


def _gpu_session(
    ort: ModuleType, path: Path, providers: list[tuple[str, dict[str, str]]], options: Any
) -> tuple[Any, Exception | None]:
    """A session with those of these providers that it got, or None and why it could not be made.

    The log's level and stdout are the whole process's for that moment.
    """
    ort.set_default_logger_severity(_SILENT)
    try:
        with redirect_stdout(None):  # it prints what it does not find
            ort.preload_dlls()  # finds the CUDA libraries of PyTorch and of NVIDIA's packages
        return ort.InferenceSession(
            str(path), options, providers=[*providers, CPU], enable_fallback=0
        ), None
    except Exception as error:  # its exceptions have no base but Exception
        return None, error
    finally:
        ort.set_default_logger_severity(_WARNINGS)


def _session_options(ort: ModuleType, threads: int | None, profile: Path | None) -> Any:
    options = ort.SessionOptions()
    options.log_severity_level = _SILENT  # what goes wrong is told by the errors here
    if threads is not None:
        options.intra_op_num_threads = threads
    if profile is not None:
        options.enable_profiling = True
        options.profile_file_prefix = str(profile / "profile")
    return options


def _reason(error: Exception) -> str:
    """What ONNX Runtime says, without its place in the source and without the path."""
    text = " ".join(str(error).split())
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", text)
    text = re.sub(r"^Load model from .*? failed: ?", "", text)
    return re.sub(r"^/\S+:\d+ .*?\) (?=[A-Z])", "", text)


def _refusal(ort: ModuleType, asked: str, provider: str, failure: Exception | None) -> DeviceError:
    """The error for a provider that was not had; names what it lacks."""
    there = ort.get_available_providers()
    installed = f"the ONNX Runtime {ort.__version__} installed here"
    instead = "scorer.tensorrt=false" if provider == TENSORRT else "device=cpu"
    if provider not in there:
        return DeviceError(
            f"{asked} needs the {provider}, which {installed} has not (it has {', '.join(there)})",
            f"Use {instead}, or install the other build: {_INSTALL_GPU}",
        )
    folder = Path(str(ort.__file__)).parent / "capi"
    reason = _reason(failure) if failure else "there is no such device, or its driver is too old"
    for library in sorted(folder.glob(f"*{_LIBRARIES[provider]}.*")):
        try:
            ctypes.CDLL(str(library))
        except OSError as error:
            reason = str(error)
    libraries = "NVIDIA's TensorRT" if provider == TENSORRT else f"the libraries: {_INSTALL_GPU}"
    return DeviceError(
        f"{asked} needs the {provider}, which {installed} cannot start: {reason}",
        f"Use {instead}, or install the driver and {libraries}",
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
