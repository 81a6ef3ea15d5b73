"""Creates sessions of ONNX Runtime on the requested device."""

from __future__ import annotations

import ctypes
import re
from contextlib import redirect_stdout, suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from ...core.component import Context
from ...core.device import read_device
from ...core.errors import DeviceError, MissingExtraError, OutputError, WeightsError
from ...core.installation import install_words
from ...core.weights import cache_folder

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
_LIBRARIES = {CUDA: "onnxruntime_providers_cuda", TENSORRT: "onnxruntime_providers_tensorrt"}
_WARNINGS, _SILENT = 2, 4
"""Log levels of ONNX Runtime: its default, and fatal errors only."""


def import_onnxruntime(needed_by: str, instead: str = "") -> ModuleType:
    """Import the module `onnxruntime`.

    Args:
        needed_by: The option that needs it, such as "scorer=talknet_onnx".
        instead: An alternative without it, such as "scorer=talknet".

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError(needed_by, "onnxruntime", "cpu", instead) from error
    module: ModuleType = onnxruntime
    return module


def check_device(context: Context) -> None:
    """Check that the installed ONNX Runtime supports a device, before anything is loaded.

    Raises:
        DeviceError: It does not.
    """
    ort = import_onnxruntime(f"device={context.device}")
    _, wanted = _wanted(context.device, tensorrt=False)
    for provider in wanted:
        if context.device != "auto" and provider not in ort.get_available_providers():
            raise _refusal(ort, _asked(context.device, tensorrt=False), provider, None)


def start_session(
    path: Path,
    context: Context,
    tensorrt: bool = False,
    profile: Path | None = None,
    content: bytes | None = None,
) -> tuple[Any, int | None]:
    """Create a session; arguments and errors are as for `plugins.support.onnx.OnnxSession`.

    Returns:
        The session, and the number of the CUDA device it runs on, or None for the CPU.
    """
    ort = import_onnxruntime(str(path))
    graph = str(path) if content is None else content
    gpu, wanted = _wanted(context.device, tensorrt)
    lacking = [provider for provider in wanted if provider not in ort.get_available_providers()]
    options = _session_options(ort, context.threads, profile)
    failure: Exception | None = None
    if wanted and not lacking:
        providers = [(provider, _options(provider, gpu)) for provider in wanted]
        session, failure = _gpu_session(ort, graph, providers, options)
        got = session.get_providers() if session else []
        lacking = [provider for provider in wanted if provider not in got]
        if not lacking:
            return session, gpu
    session = _cpu_session(ort, path, graph, options)  # raises if the file itself is invalid
    if lacking and (tensorrt or context.device != "auto"):
        raise _refusal(ort, _asked(context.device, tensorrt), lacking[0], failure) from failure
    return session, None


def _wanted(device: str, tensorrt: bool) -> tuple[int, list[str]]:
    """The number of the CUDA device to try, and the providers; no providers for the CPU.

    Raises:
        DeviceError: The name is unknown, or TensorRT is requested on the CPU.
    """
    known = read_device(device)
    if known is None:
        raise DeviceError(
            f"device={device} is not a device asdkit knows",
            "Use device=auto, device=cpu, device=cuda or device=cuda:N",
        )
    if known[0] == "cpu":
        if tensorrt:
            raise DeviceError(
                "TensorRT runs on CUDA, but device=cpu was asked for",
                "Use device=cuda, or scorer.tensorrt=false",
            )
        return 0, []
    return known[1], [TENSORRT, CUDA] if tensorrt else [CUDA]


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
        "use_tf32": "0",  # TF32's 10 bits of mantissa change logits by more than 1e-3
        "cudnn_conv_algo_search": "HEURISTIC",  # the default searches again for each batch size
    }


def _cpu_session(ort: ModuleType, path: Path, graph: str | bytes, options: Any) -> Any:
    """Create a session on the CPU.

    Args:
        ort: The module `onnxruntime`.
        path: The file, for errors.
        graph: What to load: a path, or the content of a file.
        options: Options of the session.

    Raises:
        WeightsError: The installed ONNX Runtime cannot run the file.
    """
    _share_memory()
    options.add_session_config_entry("session.use_env_allocators", "1")
    # A pattern is one more block of memory for each size of the inputs, beside what the first run
    # of that size took; without it nothing is slower.
    options.enable_mem_pattern = False
    try:
        return ort.InferenceSession(graph, options, providers=[CPU])
    except Exception as error:  # ONNX Runtime's exceptions have no other common base
        raise WeightsError(
            f"ONNX Runtime {ort.__version__} cannot run {path}: {reason_of(error)}",
            "Export it with asd export, with a lower opset if this version is old, or install a "
            "newer onnxruntime",
        ) from error


@cache
def _share_memory() -> None:
    """Set up memory that all sessions of the process take theirs from, if told to.

    Otherwise each graph would keep for itself what its largest input took.
    """
    ort = import_onnxruntime("sharing memory")
    where = ort.OrtMemoryInfo(
        "Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT
    )
    with suppress(Exception):  # if the program around has set it up already, that is used
        ort.create_and_register_allocator(where, None)


def _gpu_session(
    ort: ModuleType, graph: str | bytes, providers: list[tuple[str, dict[str, str]]], options: Any
) -> tuple[Any, Exception | None]:
    """Create a session with as many of these providers as work; if it fails, None and the error.

    Meanwhile, the log level and stdout are changed for the whole process.
    """
    ort.set_default_logger_severity(_SILENT)
    try:
        with redirect_stdout(None):  # it prints the libraries it does not find
            ort.preload_dlls()  # finds the CUDA libraries of PyTorch and of NVIDIA's packages
        return ort.InferenceSession(
            graph, options, providers=[*providers, CPU], enable_fallback=0
        ), None
    except Exception as error:  # ONNX Runtime's exceptions have no other common base
        return None, error
    finally:
        ort.set_default_logger_severity(_WARNINGS)


def _session_options(ort: ModuleType, threads: int | None, profile: Path | None) -> Any:
    options = ort.SessionOptions()
    options.log_severity_level = _SILENT  # failures are reported by exceptions
    # By default threads keep their cores busy while they wait, which takes them from the decoder
    # and from other sessions: a run then takes half as much time again.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if threads is not None:
        options.intra_op_num_threads = threads
    if profile is not None:
        options.enable_profiling = True
        options.profile_file_prefix = str(profile / "profile")
    return options


def reason_of(error: Exception) -> str:
    """The message of an ONNX Runtime error, without source location and path."""
    text = " ".join(str(error).split())
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", text)
    text = re.sub(r"^Load model from .*? failed: ?", "", text)
    return re.sub(r"^/\S+:\d+ .*?\) (?=[A-Z])", "", text)


def _install_gpu() -> str:
    """The command that puts the build of ONNX Runtime for GPUs in place of the other one."""
    return f"pip uninstall --yes onnxruntime && {install_words('gpu')}"


def _refusal(ort: ModuleType, asked: str, provider: str, failure: Exception | None) -> DeviceError:
    """The error for a provider that is unavailable or fails; names what it lacks."""
    there = ort.get_available_providers()
    installed = f"the ONNX Runtime {ort.__version__} installed here"
    instead = "scorer.tensorrt=false" if provider == TENSORRT else "device=cpu"
    if provider not in there:
        return DeviceError(
            f"{asked} needs the {provider}, which {installed} has not (it has {', '.join(there)})",
            f"Use {instead}, or install the other build: {_install_gpu()}",
        )
    folder = Path(str(ort.__file__)).parent / "capi"
    reason = reason_of(failure) if failure else "there is no such device, or its driver is too old"
    for library in sorted(folder.glob(f"*{_LIBRARIES[provider]}.*")):
        try:
            ctypes.CDLL(str(library))
        except OSError as error:
            reason = str(error)
    libraries = "NVIDIA's TensorRT" if provider == TENSORRT else f"the libraries: {_install_gpu()}"
    return DeviceError(
        f"{asked} needs the {provider}, which {installed} cannot start: {reason}",
        f"Use {instead}, or install the driver and {libraries}",
    )
