"""Writes a plugin to start from: a copy of examples/plugin under another name."""

from __future__ import annotations

import os
import re
from pathlib import Path

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser

from ..errors import ConfigError, OutputError, PluginError
from ..files import whole_folder
from ..registry import registry

EXAMPLE = Path(__file__).parents[2] / "examples" / "plugin"
"""The example plugin `centre`, which the wheel includes, too."""
FILES = (
    "README.md",
    "pyproject.toml",
    "asdkit_centre/__init__.py",
    "asdkit_centre/conf/experiment/centre.yaml",
    "asdkit_centre/detector.py",
    "asdkit_centre/scorer.py",
    "asdkit_centre/writer.py",
    "tests/test_centre.py",
)


def write_skeleton(name: str) -> tuple[Path, str]:
    """Write a package with a detector, a scorer, a writer and their tests into this folder.

    Args:
        name: The plugin's name: letters, digits, hyphens and underscores.

    Returns:
        The folder, asdkit-NAME, and the name of its components, as in `detector=NAME`; both in
        lower case, the folder with hyphens, the components with underscores.

    Raises:
        ConfigError: The name is invalid.
        PluginError: An installed package has components of this name.
        OutputError: The folder exists already, or cannot be written.
    """
    part = re.sub("[-_]+", "_", name).lower().removeprefix("asdkit_")
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", part) or not _is_word(part):
        raise ConfigError(
            f"{name!r} cannot be the name of a plugin",
            "Use letters, digits and hyphens, beginning with a letter, as in: my-faces",
        )
    for (kind, taken), provider in registry().providers.items():
        if taken == part:
            raise PluginError(
                f"{provider.name} has {kind}={part} already", "Choose another name for the plugin"
            )
    distribution = f"asdkit-{part.replace('_', '-')}"
    folder = Path(distribution)
    if os.path.lexists(folder):
        raise OutputError(f"{folder} is there already", "Remove it, or choose another name")

    new = {"asdkit-centre": distribution, "centre": part}

    def renamed(text: str) -> str:
        return re.sub("asdkit-centre|centre", lambda old: new[old[0]], text)

    texts = {renamed(file): renamed((EXAMPLE / file).read_text("utf-8")) for file in FILES}
    try:
        with whole_folder(folder) as aside:
            for file, text in texts.items():
                (aside / file).parent.mkdir(parents=True, exist_ok=True)
                (aside / file).write_text(text, "utf-8")
    except OutputError as error:
        raise OutputError(error.what, "Go to a folder that you may write to") from error
    return folder, part


def _is_word(part: str) -> bool:
    """Whether Hydra and YAML read it as a string, unlike null, nan or on."""
    parsed = OverridesParser.create().parse_override(f"detector={part}").value()
    return parsed == part and yaml.safe_load(part) == part
