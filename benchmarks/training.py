"""What training costs: `python -m benchmarks.training [scorer=NAME[,NAME ...]] [frames=N]`.

For each scorer that can be trained, or those named: how many face frames a second pass through a
whole step, forward, backward and the optimiser's, and what share that is of the machine's measured
rate of matrix products. On the CPU it computes in float32, with as many threads as PyTorch takes;
where there is a CUDA device, there instead, in float32 and in mixed precision with bfloat16. On
CUDA, PyTorch has convolutions in float32 round to TF32 unless told otherwise, as it does in a
training: their share of true float32 products may be above 100 %.

FLOPs are those of matrix products and convolutions in both directions, counted while a step runs,
and the rates are measured, as `benchmarks.floor` tells; the optimiser's are not counted, nor those
of recurrent layers. Weights are drawn at random, faces and sound are noise and lie on the device:
neither decoding nor transfer is measured. A batch has clips of two seconds, as many as make up
`frames`: by default those of the recipe on CUDA, and 100 on the CPU.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch

from asdkit.core.component import Component
from asdkit.core.registry import registry
from asdkit.core.samples import noise_picture, noise_sound
from asdkit.core.trainable import Trainable
from asdkit.core.types import FACE_SIZE_PX, SAMPLES_PER_FRAME, Clip

from .floor import Rates, best_s, count, rates
from .machine import describe

CLIP_FRAMES = 50
CPU_FRAMES = 100
PRECISIONS = {"cpu": (torch.float32,), "cuda": (torch.float32, torch.bfloat16)}
HEADER = (
    f"{'':<12}{'precision':<10}{'frames':>7}{'frames/s':>10}{'GFLOP/frame':>13}{'TFLOP/s':>9}"
    f"{'share':>8}"
)


class Row(NamedTuple):
    """A way to train, measured.

    Attributes:
        name: The scorer.
        precision: What it computes in.
        frames: Face frames in a batch.
        flops: Those of a step.
        seconds: The time of a step.
        machine: What the machine can do in that precision.
    """

    name: str
    precision: str
    frames: int
    flops: float
    seconds: float
    machine: Rates

    def __str__(self) -> str:
        rate = self.flops / self.seconds
        return (
            f"{self.name:<12}{self.precision:<10}{self.frames:>7}"
            f"{self.frames / self.seconds:>10.1f}{self.flops / self.frames / 1e9:>13.2f}"
            f"{rate / 1e12:>9.3f}{100 * rate / self.machine.flops:>7.1f}%"
        )


def main(words: Sequence[str]) -> None:
    """Measure and print; exits with a line of help on words that it does not know."""
    options = dict(word.partition("=")[::2] for word in words)
    names = options.pop("scorer", "")
    frames = options.pop("frames", "0")
    if options or not frames.isdecimal():
        sys.exit("python -m benchmarks.training [scorer=NAME[,NAME ...]] [frames=N]")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    on = torch.cuda.get_device_name() if device == "cuda" else f"{torch.get_num_threads()} threads"
    print(f"{describe()}\nPyTorch {torch.__version__}, {on}", flush=True)
    for line in measure(device, chosen(names.split(",") if names else []), int(frames)):
        print(line, flush=True)


def chosen(names: Sequence[str]) -> list[Component]:
    """The scorers of these names; without any, all that can be trained."""
    known = registry()
    if names:
        return [known.find("scorer", name) for name in names]
    return [
        one
        for (kind, _), one in known.components.items()
        if kind == "scorer" and one.trainable is not None
    ]


def measure(device: str, scorers: Sequence[Component], frames: int = 0) -> Iterator[str]:
    """Measure the training of scorers on a device, "cuda" or "cpu"; the lines to print."""
    machine = {dtype: rates(device, dtype) for dtype in PRECISIONS[device]}
    yield "matrix products and copies: " + "; ".join(
        f"{_name(dtype)} {found}" for dtype, found in machine.items()
    )
    yield HEADER
    for component in scorers:
        for dtype, found in machine.items():
            assert component.trainable is not None
            torch.manual_seed(0)
            ready = component.trainable(component.config(), True)
            size = frames or (CPU_FRAMES if device == "cpu" else ready.recipe.batch_frames)
            clips = max(1, round(size / CLIP_FRAMES))
            step = stepper(ready, clips, device, dtype)
            flops, seconds = count(step).flops, best_s(step, device)
            yield str(Row(ready.model, _name(dtype), clips * CLIP_FRAMES, flops, seconds, found))


def stepper(ready: Trainable, clips: int, device: str, dtype: torch.dtype) -> Callable[[], object]:
    """What does a step of training on a batch of noise, always the same one."""
    noise = [_noise(number) for number in range(clips)]
    arrays = [torch.tensor(array, device=device) for array in ready.inputs(noise)]
    generator = np.random.default_rng(0)
    labels = torch.tensor(generator.integers(0, 2, (clips, CLIP_FRAMES)), device=device)
    module = ready.module.to(device).train()
    recipe = ready.recipe
    optimiser = torch.optim.AdamW(
        module.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
    )

    def step() -> None:
        optimiser.zero_grad()
        with torch.autocast(device, torch.bfloat16, enabled=dtype is torch.bfloat16):
            outputs = module(*arrays)
        ready.loss(outputs, labels, 1).backward()
        optimiser.step()

    return step


def _noise(number: int) -> Clip:
    faces = noise_picture((CLIP_FRAMES, FACE_SIZE_PX, FACE_SIZE_PX), number)
    return Clip(faces, noise_sound(SAMPLES_PER_FRAME * CLIP_FRAMES, number))


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


if __name__ == "__main__":
    main(sys.argv[1:])
