"""WASD: AVA rows and crops in one folder, five categories.

Roxo et al., "WASD: A Wilder Active Speaker Detection Dataset", 2024;
github.com/Tiago-Roxo/WASD.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...core.component import Context
from ...core.errors import InputError
from ...core.files import same_form
from ...core.named_files import shown, text_of
from .ava_folder import AvaFolder, AvaFolderConfig, Lists

CATEGORIES = {
    "Interview": "OC",
    "Debate": "SI",
    "Podcast": "FO",
    "React": "HVN",
    "Police": "SS",
}
"""By heading of the published dataset_division.txt: the name in the paper.

The published WASD_evaluation.py looks for the names in the paper; its authors' wasd_metadata.csv,
which numbers the categories of the same videos, and eval/README.md, which names the numbers, tell
which heading is which.
"""
_HEADINGS = f"# {', # '.join(CATEGORIES)}, or # {', # '.join(CATEGORIES.values())}"


@dataclass(frozen=True)
class WasdConfig(AvaFolderConfig):
    """Parameters of the `wasd` dataset; its crops are used if nothing else is given.

    Attributes:
        categories: The published eval/dataset_division.txt; None reports no categories.
    """


def read_division(path: Path) -> Lists:
    """Read dataset_division.txt: headings such as "# Interview", each above names of videos.

    A video belongs to a category if a name under its heading is part of the video's name, as in
    WASD_evaluation.py: the names are those of whole videos, from which pieces were cut. It may
    belong to several.

    Raises:
        InputError: The file cannot be read, a heading is unknown, or names stand above the first.
    """
    names: dict[str, list[str]] = defaultdict(list)
    under = None
    for number, line in enumerate(text_of(path, "categories").splitlines(), 1):
        text = same_form(line.strip())
        if "#" in text:
            heading = text.split("#")[1].strip()
            under = CATEGORIES.get(heading, heading)
        if text and under not in CATEGORIES.values():
            raise InputError(
                f"{path}:{number} holds {shown(text)}, which is under no known category",
                f"Headings should be {_HEADINGS}",
            )
        if text and "#" not in text and under is not None:
            names[under].append(text)
    return {category: partial(_part_of, of_it) for category, of_it in names.items()}


def _part_of(names: list[str], video: str) -> bool:
    return any(name in video for name in names)


def build(config: WasdConfig, context: Context) -> AvaFolder:
    """Build the dataset."""
    return AvaFolder(config, read_division)
