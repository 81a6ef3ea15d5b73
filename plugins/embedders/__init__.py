"""The embedders that come with asdkit."""

from ...core.components import Component
from ...core.hookspecs import hookimpl
from . import none


@hookimpl
def asdkit_components() -> list[Component]:
    """Name the embedders."""
    return [Component("embedder", "none", none.NoneConfig, none.build)]
