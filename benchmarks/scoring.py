"""What scoring costs: `python -m benchmarks.scoring [CHECKPOINT]`.

Milliseconds per face and frame of each way to compute the same TalkNet scores, with windows of 1 to
6 s, on the faces of the demo clip; its ratio to the reference's way, which runs the whole network
over each window by itself; and the largest difference of a score. Then the floor: the arithmetic of
the cheapest way over the rate of the machine's matrix products.

Without a checkpoint the weights are drawn at random: that changes the scores, not the times. The
bundles are exported first, which takes some minutes.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
import torch
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from asdkit.core.components import Context, registry
from asdkit.core.config import Chosen
from asdkit.core.features import FACE_MEAN, FACE_STD, mfcc
from asdkit.core.types import Clip
from asdkit.export.agreement import record
from asdkit.export.bundles import export
from asdkit.export.settings import ExportOptions, ExportPlan
from asdkit.plugins.onnx_support import CUDA
from asdkit.plugins.scorers.talknet.checkpoint import read_network
from asdkit.plugins.scorers.talknet.model import TalkNetNetwork
from asdkit.plugins.scorers.talknet.scorer import TalkNetConfig
from asdkit.plugins.scorers.talknet.windows import plan
from asdkit.plugins.torch_support import inference

from .machine import describe

SECONDS = (1, 2, 3, 4, 5, 6)
ROUNDS = 3
_MATRIX = 2048


class Row(NamedTuple):
    """A way to score, its best time and its scores."""

    name: str
    seconds: float
    scores: np.ndarray


def main(words: Sequence[str]) -> None:
    """Export, measure on each device, and print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(words[0]) if words else _drawn(Path(folder, "random.model"))
        scorer = Chosen(registry().find("scorer", "talknet"), TalkNetConfig(str(checkpoint)))
        cuda = torch.cuda.is_available() and CUDA in onnxruntime.get_available_providers()
        precisions = ("fp32", "fp16", "int8") if cuda else ("fp32", "int8")
        bundles = {
            precision: export(
                ExportPlan(
                    ExportOptions(str(Path(folder, precision)), precision=precision), scorer
                ),
                lambda _: None,
            ).folder
            for precision in precisions
        }
        clips = record(scorer, None, None).clips
        print(describe())
        print(f"weights: {checkpoint.name if words else 'drawn at random'}")
        _table("cpu", checkpoint, {p: bundles[p] for p in ("fp32", "int8")}, clips)
        if cuda:
            print(torch.cuda.get_device_name())
            _table("cuda", checkpoint, {p: bundles[p] for p in ("fp32", "fp16")}, clips)


def _table(device: str, checkpoint: Path, bundles: dict[str, Path], clips: Sequence[Clip]) -> None:
    network = read_network(checkpoint).eval().to(device)
    talknet, context = registry().find("scorer", "talknet"), Context(device)
    ways: dict[str, Callable[[], list[np.ndarray]]] = {
        "PyTorch, window by window": lambda: [_window_by_window(network, clip) for clip in clips]
    }
    built = {"PyTorch, one visual pass": talknet.build(TalkNetConfig(str(checkpoint)), context)}
    for precision, folder in bundles.items():
        built[f"ONNX {precision}"] = talknet.build(TalkNetConfig(str(folder)), context)
    for name, scorer in built.items():
        ways[name] = lambda scorer=scorer: [found.score for found in scorer.score(clips)]
    rows = _measured(ways)
    frames = sum(map(len, clips))
    print(f"\n{device}: {frames} face frames, windows of {min(SECONDS)} to {max(SECONDS)} s")
    print(f"{'':<28} {'ms/frame':>9} {'cheaper':>8} {'score differs':>14}")
    for row in rows:
        difference = np.abs(row.scores - rows[0].scores).max()
        print(
            f"{row.name:<28} {1000 * row.seconds / frames:9.2f} "
            f"{rows[0].seconds / row.seconds:7.1f}x {difference:14.1e}"
        )
    _print_floor(network, device, frames=min(map(len, clips)))


def _measured(ways: dict[str, Callable[[], list[np.ndarray]]]) -> list[Row]:
    """The best of some rounds, in which all ways take turns: the machine's pace drifts."""
    scores = {name: np.concatenate(way()) for name, way in ways.items()}
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(ROUNDS):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            best[name] = min(best[name], time.perf_counter() - start)
    return [Row(name, best[name], scores[name]) for name in ways]


def _window_by_window(network: TalkNetNetwork, clip: Clip) -> np.ndarray:
    """The scores of a clip in the reference's way, with the published Conv3d."""
    device = next(network.parameters()).device
    faces = (torch.tensor(clip.faces, device=device) / 255 - FACE_MEAN) / FACE_STD
    sound = torch.tensor(mfcc(clip), device=device)
    total = np.zeros(len(clip), np.float32)
    with inference():
        for length in (25 * seconds for seconds in SECONDS):
            for start in range(0, len(clip), length):
                part = slice(start, start + length)
                visual = _published_vectors(network, faces[None, part])
                steps = sound[None, 4 * start : 4 * (start + length)]
                total[part] += network.window(visual, steps)[0, :, 1].cpu().numpy()
    return total / len(SECONDS)


def _published_vectors(network: TalkNetNetwork, faces: torch.Tensor) -> torch.Tensor:
    """(1, T, 112, 112) to (1, T, 512), by a Conv3d over time."""
    frontend = network.model.visualFrontend
    convolution, *rest = frontend.frontend3D
    x = functional.conv3d(faces[:, None], convolution.weight, stride=(1, 2, 2), padding=(2, 3, 3))
    x = x.transpose(1, 2).flatten(0, 1)
    for layer in rest:
        x = layer(x)
    return frontend.resnet(x)[None]


def _print_floor(network: TalkNetNetwork, device: str, frames: int) -> None:
    """FLOPs of one visual pass and of the windows, over the rate of a product of matrices."""
    seen, windows = plan(frames, SECONDS)
    with FlopCounterMode(display=False) as counter, inference():
        network.vectors(torch.zeros(1, 5, 112, 112, device=device))
        per_vector = counter.get_total_flops()
        for window in windows:
            length = window.end - window.start
            network.window(
                torch.zeros(1, length, 512, device=device),
                torch.zeros(1, 4 * length, 13, device=device),
            )
        in_windows = counter.get_total_flops() - per_vector
    flops = (per_vector * len(seen) + in_windows) / frames
    matrix = torch.rand(_MATRIX, _MATRIX, device=device)
    product = _measured({"": lambda: [(matrix @ matrix)[0].cpu().numpy()]})[0]
    rate = 2 * _MATRIX**3 / product.seconds
    print(
        f"floor: {flops / 1e9:.2f} GFLOP per face and frame, at the {rate / 1e9:.0f} GFLOP/s of a "
        f"product of {_MATRIX}x{_MATRIX} matrices: {1000 * flops / rate:.2f} ms"
    )


def _drawn(path: Path) -> Path:
    """A checkpoint whose weights keep the scale of what passes through."""
    torch.manual_seed(0)
    state = TalkNetNetwork().state_dict()
    for key, value in state.items():
        if value.dim() > 1:
            fan_in = value[0].numel()
            state[key] = torch.randn_like(value) * (1.6 / fan_in) ** 0.5
        elif key.endswith("running_var"):
            state[key] = 1 + 0.2 * torch.rand_like(value)
    torch.save(state, path)
    return path


if __name__ == "__main__":
    main(sys.argv[1:])
