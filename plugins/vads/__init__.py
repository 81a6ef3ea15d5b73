"""The voice activity detectors that come with asdkit."""

from ...core.component import Component
from ...core.hookspecs import hookimpl
from . import energy, none, silero


@hookimpl
def asdkit_components() -> list[Component]:
    """Name the voice activity detectors."""
    return [
        Component(
            "vad",
            "energy",
            energy.EnergyConfig,
            energy.build,
            about="speech is what is louder than the background",
        ),
        Component("vad", "none", none.NoneConfig, none.build, about="all sound counts as speech"),
        Component(
            "vad",
            "silero",
            silero.SileroConfig,
            silero.build,
            about="a small network, good in noise (ONNX Runtime)",
            needs=("onnxruntime", "silero_vad"),
        ),
    ]
