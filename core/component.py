"""What a component is: its kinds, what it is built for, how a plugin describes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from .exportable import Exportable
from .weights import Weights

RUN_KINDS = ("cutter", "detector", "tracker", "scorer", "embedder", "vad")
"""The kinds of components of which a run has one each, chosen by `kind=name`."""
KINDS = (*RUN_KINDS, "writer", "dataset")
"""All kinds of components."""
PRESET_KINDS = (*(kind for kind in KINDS if kind != "writer"), "experiment")
"""Folders of presets: those of one kind each, and those of everything."""


@dataclass(frozen=True)
class Context:
    """What a component may want to know of the run it is built for.

    Attributes:
        device: "auto", "cpu", "cuda" or "cuda:N", as the user asked.
        threads: CPU threads to use; None for the library's own choice.
        detect_every: Faces are looked for on every so many grid frames.
    """

    device: str = "auto"
    threads: int | None = None
    detect_every: int = 1


class Settled(NamedTuple):
    """A scorer's parameters with nothing left open.

    Attributes:
        config: The parameters.
        calibration: The file of the calibration that ships for its weights; None if none does.
            It is used only with the parameters it was fitted with.
    """

    config: Any
    calibration: Path | None


@dataclass(frozen=True)
class Component:
    """One part of a run that a user can choose, such as a detector.

    Attributes:
        kind: One of `KINDS`.
        name: What a user writes: `detector=yunet`.
        config: A dataclass: every parameter with its type and default, the unit in its name. It
            may raise ValueError in `__post_init__`, naming the parameter.
        build: Makes the component from an instance of `config` and a `Context`; imports what is
            heavy only then.
        weights: The published weights it can load, for `asd weights`.
        files: Writers only: the files it writes, relative to the output folder.
        export: Scorers only: makes the network ready for `asd export` from an instance of
            `config`; None if it has none.
        settle: Scorers only: fills in what an instance of `config` leaves to the weights, and
            finds the calibration that ships for them; None if nothing is left and none ships. It
            never fails: what is wrong with weights is said by `build`.
    """

    kind: str
    name: str
    config: type
    build: Callable[[Any, Context], Any]
    weights: tuple[Weights, ...] = ()
    files: tuple[str, ...] = ()
    export: Callable[[Any], Exportable] | None = None
    settle: Callable[[Any], Settled] | None = None
