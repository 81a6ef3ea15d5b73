"""Packages of the extras: tests that import one from here are skipped where it is not installed."""

from __future__ import annotations

from types import ModuleType

import pytest

_EXTRA = {"torch": "torch", "onnx": "torch", "onnxruntime": "cpu"}


def __getattr__(name: str) -> ModuleType:
    if name not in _EXTRA:
        raise AttributeError(name)
    found: ModuleType = pytest.importorskip(
        name, reason=f"needs the package {name}: asdkit[{_EXTRA[name]}]"
    )
    return found
