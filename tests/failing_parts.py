"""A stranger's package with a component of each kind, which can be made to fail in any way."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest
from strangers import package

from asdkit.core.registry import registry

MOODY = """
from dataclasses import dataclass

import asdkit

KINDS = "cutter detector tracker scorer context embedder vad voice writer dataset".split()


@dataclass(frozen=True)
class Config:
    \"\"\"No parameters.\"\"\"

    def __post_init__(self):
        \"\"\"Refuse nothing.\"\"\"


class Part:
    \"\"\"A component of every kind; a test says what it does.\"\"\"

    def says(self, *asked):
        raise NotImplementedError

    def answer(self, *asked):
        return self.says(*asked)

    starts_shot = detect = update = flush = score = rescore = embed = answer
    speech = write = videos = answer


def build(config, context):
    return made()


made = Part


@asdkit.hookimpl
def asdkit_components():
    files = {"writer": ("moody.txt",)}
    return [asdkit.Component(k, "moody", Config, build, files=files.get(k, ())) for k in KINDS]
"""


def installed_in(site: Path) -> Iterator[ModuleType]:
    """Have the package be found in a folder, as an installed one is; yields its module."""
    package(site, "moody_parts", MOODY)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        registry.cache_clear()
        registry()
        yield importlib.import_module("moody_parts")
    registry.cache_clear()


def raises(error: BaseException) -> Callable[..., NoReturn]:
    """A function that fails, whatever it is called with."""

    def says(*_: object) -> NoReturn:
        raise error

    return says
