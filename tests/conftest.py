"""Fixtures that several test modules use."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import rule

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """A file of the folder `shared` beside the checkout; skips where it is not there."""

    def find(name: str) -> Path:
        if not (SHARED / name).exists():
            pytest.skip(f"needs ../shared/{name}")
        return SHARED / name

    return find


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of TalkNet with the rule's weights."""
    import torch

    shapes = json.loads((Path(__file__).parent / "data" / "talknet_state_dict.json").read_text())
    state = {key: torch.from_numpy(value) for key, value in rule.checkpoint(shapes).items()}
    path = tmp_path_factory.mktemp("talknet") / "rule.model"
    torch.save(state, path)
    return path


@pytest.fixture(scope="session")
def exported(checkpoint: Path) -> tuple[Path, list[str]]:
    """The bundle of that checkpoint in fp32, and what the export said."""
    from asdkit.core.components import registry
    from asdkit.core.config import Chosen
    from asdkit.export.bundles import export
    from asdkit.export.settings import ExportOptions, ExportPlan

    talknet = registry().find("scorer", "talknet")
    options = ExportOptions(output=str(checkpoint.parent / "bundle"))
    said: list[str] = []
    plan = ExportPlan(options, Chosen(talknet, talknet.config(weights=str(checkpoint))))
    return export(plan, said.append).folder, said


@pytest.fixture(scope="session")
def bundle(exported: tuple[Path, list[str]]) -> Path:
    """The bundle of that checkpoint in fp32."""
    return exported[0]
