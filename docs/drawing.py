"""Draws docs/architecture.md's picture of the package from its imports.

    python docs/drawing.py            prints it
    python docs/drawing.py --write    puts it into the page

A room is a module or a wing, that is, a folder of modules, seen from the folder it lies in. Each
room stands one floor above the highest of those that it imports, lazily or not. `Result` alone is
drawn without what does the work of its methods, which it imports when they are called.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import grimp

PAGE = Path(__file__).parent / "architecture.md"
BEGIN, END = "<!-- drawn by docs/drawing.py -->\n", "<!-- to here -->\n"
WIDTH = 100
RESULT = "asdkit.core.result"
WORKERS = ("asdkit.core.decisions", "asdkit.core.finished", "asdkit.core.results")
"""What does the work of the methods of `Result`, as pyproject.toml's contracts name them."""


def rooms(graph: grimp.ImportGraph, folder: str) -> dict[str, set[str]]:
    """The rooms of a folder, each with those that it imports."""
    children = graph.find_children(folder)
    home = {
        module: child for child in children for module in {child, *graph.find_descendants(child)}
    }
    known: dict[str, set[str]] = {child: set() for child in children}
    for module, child in home.items():
        imported = {home.get(other) for other in graph.find_modules_directly_imported_by(module)}
        known[child] |= {other for other in imported if other and other != child}
    known.get(RESULT, set()).difference_update(WORKERS)
    return known


def floors(known: dict[str, set[str]]) -> list[list[str]]:
    """Rooms by their floor, the lowest first.

    Raises:
        ValueError: Some rooms know each other in a circle.
    """
    above: set[str] = set()

    @cache
    def floor(room: str) -> int:
        if room in above:
            raise ValueError(f"a circle of imports passes through {room}")
        above.add(room)
        found = 1 + max(map(floor, known[room]), default=-1)
        above.remove(room)
        return found

    levels: list[list[str]] = [[] for _ in range(1 + max(map(floor, known)))]
    for room in sorted(known):
        levels[floor(room)].append(room)
    return levels


def drawing() -> str:
    """The picture, as an indented block of Markdown."""
    graph = grimp.build_graph("asdkit", cache_dir=None)
    lines = []
    for folder in ("asdkit.core", "asdkit.plugins"):
        known = rooms(graph, folder)
        arrows = sum(map(len, known.values()))
        levels = floors(known)
        lines.append(f"{folder}: {len(known)} rooms on {len(levels)} floors, {arrows} arrows")
        for number, level in reversed(list(enumerate(levels))):
            names = [
                room.rpartition(".")[2] + ("/" if graph.find_children(room) else "")
                for room in level
            ]
            text = f"{number:>4} |"
            for name in names:
                if len(text) + 2 + len(name) > WIDTH - 4:
                    lines.append(text)
                    text = "     |"
                text += f"  {name}"
            lines.append(text)
        lines.append("")
    return "".join(f"    {line}".rstrip() + "\n" for line in lines[:-1])


def drawn_page() -> str:
    """The page with the picture in its place."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{drawing()}\n{END}{after}"


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(drawn_page(), encoding="utf-8")
    else:
        print(drawing(), end="")
