"""What a GPU makes of it: `python -m benchmarks.gpu`, in under eight minutes; exits 2 without CUDA.

Runs the tests marked gpu first. Then, on the first CUDA device: face frames a second of TalkNet and
LR-ASD in PyTorch and in ONNX (fp32, fp16), with windows of 1 to 6 s; frames a second of the
detectors that run on a GPU; and a whole run, stage by stage. Beside each stands the least time that
the machine could take for the same work, by its measured rate of matrix products or of copying
(`benchmarks.floor` has the formulas), and how many times longer it took. At the end come steps of
training, as `benchmarks.training` measures them.

Weights of the scorers are drawn at random: that changes the scores, not the times. float32 is true
float32, not TF32, but in training. The exit code is 1 if a test failed.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import onnxruntime
import torch

import asdkit
from asdkit.core.demo.clip import make_clip
from asdkit.core.errors import AsdError
from asdkit.core.media.picture import frames
from asdkit.core.media.probe import probe
from asdkit.core.types import Clip
from asdkit.export.agreement import record
from asdkit.plugins.support.onnx_devices import CUDA

from . import training
from .floor import Rates, Work, best_s, count, rates
from .length import repeat
from .machine import describe
from .scoring import MODELS, built, chosen_scorer, drawn, exported, work_of
from .stages import table

CHECKOUT = Path(__file__).resolve().parents[1]
SCORERS = ("talknet", "lr_asd")
DETECTORS = ("mtcnn", "s3fd")
_COPIES = 10
"""How many times the demo's clips are scored at once: as many faces as a batch of videos has."""
_FRAMES = 64
_RUN_MINUTES = 1.0
_TESTS_S = 240
HEADER = f"{'':<24}{'a second':>10}{'ms':>10}{'floor ms':>10}  {'by':<8}{'above it':>9}"


class Row(NamedTuple):
    """Something measured: the seconds for one item, its floor, and what limits that."""

    name: str
    seconds: float
    floor_s: float
    limit: str

    def __str__(self) -> str:
        return (
            f"{self.name:<24}{1 / self.seconds:>10.0f}{1e3 * self.seconds:>10.3f}"
            f"{1e3 * self.floor_s:>10.4f}  {self.limit:<8}{self.seconds / self.floor_s:>8.1f}x"
        )


def main() -> None:
    """Test, measure and print."""
    if not torch.cuda.is_available():
        print(f"benchmarks.gpu: PyTorch {torch.__version__} sees no CUDA device", file=sys.stderr)
        sys.exit(2)
    start = time.perf_counter()
    print(describe())
    print(f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}", end=", ")
    print(f"ONNX Runtime {onnxruntime.__version__}", flush=True)
    passed = run_tests(CHECKOUT)
    with TemporaryDirectory() as name:
        for line in measure("cuda", Path(name)):
            print(line, flush=True)
    print(f"\n{time.perf_counter() - start:.0f} s in all")
    sys.exit(0 if passed else 1)


def run_tests(checkout: Path) -> bool:
    """Run the tests marked gpu in a process of their own, and print how they ended."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-m", "gpu"]
    command += ["-p", "no:cacheprovider"]
    try:
        run = subprocess.run(
            command, cwd=checkout, capture_output=True, text=True, timeout=_TESTS_S, check=False
        )
    except subprocess.TimeoutExpired:
        print(f"tests marked gpu: not done after {_TESTS_S} s", flush=True)
        return False
    lines = run.stdout.splitlines()
    failed = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    print("tests marked gpu:", lines[-1] if lines else run.stderr.strip(), *failed, sep="\n  ")
    return run.returncode == 0


def measure(device: str, folder: Path) -> Iterator[str]:
    """Measure everything on a device, "cuda" or "cpu"; the lines to print."""
    full, half = (rates(device, dtype) for dtype in (torch.float32, torch.float16))
    yield f"matrix products and copies: float32 {full}; float16 {half}"
    demo = folder / "demo.mp4"
    make_clip(demo)
    pictures = np.stack([frame.image for frame in islice(frames(probe(demo)), _FRAMES)])
    works: dict[str, Work] = {}
    yield f"\nframes of {pictures.shape[2]}x{pictures.shape[1]}, {_FRAMES} at once\n{HEADER}"
    for name in DETECTORS:
        try:
            detector = asdkit.load("detector", name, device=device)
        except AsdError as error:
            yield f"{name:<24}left out: {error}"
            continue
        look = partial(detector.detect, pictures, range(len(pictures)))
        works[name] = count(look).per(len(pictures))
        floor = full.floor_s(works[name])
        yield str(measured(name, look, len(pictures), device, floor))
    clips: list[Clip] = []
    for name in SCORERS:
        model = MODELS[name]
        checkpoint = drawn(model, folder / f"{name}.model")
        clips = clips or _COPIES * record(chosen_scorer(model, checkpoint), None, None).clips
        yield f"\n{model.title}, {sum(map(len, clips))} face frames at once\n{HEADER}"
        bundles: dict[str, Path] = {}
        if device == "cpu" or CUDA in onnxruntime.get_available_providers():
            bundles = exported(model, checkpoint, folder / name, ("fp32", "fp16"))
        else:
            yield f"ONNX left out: ONNX Runtime {onnxruntime.__version__} has no {CUDA}"
        scorers = built(model, checkpoint, bundles, device)
        works[name] = work_of(scorers["PyTorch"], clips)
        for way, scorer in scorers.items():
            floor = (half if way.endswith("fp16") else full).floor_s(works[name])
            score = partial(scorer.score, clips)
            yield str(measured(way, score, sum(map(len, clips)), device, floor))
    yield from whole_run(device, folder, demo, works, full)
    yield "\ntraining"
    yield from training.measure(device, training.chosen(SCORERS))


def measured(
    name: str,
    compute: Callable[[], object],
    items: int,
    device: str,
    floor: tuple[float, str],
) -> Row:
    """Measure what does so many items at once; the floor is for one."""
    return Row(name, best_s(compute, device) / items, *floor)


def whole_run(
    device: str, folder: Path, demo: Path, works: dict[str, Work], machine: Rates
) -> Iterator[str]:
    """Run on a minute of video; the floor is that of its detections and scores."""
    video = folder / "minute.mp4"
    minutes = repeat(demo, _RUN_MINUTES, video)
    options = [
        f"device={device}",
        "detector=mtcnn",
        "scorer=lr_asd",
        f"scorer.weights={folder / 'lr_asd.model'}",
        "scorer.window_seconds=[1,2,3,4,5,6]",
        "writers=[json]",
        f"output={folder / 'run'}",
    ]
    result = asdkit.run(video, options)
    seen = sum(end - start for start, end in result.shots)
    faces = sum(len(track) for track in result.tracks)
    least, limit = machine.floor_s(
        Work(
            seen * works["mtcnn"].flops + faces * works["lr_asd"].flops,
            seen * works["mtcnn"].bytes + faces * works["lr_asd"].bytes,
        )
    )
    total_s = result.timings_s["total"]
    yield f"\nwhole run, mtcnn on every frame, lr_asd in PyTorch\n{HEADER}"
    yield str(Row("frames", total_s / seen, least / seen, limit))
    yield from table(result)
    yield "stages overlap, so they may add up to more than the total"
    yield f"{60 * minutes / total_s:.1f} times real time"


if __name__ == "__main__":
    main()
