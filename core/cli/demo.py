"""`asd demo`: runs on a generated clip and compares the result with the truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError
from .apps import run_or_help, run_shown
from .overrides import key_of

if TYPE_CHECKING:
    from omegaconf import DictConfig

_CLIP = "demo.mp4"
_ABOUT = """\
asd demo [OPTION=VALUE ...]

Makes a clip on the spot, of two people who take turns, finds who speaks in it, and tells how many
of its frames are right. Without other options: experiment=offline output=asd_demo overwrite=true.
"""


def command(words: list[str]) -> None:
    """Run the command with its arguments; see `core.cli.apps.run_or_help` for errors."""
    from ..config.compose import RUN

    given = {key_of(word) for word in words}
    if "video" in given:
        raise ConfigError(
            "demo makes its own video, and takes no other", "To process a video: asd run FILE"
        )
    preset = ["experiment=offline", "output=asd_demo", "overwrite=true"]
    overrides = [word for word in preset if key_of(word) not in given]
    run_or_help(replace(RUN, about=_ABOUT), [*overrides, *words], _report, _CLIP)


def _report(config: DictConfig, output: str | None = None) -> None:
    """Make the demo clip in the output folder, run on it and compare with the truth."""
    from ..config.plan import make_plan
    from ..demo.clip import frames_right, make_clip

    folder = Path(output or config.output)
    config.video = str(folder / _CLIP)
    plan = make_plan(config)  # what is wrong with the options is said before anything is made
    truth = make_clip(folder / _CLIP)
    result = run_shown(plan, output)
    right, judged = frames_right(result, truth)
    print(f"{right} of {judged} frames right ({100 * right / max(judged, 1):.1f} %)")
