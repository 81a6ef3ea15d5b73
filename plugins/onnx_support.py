"""What every plugin that runs on ONNX Runtime needs: the import, the device, the session."""

from __future__ import annotations

import ctypes
import json
import re
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.components import Context
from ..core.errors import DeviceError, MissingExtraError, WeightsError
from ..core.types import Float32
from ..core.weights import cache_folder

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
_INSTALL_GPU = 'pip uninstall --yes onnxruntime && pip install "asdkit[gpu]"'
_LIBRARIES = {CUDA: "onnxruntime_providers_cuda", TENSORRT: "onnxruntime_providers_tensorrt"}
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
    """A graph with one output, loaded on a device.

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
        gpu = _gpu(context.device, tensorrt)
        wanted = [] if gpu is None else [TENSORRT, CUDA] if tensorrt else [CUDA]
        lacking = [p for p in wanted if p not in ort.get_available_providers()]
        options = _session_options(ort, context.threads, profile)
        session = None
        if wanted and not lacking:
            providers = [(provider, _options(provider, gpu or 0)) for provider in wanted]
            session = _gpu_session(ort, path, providers, options)
            got = session.get_providers() if session else []
            lacking = [provider for provider in wanted if provider not in got]
        if lacking and (tensorrt or context.device != "auto"):
            asked = "scorer.tensorrt=true" if tensorrt else f"device={context.device}"
            raise _refusal(ort, asked, lacking[0])
        on_gpu = bool(wanted) and not lacking
        if session is None or not on_gpu:
            session = _cpu_session(ort, path, options)
        self.device = f"cuda:{gpu}" if on_gpu else "cpu"
        self.providers: tuple[str, ...] = tuple(session.get_providers())
        self._session = session
        self._place = ("cuda", gpu) if on_gpu else ("cpu", 0)
        self._value = ort.OrtValue

    def end_profile(self) -> Path:
        """Close the log that was asked for by `profile`: a JSON file."""
        return Path(self._session.end_profiling())

    @property
    def inputs(self) -> dict[str, list[Any]]:
        """Name and shape of each input; a free axis has a name or None for a size."""
        return {value.name: value.shape for value in self._session.get_inputs()}

    @property
    def outputs(self) -> dict[str, list[Any]]:
        """Name and shape of each output."""
        return {value.name: value.shape for value in self._session.get_outputs()}

    @property
    def metadata(self) -> dict[str, str]:
        """What the file says of itself."""
        return dict(self._session.get_modelmeta().custom_metadata_map)

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Float32:
        """Run the graph; the inputs are put on its device and the output is fetched from there.

        Args:
            inputs: An array of float32 for each input.

        Returns:
            The first output.
        """
        binding = self._session.io_binding()
        for name, array in inputs.items():
            value = self._value.ortvalue_from_numpy(np.ascontiguousarray(array), *self._place)
            binding.bind_ortvalue_input(name, value)
        binding.bind_output(self._session.get_outputs()[0].name, *self._place)
        self._session.run_with_iobinding(binding)
        return np.asarray(binding.copy_outputs_to_cpu()[0], np.float32)


def _gpu(device: str, tensorrt: bool) -> int | None:
    """The number of the CUDA device to try; None for the CPU.

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
        return None
    return int(match[1] or 0)


def _options(provider: str, gpu: int) -> dict[str, str]:
    """The options of a provider."""
    if provider == TENSORRT:
        return {
            "device_id": str(gpu),
            "trt_engine_cache_enable": "1",  # building an engine takes minutes
            "trt_engine_cache_path": str(cache_folder() / "tensorrt"),
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
) -> Any:
    """A session with these providers, if it got them; None or a session without if not."""
    ort.set_default_logger_severity(_SILENT)
    try:
        with redirect_stdout(None):  # it prints what it does not find
            ort.preload_dlls()  # finds the CUDA libraries of PyTorch and of NVIDIA's packages
        return ort.InferenceSession(
            str(path),
            options,
            providers=[*providers, CPU],
            enable_fallback=0,
        )
    except Exception:  # a library is missing, or the file is bad, which the CPU tells better
        return None
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


def _refusal(ort: ModuleType, asked: str, provider: str) -> DeviceError:
    """The error for a provider that was not had; names what it lacks."""
    there = ort.get_available_providers()
    if provider not in there:
        return DeviceError(
            f"{asked} needs the {provider}, which the ONNX Runtime {ort.__version__} installed "
            f"here has not (it has {', '.join(there)})",
            f"Use device=cpu, or install the other build: {_INSTALL_GPU}",
        )
    folder = Path(str(ort.__file__)).parent / "capi"
    reason = "there is no such device, or its driver is too old"
    for library in sorted(folder.glob(f"*{_LIBRARIES[provider]}.*")):
        try:
            ctypes.CDLL(str(library))
        except OSError as error:
            reason = str(error)
    return DeviceError(
        f"{asked} needs the {provider}, which the ONNX Runtime {ort.__version__} installed here "
        f"cannot start: {reason}",
        f"Use device=cpu, or install the driver and the libraries: {_INSTALL_GPU}",
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
