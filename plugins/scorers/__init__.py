"""The scorers that come with asdkit."""

from ...core.component import Component
from ...core.hookspecs import hookimpl
from .ensemble import ENSEMBLE
from .light_asd import LIGHT_ASD
from .lip_motion import LIP_MOTION
from .loconet import LOCONET
from .lr_asd import LR_ASD
from .talknet import TALKNET


@hookimpl
def asdkit_components() -> list[Component]:
    """Name the scorers."""
    return [ENSEMBLE, LIGHT_ASD, LIP_MOTION, LOCONET, LR_ASD, TALKNET]
