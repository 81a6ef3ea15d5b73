"""What to do, and what works now, where weights are not here and cannot be had."""

from __future__ import annotations

from ..component import KINDS, Component
from ..errors import AsdError, MissingWeightsError, one_line
from ..registry import registry
from ..weights import status


def without_weights(error: MissingWeightsError) -> list[str]:
    """Three lines: what is missing, how to get it, and what works now.

    Args:
        error: The error that tells of missing weights.
    """
    others = _others(error.name)
    instead = [f"{kind}={name}" for kind, name in others]
    if not {"embedder", "voice", "vad"} & {kind for kind, _ in others}:  # it leaves these alone
        instead.insert(0, "experiment=offline (which needs no weights)")
    lines = (
        f"The weights {error.name} are not here, and cannot be downloaded: {error.reason}",
        f"With a network: asd weights fetch {error.name}, here or elsewhere; a copy belongs in "
        f"{error.target}",
        f"What works now: {', '.join(instead)}",
    )
    return [one_line(line) for line in lines]


def _others(name: str) -> list[tuple[str, str]]:
    """By kind and name: what may take the place of the components that read these weights.

    That is none, or what has all the weights that it may read on this machine.
    """
    needing = [one for one in registry().components.values() if _reads(one, name)]
    kinds = [kind for kind in KINDS if kind in {one.kind for one in needing}]
    return [
        (kind, one.name)
        for kind in kinds
        for one in registry().of_kind(kind)
        if not _reads(one, name) and _are_here(one)
    ]


def _reads(component: Component, name: str) -> bool:
    return any(weights.name == name for weights in component.weights)


def _are_here(component: Component) -> bool:
    """Whether a component has published weights, all of them on this machine."""
    try:
        states = {status(weights).state for weights in component.weights}
    except AsdError:  # the folder ASDKIT_WEIGHTS cannot be read
        return False
    return component.name == "none" or (bool(states) and states <= {"ok", "unchecked"})
