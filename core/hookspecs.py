"""The one hook through which every component, asdkit's own included, is found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from .components import Component

PROJECT = "asdkit"
"""Name of the pluggy project and of the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def asdkit_components() -> Iterable[Component]:  # type: ignore[empty-body]
    """Name the components of this plugin.

    Called once, before the command line is read; heavy imports belong into each component's
    `build`, not here.

    Returns:
        The components, any number of any kind.

    Example:
        >>> @asdkit.hookimpl
        ... def asdkit_components():
        ...     return [asdkit.Component("detector", "acme", AcmeConfig, build_acme)]
    """
