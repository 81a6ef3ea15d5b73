"""Checks what a plugin says of a component, before anything is done with it."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from omegaconf import OmegaConf

from .component import CALIBRATION, KINDS, Component
from .file_patterns import fault_of
from .weights import Weights

_NAME = re.compile(r"\w[\w-]*")
"""A component's name: a word on the command line, and a key of the configuration."""

LONGEST_ABOUT = 80
"""Most characters of `Component.about`."""


def check_component(component: Any) -> None:
    """Check that a component can be chosen, configured and built.

    Its parameters become options of the command, together with those of all other components: if
    they could not, no command would work any more.

    Raises:
        TypeError: It is no `Component`.
        ValueError: It is of no kind, or one of its fields is not what `Component` says.
    """
    if not isinstance(component, Component):
        raise TypeError(f"asdkit_components returned {component!r}, which is no asdkit.Component")
    if component.kind not in KINDS:
        raise ValueError(
            f"{(component.kind, component.name)} is of no kind of component; there are "
            f"{', '.join(KINDS)}"
        )
    if not isinstance(component.name, str) or not _NAME.fullmatch(component.name):
        raise ValueError(
            f"the name of a {component.kind} must be letters, digits, - and _, but is "
            f"{component.name!r}"
        )
    where = f"{component.kind}={component.name}"
    for function in ("build", "export", "trainable", "settle", "members"):
        value = getattr(component, function)
        if not callable(value) and (value is not None or function == "build"):
            raise ValueError(f"{where}: {function} must be a function, but is {value!r}")
    _check_config(where, component)
    _check_variant(where, component)
    _check_about(where, component.about)
    _check_tuple(f"{where}: needs", component.needs, str)
    _check_tuple(f"{where}: weights", component.weights, Weights)
    _check_tuple(f"{where}: files", component.files, str)
    for name in component.files:
        if fault := fault_of(name):
            raise ValueError(f"{where}: {fault}")


def _check_about(where: str, about: Any) -> None:
    if not isinstance(about, str) or len(about) > LONGEST_ABOUT or not about.isprintable():
        raise ValueError(
            f"{where}: about must be one line of at most {LONGEST_ABOUT} characters, but is "
            f"{about!r}"
        )


def _check_config(where: str, component: Component) -> None:
    config = component.config
    if not isinstance(config, type) or not dataclasses.is_dataclass(config):
        raise ValueError(f"{where}: config must be a dataclass, but is {config!r}")
    taken = {"name", CALIBRATION} if component.kind == "scorer" else {"name"}
    if twice := taken.intersection(entry.name for entry in dataclasses.fields(config)):
        raise ValueError(
            f"{where}: {config.__name__} has a field {min(twice)}, which every {component.kind} "
            "has already"
        )
    try:
        OmegaConf.structured(config)
    except Exception as error:  # annotations and defaults are a stranger's code
        reason, _, _ = str(error).partition("\n")  # the rest repeats keys and types
        raise ValueError(
            f"{where}: {config.__name__} cannot be made options: {type(error).__name__}: {reason}"
        ) from error


def _check_variant(where: str, component: Component) -> None:
    named = [entry.name for entry in dataclasses.fields(component.config)]
    if component.variant not in (*named, Component.variant):
        raise ValueError(
            f"{where}: variant must name a parameter of {component.config.__name__}, but is "
            f"{component.variant!r}"
        )


def _check_tuple(what: str, values: Any, kind: type) -> None:
    if not isinstance(values, tuple) or not all(isinstance(value, kind) for value in values):
        raise ValueError(f"{what} must be a tuple of {kind.__name__}, but is {values!r}")
