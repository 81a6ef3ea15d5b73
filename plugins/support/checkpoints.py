"""Loads checkpoints of PyTorch; the error for one that does not fit is a single line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ...core.errors import WeightsError

_NAMES_SHOWN = 3


def load_checkpoint(
    network: nn.Module, path: Path, called: str, hint: str, prefix: str = ""
) -> None:
    """Load the weights of a file into a network; the keys must match exactly.

    Args:
        network: The network, on the CPU.
        path: A checkpoint: a mapping of names to tensors, including the keys of training heads.
        called: Name of the network for errors, such as "TalkNet".
        hint: Hint of the errors.
        prefix: What keys of the file may begin with beside their name.

    Raises:
        WeightsError: The file is missing, unreadable or of another network, or holds invalid
            weights: tensors without data, complex numbers, NaN or infinity.
    """
    if not path.is_file():
        raise WeightsError(f"There is no file of weights {path}", hint)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged files make torch.load raise nearly anything
        raise WeightsError(
            f"{path} is damaged or not a PyTorch checkpoint ({type(error).__name__})", hint
        ) from error
    if prefix and isinstance(state, Mapping):
        state = {str(key).removeprefix(prefix): value for key, value in state.items()}
    differences = _differences(network.state_dict(), state)
    if differences:
        raise WeightsError(f"{path} is no checkpoint of {called}: {'; '.join(differences)}", hint)
    wanted = network.state_dict()
    wrong = [(key, fault) for key in wanted if (fault := _fault(state[key], wanted[key]))]
    if wrong:
        key, fault = wrong[0]
        more = f", and {len(wrong) - 1} more like it" if len(wrong) > 1 else ""
        raise WeightsError(f"{path} has no usable weights: {key} {fault}{more}", hint)
    network.load_state_dict(state)


def _fault(found: Any, wanted: torch.Tensor) -> str:
    """Why a value of a checkpoint is not valid weights of this type; empty if it is."""
    if not isinstance(found, torch.Tensor):
        return f"is a {type(found).__name__} instead of a tensor"
    if found.is_meta:
        return "is a tensor without data"
    if found.layout != torch.strided or found.is_quantized:
        return "is a sparse or quantised tensor"
    if found.is_complex() or (wanted.is_floating_point() and not found.is_floating_point()):
        return f"holds {str(found.dtype).removeprefix('torch.')} instead of real numbers"
    if wanted.is_floating_point() and not found.to(wanted.dtype).isfinite().all():
        return "holds values that are NaN, infinite or too large for float32"
    return ""


def _differences(wanted: Mapping[str, torch.Tensor], state: Any) -> list[str]:
    """The missing, unexpected and wrongly shaped keys, in words; empty if all keys match."""
    if not isinstance(state, Mapping):
        return [f"it holds a {type(state).__name__} instead of named tensors"]
    shapes = {str(key): getattr(value, "shape", None) for key, value in state.items()}
    other_shape = (
        key for key, value in wanted.items() if key in shapes and shapes[key] != value.shape
    )
    found = {
        "missing": _listed(key for key in wanted if key not in shapes),
        "unexpected": _listed(key for key in shapes if key not in wanted),
        "of another shape": _listed(other_shape),
    }
    return [f"{names[0]} {what} ({names[1]})" for what, names in found.items() if names[0]]


def _listed(keys: Iterable[str]) -> tuple[int, str]:
    """The number of keys, and the first few names."""
    names = list(keys)
    rest = ", ..." if len(names) > _NAMES_SHOWN else ""
    return len(names), ", ".join(names[:_NAMES_SHOWN]) + rest
