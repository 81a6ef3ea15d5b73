"""The cutters that come with asdkit."""

from ...core.component import Component
from ...core.hookspecs import hookimpl
from . import content, none, scene_list


@hookimpl
def asdkit_components() -> list[Component]:
    """Name the cutters."""
    return [
        Component("cutter", "content", content.ContentConfig, content.build),
        Component("cutter", "csv", scene_list.SceneListConfig, scene_list.build),
        Component("cutter", "none", none.NoneConfig, none.build),
    ]
