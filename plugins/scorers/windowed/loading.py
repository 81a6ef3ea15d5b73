"""Loads a model: chooses its weights, runtime and device."""

from __future__ import annotations

from pathlib import Path

from ....core.bundle import Bundle, find_bundle
from ....core.component import Context
from ....core.errors import ConfigError, WeightsError
from ....core.weights import chosen_path
from ...support.pytorch import import_torch, pick_device, set_threads
from .config import WindowedConfig
from .model import Model
from .scorer import Runtime, WindowedScorer
from .settling import published_name, windows_of


def build(model: Model, config: WindowedConfig, context: Context) -> WindowedScorer:
    """Load a model onto the requested device.

    Raises:
        MissingExtraError: PyTorch, or ONNX Runtime, is not installed.
        DeviceError: The requested device does not exist.
        WeightsError: The weights are missing, damaged, of another model or for another runtime.
        ConfigError: TensorRT is requested, but the weights are run by PyTorch.
    """
    onnx = _onnx_path(model, config)
    if onnx is not None:
        runtime = _onnx_runtime(model, onnx, config, context)
    elif config.tensorrt:
        raise ConfigError(
            "scorer.tensorrt=true needs ONNX Runtime, but these weights are run by PyTorch",
            f"Use scorer={model.name}_onnx",
        )
    else:
        runtime = _torch_runtime(model, config, context)
    refuses = published_name(model, config.weights) in model.refuses
    early_s = model.sound_early_s if refuses else 0.0
    windows = windows_of(model, config)
    return WindowedScorer(runtime, windows, refuses=refuses, sound_early_s=early_s)


def is_onnx_path(path: Path) -> bool:
    """Whether weights are for ONNX Runtime: a folder, or a file named `.onnx`.

    Raises:
        WeightsError: The path cannot be accessed.
    """
    try:
        return path.suffix.lower() == ".onnx" or path.is_dir()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}") from error


def _onnx_path(model: Model, config: WindowedConfig) -> Path | None:
    """The bundle or the model to run by ONNX Runtime; None to run a checkpoint by PyTorch."""
    if config.weights in model.published:
        return find_bundle(model.name, config.weights) if config.runtime == "onnx" else None
    path = chosen_path(model.published, config.weights)
    is_onnx = is_onnx_path(path)
    if is_onnx and config.runtime == "torch":
        raise WeightsError(
            f"{path} is for ONNX Runtime, but scorer.runtime=torch was asked for",
            "Use scorer.runtime=onnx, or give a checkpoint",
        )
    if config.runtime == "onnx" and not is_onnx:
        if not path.exists():
            raise _nowhere(model, path)
        raise WeightsError(
            f"{path} is neither a bundle nor an ONNX model",
            f"If it is a checkpoint: asd export scorer={model.name} scorer.weights={path} "
            "output=DIR, and then give DIR instead",
        )
    return path if is_onnx else None


def _nowhere(model: Model, path: Path) -> WeightsError:
    return WeightsError(
        f"There is no bundle and no ONNX model {path}",
        f"Make a bundle with: asd export scorer={model.name} output=DIR",
    )


def _onnx_runtime(model: Model, path: Path, config: WindowedConfig, context: Context) -> Runtime:
    from .onnx_runtime import SplitRuntime, WholeRuntime

    if path.is_dir():
        return SplitRuntime(model, Bundle(path), config, context)
    if not path.is_file():
        raise _nowhere(model, path)
    return WholeRuntime(model, path, config, context)


def _torch_runtime(model: Model, config: WindowedConfig, context: Context) -> Runtime:
    import_torch(f"scorer={model.name}", instead=f"{model.name}_onnx")
    device = pick_device(context.device)
    set_threads(context.threads)
    from .checkpoint import read_network
    from .torch_runtime import TorchRuntime

    network = read_network(model, chosen_path(model.published, config.weights))
    return TorchRuntime(network, model.sharing, device, config.batch_frames, model.parts)
