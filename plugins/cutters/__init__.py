"""The cutters that come with asdkit."""

from ...core.component import Component
from ...core.hookspecs import hookimpl
from . import content, none, scene_list


@hookimpl
def asdkit_components() -> list[Component]:
    """Name the cutters."""
    return [
        Component(
            "cutter",
            "content",
            content.ContentConfig,
            content.build,
            about="finds cuts by changes of colour and brightness (PySceneDetect)",
        ),
        Component(
            "cutter",
            "csv",
            scene_list.SceneListConfig,
            scene_list.build,
            about="takes the cuts from a list of scenes",
        ),
        Component(
            "cutter", "none", none.NoneConfig, none.build, about="the whole video is one shot"
        ),
    ]
