"""Components: their kinds, the context they are built in, and how a plugin describes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from .exportable import Exportable
from .trainable import Trainable
from .weights import Weights

PASS_KINDS = ("cutter", "detector", "tracker", "scorer", "embedder", "vad")
"""The kinds of components that the pass over a video uses, one each."""
RUN_KINDS = (*PASS_KINDS, "context", "voice")
"""The kinds of components of which a run has one each, chosen by `kind=name`."""
KINDS = (*RUN_KINDS, "writer", "dataset")
"""All kinds of components."""
PRESET_KINDS = (*(kind for kind in KINDS if kind != "writer"), "experiment")
"""Folders of presets: one folder per kind, and `experiment` for presets of several kinds."""


CALIBRATION = "calibration"
"""A parameter of every scorer: the calibration file, as made by `asd calibrate`."""


class BuiltMember(NamedTuple):
    """A component that another one is made of, built.

    Attributes:
        in_words: The component in words, for errors, such as "scorer=lr_asd (asdkit 0.1.0)".
        part: What its `build` returned.
    """

    in_words: str
    part: Any


@dataclass(frozen=True)
class Context:
    """Settings of a run that a component may use when it is built.

    Attributes:
        device: "auto", "cpu", "cuda" or "cuda:N", as the user asked.
        threads: CPU threads to use; None for the library's own choice.
        detect_every: The detector runs on one grid frame in so many; with `detect_every=auto`, on
            at least one in so many, and on as many more as the faces' motion asks for.
        members: What the component's `members` names, built, in the same order.
    """

    device: str = "auto"
    threads: int | None = None
    detect_every: int = 1
    members: tuple[BuiltMember, ...] = ()


class Member(NamedTuple):
    """A component that another one is made of.

    Attributes:
        kind: One of `KINDS`.
        name: Its name, or that of a preset for it.
        parameters: By name: those of its parameters that are not to have their defaults.
        called: The option and the value by which the user chose it, for errors, such as
            "scorer.of: lr_asd:ava"; empty if the user did not.
    """

    kind: str
    name: str
    parameters: Mapping[str, Any] = {}
    called: str = ""


class Settled(NamedTuple):
    """A scorer's parameters with those filled in that depend on its weights.

    Attributes:
        config: The parameters.
        calibrations: The files of the calibrations shipped for the scorer's weights. The one is
            used that was fitted with these parameters and with the context chosen, if any was.
    """

    config: Any
    calibrations: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Component:
    """One part of a run that a user can choose, such as a detector.

    Attributes:
        kind: One of `KINDS`.
        name: What a user writes: `detector=yunet`; letters, digits, - and _.
        config: A dataclass: every parameter with its type and default, the unit in its name. It
            may raise ValueError in `__post_init__`, naming the parameter.
        build: Builds the component from an instance of `config` and a `Context`; heavy imports
            belong here.
        weights: The published weights it can load, for `asd weights`.
        files: Writers only: all files it writes, relative to the output folder and within it,
            with / between parts. A name with `*`, `?` or `[` stands for all files that match it
            (`pathlib.Path.glob`). What is there of all installed writers' files is removed by
            `overwrite=true`, so patterns must match no file of others: they hold no `**`, their
            last part has three letters or digits in a row besides wildcards (before its suffix,
            unless it is in a folder), and of several parts the first has no wildcard. None is in
            the folder `incomplete`. A file that is written and is not among them is an error.
        export: Scorers only: prepares the network for `asd export` from an instance of `config`;
            None if the scorer cannot be exported.
        trainable: Scorers only: prepares the network for `asd train` from an instance of `config`;
            with True as second argument its weights are drawn at random (PyTorch's generator is
            seeded before), else they are those of the config. None if the scorer is not trained.
        settle: Scorers only: fills in those parameters of an instance of `config` that depend on
            the weights, and finds the calibrations shipped for them; None if there are neither. It
            never raises: `build` reports errors of the weights.
        members: Names the components that this one is made of, from an instance of `config`: they
            are built before it, as if chosen on their own, without a calibration, and are in
            `Context.members`; None if it is made of none.
        shifts: Scorers only: whether what is built is a `ShiftingScorer`, for `sync`.
        variant: The parameter that `NAME@VALUE` sets where `NAME` may stand, as in
            `scorer=lr_asd@ava`. What has no such parameter has no variants.
        about: What it is, in a few words on one line, for `asd plugins` and the help.
        needs: The modules that it imports with its default parameters and that come with an extra
            of its package, such as "torch".
        needs_video: Writers only: whether it shows, plays or names the file of the video; a live
            session has none.
    """

    kind: str
    name: str
    config: type
    build: Callable[[Any, Context], Any]
    weights: tuple[Weights, ...] = ()
    files: tuple[str, ...] = ()
    export: Callable[[Any], Exportable] | None = None
    trainable: Callable[[Any, bool], Trainable] | None = None
    settle: Callable[[Any], Settled] | None = None
    members: Callable[[Any], Sequence[Member]] | None = None
    shifts: bool = False
    variant: str = "weights"
    about: str = ""
    needs: tuple[str, ...] = ()
    needs_video: bool = False
