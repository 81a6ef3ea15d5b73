"""The models that look at windows: where the tests have their checkpoints and bundles from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rule
from checkout import DATA, SHARED
from filelock import FileLock

from asdkit.core.analysis.features import FACE_MEAN, FACE_STD
from asdkit.core.bundle import Bundle
from asdkit.core.component import Component, Context
from asdkit.core.registry import registry
from asdkit.core.types import SAMPLES_PER_FRAME, Clip, Float32
from asdkit.plugins.scorers.light_asd import MODEL as LIGHT_ASD
from asdkit.plugins.scorers.lr_asd import MODEL as LR_ASD
from asdkit.plugins.scorers.talknet import MODEL as TALKNET
from asdkit.plugins.scorers.windowed.config import WindowedConfig
from asdkit.plugins.scorers.windowed.model import Model
from asdkit.plugins.scorers.windowed.scorer import Runtime
from asdkit.plugins.scorers.windowed.windows import Span, cut

MODELS = {model.name: model for model in (TALKNET, LR_ASD, LIGHT_ASD)}
SMALL = ("lr_asd", "light_asd")
RUNTIMES = ("PyTorch", "bundle", "model.onnx")
PROVEN = {"batch": (1, 2), "frames": (1, 37)}
"""The sizes that the bundles here are proven at; the references are of others, up to 150 frames."""


class Family:
    """Checkpoints and bundles, each made when it is first asked for.

    Several processes may share the folder: one makes what another one then finds. TalkNet has the
    rule's weights, the small models have the published ones where they are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def checkpoint(self, name: str) -> Path:
        """The checkpoint of a model."""
        from extras import torch

        published = SHARED / "weights" / f"{name}_talkset.model"
        if name in SMALL and published.exists():
            return published
        path = self._folder / name / "rule.model"
        with FileLock(self._folder / f"{name}.checkpoint.lock"):
            if not path.exists():
                path.parent.mkdir()
                state = rule.checkpoint(shapes(name))
                torch.save({key: torch.from_numpy(value) for key, value in state.items()}, path)
        return path

    def exported(self, name: str) -> tuple[Path, list[str]]:
        """The bundle of that checkpoint in fp32, and what the export said."""
        from asdkit.core.config.chosen import Chosen
        from asdkit.export import proof
        from asdkit.export.bundles import export
        from asdkit.export.settings import ExportOptions, ExportPlan

        folder, told = self._folder / f"{name}_bundle", self._folder / f"{name}_said.json"
        with FileLock(self._folder / f"{name}.bundle.lock"):
            if not told.exists():
                config = WindowedConfig(str(self.checkpoint(name)))
                said: list[str] = []
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(proof, "_SIZES", PROVEN)
                    plan = ExportPlan(
                        ExportOptions(output=str(folder)), Chosen(scorer(name), config)
                    )
                    export(plan, said.append)
                told.write_text(json.dumps(said))
        return folder, json.loads(told.read_text())

    def runtime(self, name: str, kind: str, device: str = "cpu") -> Runtime:
        """The model as one of `RUNTIMES` runs it."""
        from extras import torch

        from asdkit.plugins.scorers.windowed.checkpoint import read_network
        from asdkit.plugins.scorers.windowed.onnx_runtime import SplitRuntime, WholeRuntime
        from asdkit.plugins.scorers.windowed.torch_runtime import TorchRuntime

        model, config, context = MODELS[name], WindowedConfig(), Context(device)
        if kind == "PyTorch":
            network = read_network(model, self.checkpoint(name))
            return TorchRuntime(network, model.sharing, torch.device(device), config.batch_frames)
        bundle, _ = self.exported(name)
        if kind == "bundle":
            return SplitRuntime(model, Bundle(bundle), config, context)
        return WholeRuntime(model, bundle / "model.onnx", config, context)


def shapes(name: str) -> dict[str, list[int]]:
    """Shape of each entry of a model's published checkpoints."""
    found: dict[str, list[int]] = json.loads((DATA / f"{name}_state_dict.json").read_text())
    return found


def scorer(model: Model | str) -> Component:
    """The component of a model."""
    return registry().find("scorer", model if isinstance(model, str) else model.name)


def clip_of(tag: str, frames: int) -> Clip:
    """The rule's faces and sound."""
    return Clip(rule.face_frames(tag, frames), rule.waveform(tag, SAMPLES_PER_FRAME * frames))


def windows_of(frames: int, seconds: int) -> list[Span]:
    """The windows of one length, as the reference cuts them."""
    return [(first, min(first + 25 * seconds, frames)) for first in range(0, frames, 25 * seconds)]


def logits_by_length(runtime: Runtime, tag: str, frames: int) -> list[Float32]:
    """(frames, 2) logits with windows of 1 s, 2 s ... 6 s each, out of one look at the faces."""
    faces, sound = rule.face_frames(tag, frames), rule.mfcc(tag, 4 * frames)
    spans = list(cut(frames, range(1, 7)))
    seen, rows = runtime.look(faces, spans)
    logits = {
        (first, end): runtime.logits(seen[None, mine], sound[None, 4 * first : 4 * end])[0]
        for (first, end), mine in zip(spans, rows, strict=True)
    }
    return [
        np.concatenate([logits[window] for window in windows_of(frames, seconds)])
        for seconds in range(1, 7)
    ]


def close(found: Any, wanted: Any, tolerance: float = 1e-4) -> None:
    np.testing.assert_allclose(found, wanted, atol=tolerance, rtol=0)


def normalised(faces: np.ndarray) -> Any:
    """Faces as the networks of PyTorch take them."""
    from extras import torch

    return (torch.from_numpy(faces).float() / 255 - FACE_MEAN) / FACE_STD
