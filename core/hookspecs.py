"""The pluggy hooks that provide all components, including asdkit's own, and presets."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from .component import Component

PROJECT = "asdkit"
"""Name of the pluggy project and of the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def asdkit_components() -> Iterable[Component]:  # type: ignore[empty-body]
    """Return the components of this plugin.

    Called once, before the command line is parsed; heavy imports belong in each component's
    `build`, not here.

    Returns:
        The components, any number of any kind.

    Example:
        >>> @asdkit.hookimpl
        ... def asdkit_components():
        ...     return [asdkit.Component("detector", "acme", AcmeConfig, build_acme)]
    """


@hookspec
def asdkit_presets() -> Path:  # type: ignore[empty-body]
    """Return the folder of this plugin's presets, YAML files like those in asdkit's conf/.

    Called once, before the command line is parsed. `detector/acme_far.yaml` in that folder is
    chosen by `detector=acme_far`, `experiment/acme.yaml` by `experiment=acme`.

    Returns:
        The folder; it holds at least one preset.

    Example:
        >>> @asdkit.hookimpl
        ... def asdkit_presets():
        ...     return Path(__file__).parent / "conf"
    """
