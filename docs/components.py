"""Writes docs/components.md, the components that come with asdkit, with their parameters.

python docs/components.py            prints it
python docs/components.py --write    puts it into the page
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path

from asdkit.core.cli.help import attributes
from asdkit.core.component import KINDS, Component
from asdkit.core.registry import registry

PAGE = Path(__file__).parent / "components.md"


def page() -> str:
    """The page: its head as it is, and a section for each kind, with its components by name."""
    head = PAGE.read_text(encoding="utf-8").partition("## ")[0]
    return head + "\n".join(_sections())


def _sections() -> Iterator[str]:
    for kind in KINDS:
        yield f"## {kind}\n"
        for component in registry().of_kind(kind):
            if registry().providers[kind, component.name].name == "asdkit":
                yield from _section(component)


def _section(component: Component) -> Iterator[str]:
    yield f"### {component.kind} {component.name}\n"
    yield f"{component.about[:1].upper()}{component.about[1:]}.\n"
    if component.files:
        yield f"Writes {', '.join(f'`{file}`' for file in component.files)}.\n"
    if component.weights:
        yield f"Weights: {', '.join(f'`{weights.name}`' for weights in component.weights)}.\n"
    rows = list(_rows(component.config))
    if rows:
        yield "| parameter | default | |\n| --- | --- | --- |"
        yield "\n".join(rows) + "\n"


def _rows(config: type) -> Iterator[str]:
    described = attributes(config)
    for field in dataclasses.fields(config):
        about = described.get(field.name, "").replace("|", "\\|")
        yield f"| `{field.name}` | {_default(field)} | {about} |"


def _default(field: dataclasses.Field[object]) -> str:
    if field.default_factory is not dataclasses.MISSING:
        value: object = field.default_factory()
    elif field.default in (dataclasses.MISSING, "???"):
        return "must be given"
    else:
        value = field.default
    return f"`{'null' if value is None else value}`".lower() if _is_plain(value) else f"`{value}`"


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, bool)


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        print(page(), end="")
