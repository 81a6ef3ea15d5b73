"""Loads TalkNet: which weights, for which runtime, on which device."""

from __future__ import annotations

from pathlib import Path

from ....core.bundle import Bundle, find_bundle
from ....core.components import Context
from ....core.errors import ConfigError, WeightsError
from ....core.weights import Weights, locate
from ...torch_support import import_torch, pick_device, set_threads
from .scorer import Runtime, TalkNet, TalkNetConfig
from .tensors import MODEL

TALKSET = Weights(
    name="talknet_talkset",
    url=(
        "https://github.com/Namadgi/TalkNet-ASD/raw/"
        "12a30910be6c67f5e3a0e3cf1c1b9616227a0804/pretrain_TalkSet.model"
    ),
    published="pretrain_TalkSet.model",
    check="git:edb89e987f9f47ab277a7c116574da32c9400f16",
    size_bytes=None,
    licence="MIT",
)
AVA = Weights(
    name="talknet_ava",
    url=(
        "https://drive.usercontent.google.com/download"
        "?id=1NVIkksrD3zbxbDuDbPc_846bLfPSZcZm&export=download&confirm=t"
    ),
    published="pretrain_AVA.model",
    check="",
    size_bytes=None,
    licence="MIT",
)
PUBLISHED = {"talkset": TALKSET, "ava": AVA}


def build(config: TalkNetConfig, context: Context) -> TalkNet:
    """Load TalkNet onto the device asked for.

    Raises:
        MissingExtraError: PyTorch, or ONNX Runtime, is not installed.
        DeviceError: The device asked for is not there.
        WeightsError: The weights are missing, damaged, of another model or for another runtime.
        ConfigError: TensorRT is asked for with PyTorch.
    """
    onnx = _onnx_path(config)
    if onnx is not None:
        runtime = _onnx_runtime(onnx, config, context)
    elif config.tensorrt:
        raise ConfigError(
            "scorer.tensorrt=true needs ONNX Runtime, but these weights are run by PyTorch",
            "Use scorer=talknet_onnx",
        )
    else:
        runtime = _torch_runtime(config, context)
    return TalkNet(runtime, config.window_seconds)


def checkpoint_path(config: TalkNetConfig) -> Path:
    """The file that the weights name, downloaded if need be.

    Raises:
        WeightsError: It cannot be had.
    """
    if config.weights in PUBLISHED:
        return locate(PUBLISHED[config.weights])
    try:
        return Path(config.weights).expanduser()
    except RuntimeError as error:  # no such home
        raise WeightsError(f"There is no folder for {config.weights}: {error}") from error


def is_onnx_path(path: Path) -> bool:
    """Whether weights are for ONNX Runtime: a folder, or a file named `.onnx`.

    Raises:
        WeightsError: It may not be looked at.
    """
    try:
        return path.suffix.lower() == ".onnx" or path.is_dir()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}") from error


def _onnx_path(config: TalkNetConfig) -> Path | None:
    """The bundle or the model to run by ONNX Runtime; None to run a checkpoint by PyTorch."""
    if config.weights in PUBLISHED:
        return find_bundle(MODEL, config.weights) if config.runtime == "onnx" else None
    path = checkpoint_path(config)
    is_onnx = is_onnx_path(path)
    if is_onnx and config.runtime == "torch":
        raise WeightsError(
            f"{path} is for ONNX Runtime, but scorer.runtime=torch was asked for",
            "Use scorer.runtime=onnx, or give a checkpoint",
        )
    if config.runtime == "onnx" and not is_onnx:
        if not path.exists():
            raise _nowhere(path)
        raise WeightsError(
            f"{path} is neither a bundle nor an ONNX model",
            f"If it is a checkpoint: asd export scorer={MODEL} scorer.weights={path} output=DIR, "
            "and then scorer.weights=DIR",
        )
    return path if is_onnx else None


def _nowhere(path: Path) -> WeightsError:
    return WeightsError(
        f"There is no bundle and no ONNX model {path}",
        f"Make a bundle with: asd export scorer={MODEL} output=DIR",
    )


def _onnx_runtime(path: Path, config: TalkNetConfig, context: Context) -> Runtime:
    from .onnx_runtime import SplitRuntime, WholeRuntime

    if path.is_dir():
        return SplitRuntime(Bundle(path), context, config.tensorrt, config.batch_frames)
    if not path.is_file():
        raise _nowhere(path)
    return WholeRuntime(path, context, config.tensorrt, config.batch_frames)


def _torch_runtime(config: TalkNetConfig, context: Context) -> Runtime:
    import_torch("scorer=talknet", instead="scorer=talknet_onnx")
    device = pick_device(context.device)
    set_threads(context.threads)
    from .checkpoint import read_network
    from .torch_runtime import TorchRuntime

    return TorchRuntime(read_network(checkpoint_path(config)), device, config.batch_frames)
