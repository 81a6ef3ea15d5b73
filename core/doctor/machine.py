"""Looks at what a run gets from this machine: weights, GPUs, codecs and folders."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from ..config.options import RESULTS_FOLDER
from ..errors import PluginError, WeightsError, one_line
from ..installation import install_words
from ..lacking import is_there, lack_of
from ..registry import registry
from ..weights import cache_folder, given_folder, status
from .finding import Finding

_DECODERS = ("h264", "hevc", "av1", "vp9", "mpeg4", "aac", "opus", "mp3")
"""What most videos are made of."""
_NEEDED = ("h264", "aac")
"""What asdkit's own files are made of."""
_ENCODERS = ("libx264", "aac")
"""What asdkit writes with; see `core.media.encode` and `core.media.soundtrack`."""
_LEAST_FREE_BYTES = 1 << 30


def weights() -> Iterator[Finding]:
    """The published weights of asdkit's components: here, missing or damaged; in one line each."""
    try:
        given_folder()
        components = registry().components.values()
    except WeightsError as error:
        yield Finding("weights", "ASDKIT_WEIGHTS", error.what, "broken", error.hint)
        return
    except PluginError:  # told among the plugins
        return
    lacking = dict.fromkeys(
        lack.weights[0] for one in components if (lack := lack_of(one, "asdkit")).weights
    )
    for known in (one for component in components for one in component.weights):
        found = status(known)
        fetch = f"asd weights fetch {known.name}"
        if found.state == "missing":
            remedy = fetch if known.name in lacking else ""
            yield Finding("weights", known.name, "missing", "lacking", remedy)
        elif found.state == "damaged":
            remedy = f"remove {found.path}, then: {fetch}"
            yield Finding("weights", known.name, f"damaged: {found.fault}", "broken", remedy)
        else:
            yield Finding("weights", known.name, f"{found.state}: {found.path}")


def gpus() -> Iterator[Finding]:
    """What can compute on a GPU; imports PyTorch and ONNX Runtime if they are installed."""
    usable = []
    if is_there("torch"):
        yield from (usable := list(_of_torch()))
    if is_there("onnxruntime"):
        onnx = _of_onnxruntime()
        usable.append(onnx)
        yield onnx
    if cards := _nvidia_cards():
        idle = not any("CUDA" in one.said for one in usable)
        yield Finding(
            "GPU",
            "NVIDIA",
            cards + ("; nothing here computes on it" if idle else ""),
            "lacking" if idle else "ok",
            install_words("torch") + ", with a build of PyTorch for CUDA" if idle else "",
        )
    elif not usable:
        yield Finding("GPU", "none", "all runs on the CPU")


def _of_torch() -> Iterator[Finding]:
    """What PyTorch says of itself and its devices."""
    try:
        torch: Any = import_module("torch")
        if not torch.cuda.is_available():
            built = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "for CPUs"
            yield Finding("GPU", "PyTorch", f"{torch.__version__} {built}; there is no usable GPU")
            return
        for number in range(torch.cuda.device_count()):
            card = torch.cuda.get_device_properties(number)
            room = card.total_memory / (1 << 30)
            said = f"{torch.__version__} on CUDA: {card.name}, {room:.0f} GiB"
            yield Finding("GPU", f"PyTorch cuda:{number}", said)
    except Exception as error:  # a broken installation may raise anything
        remedy = f"python -m pip uninstall torch && {install_words('torch')}"
        yield Finding("GPU", "PyTorch", f"cannot be used: {_told(error)}", "lacking", remedy)


def _of_onnxruntime() -> Finding:
    """What ONNX Runtime says of itself and its devices."""
    try:
        runtime: Any = import_module("onnxruntime")
        providers = [one.removesuffix("ExecutionProvider") for one in _providers(runtime)]
    except Exception as error:
        remedy = f"python -m pip uninstall onnxruntime && {install_words('cpu')}"
        said = f"cannot be used: {_told(error)}"
        return Finding("GPU", "ONNX Runtime", said, "lacking", remedy)
    return Finding("GPU", "ONNX Runtime", f"{runtime.__version__}, runs on {', '.join(providers)}")


def _providers(runtime: Any) -> list[str]:
    """The providers of ONNX Runtime that compute here; Azure's would ask a server."""
    return [one for one in runtime.get_available_providers() if not one.startswith("Azure")]


def _nvidia_cards() -> str:
    """The GPUs that NVIDIA's driver knows; empty if there is no driver."""
    program = shutil.which("nvidia-smi")
    if not program:
        return ""
    command = [program, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return "; ".join(done.stdout.split("\n")).strip("; ")


def codecs() -> Iterator[Finding]:
    """The decoders and encoders of the FFmpeg libraries that PyAV brings."""
    try:
        av: Any = import_module("av")
        versions = av.library_versions
    except Exception as error:
        remedy = "python -m pip install --force-reinstall av"
        yield Finding("codecs", "PyAV", f"cannot be used: {_told(error)}", "broken", remedy)
        return
    numbers = (f"{name} {'.'.join(map(str, one))}" for name, one in sorted(versions.items()))
    chosen = [one for one in numbers if one.startswith(("libavcodec", "libavformat"))]
    yield Finding("codecs", "PyAV", f"{av.__version__}, {', '.join(chosen)}")
    for mode, what, wanted, needed in (
        ("r", "reads", _DECODERS, _NEEDED),
        ("w", "writes", _ENCODERS, _ENCODERS),
    ):
        lost = [name for name in wanted if not _has_codec(av, name, mode)]
        there = ", ".join(name for name in wanted if name not in lost)
        yield Finding(
            "codecs",
            what,
            f"{there}{f'; not {chr(44).join(lost)}' if lost else ''}",
            "broken" if set(lost) & set(needed) else "lacking" if lost else "ok",
            "python -m pip install --force-reinstall --only-binary av av" if lost else "",
        )


def _has_codec(av: Any, name: str, mode: str) -> bool:
    try:
        av.Codec(name, mode)
    except ValueError:  # of which UnknownCodecError is one
        return False
    return True


def folders() -> Iterator[Finding]:
    """The folders that asdkit writes into: whether it can, and how much room there is."""
    advice = {
        "cache": "set ASDKIT_CACHE to a folder that can be written",
        "results": "give another folder, as in: asd run FILE output=FOLDER",
    }
    for name, folder in (("cache", cache_folder()), ("results", Path(RESULTS_FOLDER).absolute())):
        there = next(one for one in (folder, *folder.parents) if one.exists())
        free = shutil.disk_usage(there).free
        fault = ""
        if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
            fault = ", which cannot be written"
        elif free < _LEAST_FREE_BYTES:
            fault = ", which is nearly full"
        yield Finding(
            "folders",
            name,
            f"{folder}{fault}, {free / (1 << 30):.1f} GiB free",
            "lacking" if fault else "ok",
            advice[name] if fault else "",
        )


def _told(error: Exception) -> str:
    return one_line(f"{type(error).__name__}: {error}")
