"""The voice activity detectors that come with asdkit."""

from ...core.component import Component
from ...core.hookspecs import hookimpl
from . import energy, none, silero


@hookimpl
def asdkit_components() -> list[Component]:
    """Name the voice activity detectors."""
    return [
        Component("vad", "energy", energy.EnergyConfig, energy.build),
        Component("vad", "none", none.NoneConfig, none.build),
        Component("vad", "silero", silero.SileroConfig, silero.build),
    ]
