"""Writes a plugin to start from: a copy of examples/plugin, or one of its parts, renamed."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser

from ..errors import ConfigError, OutputError, PluginError
from ..files import whole_folder
from ..registry import registry
from ..spelling import guess
from .new_kinds import NEW_KINDS, with_article

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
PARTS = EXAMPLE.parent / "parts"
"""The other kinds of components, one in a file, and a test of each kind."""
WHOLE = ("detector", "scorer", "writer")
"""The kinds that the example plugin has."""
_COMPONENT = """\
        asdkit.Component(
            kind="KIND",
            name="centre",
            config=KIND.CONFIG,
            build=KIND.build,
            about="ABOUT",
        ),
"""
_README = """\
# asdkit-centre

A plugin for asdkit, as `asd plugins new` writes it: A_KIND, small, and there to be changed.

    python -m pip install -e ".[test]"
    pytest
    asd plugins

`asdkit_centre/KIND.py` is the KIND, `asdkit_centre/__init__.py` tells asdkit its name, and
`pyproject.toml` names the package in the entry-point group `asdkit`: so it is found. asdkit's page
docs/plugins.md tells of the methods of each kind.
"""


def write_skeleton(name: str, kind: str | None = None) -> tuple[Path, str]:
    """Write a package with a detector, a scorer, a writer and their tests into this folder.

    Args:
        name: The plugin's name: letters, digits, hyphens and underscores.
        kind: One of `NEW_KINDS`, for a component of this kind alone.

    Returns:
        The folder, asdkit-NAME, and the name of its components, as in `detector=NAME`; both in
        lower case, the folder with hyphens, the components with underscores.

    Raises:
        ConfigError: The name is invalid, or there is no such kind to be written.
        PluginError: An installed package has components of this name.
        OutputError: The folder exists already, or cannot be written.
    """
    if kind is not None and kind not in NEW_KINDS:
        raise ConfigError(
            f"kind={kind} cannot be written; there are {', '.join(NEW_KINDS)}",
            guess(kind, NEW_KINDS),
        )
    part = re.sub("[-_]+", "_", name).lower().removeprefix("asdkit_")
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", part) or not _is_word(part):
        raise ConfigError(
            f"{name!r} cannot be the name of a plugin",
            "Use letters, digits and hyphens, beginning with a letter, as in: my-faces",
        )
    for (of_kind, taken), provider in registry().providers.items():
        if taken == part:
            raise PluginError(
                f"{provider.name} has {of_kind}={part} already",
                "Choose another name for the plugin",
            )
    distribution = f"asdkit-{part.replace('_', '-')}"
    folder = Path(distribution)
    if os.path.lexists(folder):
        raise OutputError(f"{folder} is there already", "Remove it, or choose another name")

    new = {"asdkit-centre": distribution, "centre": part}

    def renamed(text: str) -> str:
        return re.sub("asdkit-centre|centre", lambda old: new[old[0]], text)

    read = {file: (EXAMPLE / file).read_text("utf-8") for file in FILES}
    files = read if kind is None else _of_kind(kind, read)
    texts = {renamed(file): renamed(text) for file, text in files.items()}
    try:
        with whole_folder(folder) as aside:
            for file, text in texts.items():
                (aside / file).parent.mkdir(parents=True, exist_ok=True)
                (aside / file).write_text(text, "utf-8")
    except OutputError as error:
        raise OutputError(error.what, "Go to a folder that you may write to") from error
    return folder, part


def _of_kind(kind: str, example: Mapping[str, str]) -> dict[str, str]:
    """By file: what a package of one component alone holds, still under the example's name.

    Args:
        kind: The component's kind.
        example: By file: the texts of the example plugin.
    """
    module = f"asdkit_centre/{kind}.py"
    code = example[module] if kind in WHOLE else (PARTS / f"{kind}.py").read_text("utf-8")
    config = re.findall(r"^class (\w+Config)\b", code, re.MULTILINE)[0]
    about = re.match(r'"""An? (?:[^:]*: )?(.*?)\.?"""', code)
    assert about
    words = {"KIND": kind, "CONFIG": config, "ABOUT": about[1]}
    component = re.sub("|".join(words), lambda found: words[found[0]], _COMPONENT)
    if kind == "writer":
        files = "            files=(writer.FILE,),\n"
        component = component.replace("            about=", f"{files}            about=")
    init = _alone(example["asdkit_centre/__init__.py"], kind, component)
    project = example["pyproject.toml"]
    project = project.replace(
        "A detector, a scorer and a writer for", f"{with_article(kind).capitalize()} for"
    )
    project = project.replace('\n[tool.setuptools.package-data]\n"*" = ["*.yaml"]\n', "")
    return {
        "README.md": _README.replace("A_KIND", with_article(kind)).replace("KIND", kind),
        "pyproject.toml": project,
        "asdkit_centre/__init__.py": init,
        module: code,
        "tests/test_centre.py": (PARTS / "tests" / f"{kind}.py").read_text("utf-8"),
    }


def _alone(init: str, kind: str, component: str) -> str:
    """The example's `__init__.py` with one component, and without presets.

    Args:
        init: The example's.
        kind: The kind of the component, and the name of its module.
        component: The lines that make it.
    """
    head, _, _ = init.partition("    return [\n")
    head = re.sub(r'^""".*"""', f'"""A plugin for asdkit: one {kind}."""', head)
    head = head.replace("from pathlib import Path\n\n", "")
    head = re.sub(r"^from \. import .*$", f"from . import {kind}", head, flags=re.MULTILINE)
    return f"{head}    return [\n{component}    ]\n"


def _is_word(part: str) -> bool:
    """Whether Hydra and YAML read it as a string, unlike null, nan or on."""
    parsed = OverridesParser.create().parse_override(f"detector={part}").value()
    return parsed == part and yaml.safe_load(part) == part
