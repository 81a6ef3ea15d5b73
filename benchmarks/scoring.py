"""What scoring costs on the CPU: `python -m benchmarks.scoring [SCORER[=CHECKPOINT] ...]`.

For each scorer, the milliseconds per face and frame of each way to compute the same scores, with
windows of 1 to 6 s, on the faces of the demo clip; its ratio to the reference's way, which runs the
whole network over each window by itself, with the published convolutions; and the largest
difference of a score. Then the floor (`benchmarks.floor`) of the ways that share what windows have
in common. `benchmarks.gpu` does the same on a GPU.

Without a checkpoint the weights are drawn at random: that changes the scores, not the times. The
bundles are exported first, which takes some minutes.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from asdkit.core.analysis.features import FACE_MEAN, FACE_STD, mfcc
from asdkit.core.component import Context
from asdkit.core.config.chosen import Chosen
from asdkit.core.contracts import Scorer
from asdkit.core.registry import registry
from asdkit.core.types import GRID_FPS, Clip
from asdkit.export.agreement import record
from asdkit.export.bundles import export
from asdkit.export.settings import ExportOptions, ExportPlan
from asdkit.plugins.scorers.light_asd import MODEL as LIGHT_ASD
from asdkit.plugins.scorers.lr_asd import MODEL as LR_ASD
from asdkit.plugins.scorers.talknet import MODEL as TALKNET
from asdkit.plugins.scorers.windowed.checkpoint import read_network
from asdkit.plugins.scorers.windowed.config import WindowedConfig
from asdkit.plugins.scorers.windowed.model import Model
from asdkit.plugins.scorers.windowed.network import FlatConv, Network
from asdkit.plugins.support.pytorch import inference

from .floor import Work, count, rates
from .machine import describe

MODELS = {model.name: model for model in (TALKNET, LR_ASD, LIGHT_ASD)}
SECONDS = (1, 2, 3, 4, 5, 6)
ROUNDS = 3


class Row(NamedTuple):
    """A way to score, its best time and its scores."""

    name: str
    seconds: float
    scores: np.ndarray


def main(words: Sequence[str]) -> None:
    """Export, measure each scorer, and print the tables."""
    chosen = dict(word.partition("=")[::2] for word in words or MODELS)
    print(describe())
    clips: list[Clip] = []
    for name, given in chosen.items():
        model = MODELS[name]
        with tempfile.TemporaryDirectory() as folder:
            checkpoint = Path(given) if given else drawn(model, Path(folder, "random.model"))
            bundles = exported(model, checkpoint, Path(folder), ("fp32", "int8"))
            clips = clips or record(chosen_scorer(model, checkpoint), None, None).clips
            print(f"\n{model.title}, weights: {checkpoint.name if given else 'drawn at random'}")
            _table(model, checkpoint, bundles, clips)


def exported(
    model: Model, checkpoint: Path, folder: Path, precisions: Sequence[str]
) -> dict[str, Path]:
    """The folders of the bundles of a checkpoint, by precision."""
    scorer = chosen_scorer(model, checkpoint)
    return {
        precision: export(
            ExportPlan(ExportOptions(str(folder / precision), precision=precision), scorer),
            lambda _: None,
        ).folder
        for precision in precisions
    }


def built(
    model: Model, checkpoint: Path, bundles: dict[str, Path], device: str
) -> dict[str, Scorer]:
    """The scorers that share what windows have in common, by what runs them."""
    context = Context(device)
    weights = {"PyTorch": checkpoint}
    weights |= {f"ONNX {precision}": folder for precision, folder in bundles.items()}
    return {
        name: registry()
        .find("scorer", model.name)
        .build(WindowedConfig(str(path), window_seconds=list(SECONDS)), context)
        for name, path in weights.items()
    }


def chosen_scorer(model: Model, checkpoint: Path) -> Chosen:
    """A scorer with a checkpoint, as a plan names it."""
    return Chosen(registry().find("scorer", model.name), WindowedConfig(str(checkpoint)))


def _table(model: Model, checkpoint: Path, bundles: dict[str, Path], clips: Sequence[Clip]) -> None:
    network = _as_published(read_network(model, checkpoint)).eval()
    scorers = built(model, checkpoint, bundles, "cpu")
    ways: dict[str, Callable[[], list[np.ndarray]]] = {
        "PyTorch, window by window": lambda: [_window_by_window(network, clip) for clip in clips]
    }
    for name, scorer in scorers.items():
        ways[name] = lambda scorer=scorer: [found.score for found in scorer.score(clips)]
    rows = _measured(ways)
    frames = sum(map(len, clips))
    print(f"{frames} face frames, windows of {min(SECONDS)} to {max(SECONDS)} s")
    print(f"{'':<28} {'ms/frame':>9} {'cheaper':>8} {'score differs':>14}")
    for row in rows:
        difference = np.abs(row.scores - rows[0].scores).max()
        print(
            f"{row.name:<28} {1000 * row.seconds / frames:9.2f} "
            f"{rows[0].seconds / row.seconds:7.1f}x {difference:14.1e}"
        )
    work = work_of(scorers["PyTorch"], clips)
    machine = rates("cpu", torch.float32)
    seconds, limit = machine.floor_s(work)
    print(
        f"floor: {work.flops / 1e9:.2f} GFLOP and {work.bytes / 1e6:.1f} MB per face and frame, at "
        f"{machine}: {1000 * seconds:.2f} ms, by {limit}"
    )


def work_of(scorer: Scorer, clips: Sequence[Clip]) -> Work:
    """The work for a face and frame, counted in PyTorch."""
    return count(lambda: scorer.score(clips)).per(sum(map(len, clips)))


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


def _window_by_window(network: Network, clip: Clip) -> np.ndarray:
    """The scores of a clip in the reference's way."""
    faces = (torch.tensor(clip.faces) / 255 - FACE_MEAN) / FACE_STD
    sound = torch.tensor(mfcc(clip))
    total = np.zeros(len(clip), np.float32)
    with inference():
        for length in (GRID_FPS * seconds for seconds in SECONDS):
            for start in range(0, len(clip), length):
                steps = sound[None, 4 * start : 4 * (start + length)]
                logits = network(faces[None, start : start + length], steps)
                total[start : start + length] += logits[0, :, 1].numpy()
    return total / len(SECONDS)


def _as_published(network: Network) -> Network:
    """The network with convolutions over time and space, as its authors compute them."""
    for module in network.modules():
        if isinstance(module, FlatConv):
            module.forward = partial(_conv3d, module)  # type: ignore[method-assign]
    return network


def _conv3d(conv: FlatConv, x: torch.Tensor) -> torch.Tensor:
    padding = [0 if conv.single == 1 else conv.kernel_size[0] // 2]
    padding += [size // 2 for size in conv.kernel_size[1:]]
    stride = (1, 1, 1) if conv.single == 4 else (1, conv.step, conv.step)
    found = functional.conv3d(x.unsqueeze(conv.single), conv.weight, None, stride, padding)
    return found.squeeze(max(conv.single, 2))


def drawn(model: Model, path: Path) -> Path:
    """A checkpoint whose weights keep the scale of what passes through."""
    torch.manual_seed(0)
    state = model.network().state_dict()
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
