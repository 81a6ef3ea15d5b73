"""The parameters of scorers that read windows."""

from __future__ import annotations

from dataclasses import dataclass, field

from ....core.spelling import one_of

RUNTIMES = ("auto", "torch", "onnx")
SIX = (1, 2, 3, 4, 5, 6)
"""Windows of 1 to 6 s, as the script TalkNet-ASD averages them."""
WHOLE = (60,)
"""The whole clip as one window, since no clip is longer than a minute."""


@dataclass(frozen=True)
class WindowedConfig:
    """A network that looks at windows of sound and faces.

    Attributes:
        weights: "talkset" (trained on TalkSet, made from LRS3 and VoxCeleb2), "ava" (trained on
            AVA-ActiveSpeaker), or a path: a checkpoint, a bundle that asd export made, or an
            ONNX model.
        runtime: "torch", "onnx" (ONNX Runtime; the presets named _onnx set it) or "auto": what
            the weights are for.
        tensorrt: With ONNX Runtime on CUDA, compute through TensorRT.
        window_seconds: Lengths of the windows whose logits are averaged, 1 or more each; [60] is
            the whole track, a minute at a time. One named twice counts twice. Those that suit the
            weights if not given.
        batch_frames: How many faces go through the network at once; each takes 2 to 4 MB. A
            network that sees far to both sides takes more if it must. LR-ASD and Light-ASD by
            ONNX Runtime on a CPU take a second of faces at most.
    """

    weights: str = "talkset"
    runtime: str = field(default="auto", metadata={"values": RUNTIMES})
    tensorrt: bool = False
    window_seconds: list[int] | None = None
    batch_frames: int = 32

    def __post_init__(self) -> None:
        if self.runtime not in RUNTIMES:
            raise ValueError(one_of("runtime", self.runtime, RUNTIMES))
        windows = self.window_seconds
        if windows is not None and (not windows or min(windows) < 1):
            raise ValueError(
                "window_seconds must list one length or more, each of 1 s or more, "
                f"but got {list(windows)}"
            )
        if self.batch_frames < 1:
            raise ValueError(f"batch_frames must be 1 or more, but got {self.batch_frames}")


@dataclass(frozen=True)
class AvaTrainedConfig(WindowedConfig):
    """The same, for a network whose weights `ava` are its default."""

    weights: str = "ava"
