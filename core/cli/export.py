"""`asd export`: exports a scorer's network to ONNX, and proves that it computes the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError
from .apps import run_or_help
from .arguments import HELP, is_override

if TYPE_CHECKING:
    from omegaconf import DictConfig


def command(words: list[str]) -> None:
    """Run the command with its arguments; see `core.cli.apps.run_or_help` for errors."""
    from ...export.settings import EXPORT

    if words[:1] == ["check"] and not HELP & set(words):
        _check(words[1:])
    else:
        run_or_help(EXPORT, words, _report)


def _report(config: DictConfig, _: str | None = None) -> None:
    """Export as configured, and print how to run the bundle."""
    from ...export.bundles import export
    from ...export.settings import make_export_plan

    plan = make_export_plan(config)
    folder = export(plan, print).folder
    use = f"asd run FILE scorer={plan.scorer.component.name} scorer.weights={folder}"
    print(f"{folder} is whole; to use it: {use}")


def _check(words: list[str]) -> None:
    from ...export.bundles import check, settings_to_check
    from ...export.settings import EXPORT, make_export_plan
    from ..bundle import Bundle
    from ..config.compose import compose_app

    folders = [word for word in words if not is_override(word)]
    if len(folders) != 1:
        raise ConfigError(
            f"asd export check takes one folder, but got {' '.join(folders) or 'none'}",
            "Use: asd export check FOLDER",
        )
    bundle = Bundle(Path(folders[0]))
    given = [word for word in words if is_override(word)]
    for word in given:
        if not re.match(r"(scorer\.\w+|device|threads|calibration)=", word):
            raise ConfigError(
                f"asd export check does not read {word}",
                "It takes device, threads and, for int8, calibration and scorer.weights",
            )
    config = compose_app(EXPORT, [*settings_to_check(bundle), *given])
    check(bundle, make_export_plan(config), print)
    print(f"{bundle.folder} is as it should be")
