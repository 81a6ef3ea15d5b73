"""UniTalk: AVA rows and crops in one folder, and lists of the videos of four categories.

Nguyen et al., "UniTalk: Towards Universal Active Speaker Detection in Real World Scenarios", 2025;
github.com/plnguyen2908/UniTalk-ASD.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...core.component import Context
from ...core.errors import InputError
from ...core.files import same_form
from ...core.named_files import text_of
from .ava_folder import AvaFolder, AvaFolderConfig, Lists
from .folders import files_in

_LIST = "test_"


@dataclass(frozen=True)
class UniTalkConfig(AvaFolderConfig):
    """Parameters of the `unitalk` dataset; its crops are used if nothing else is given.

    Attributes:
        categories: The published folder sub_categories; None reports no categories.
    """


def read_sub_categories(folder: Path) -> Lists:
    """Read the lists test_CATEGORY.csv of a folder: the name of a video in each line.

    Raises:
        InputError: There is no such list, or one cannot be read.
    """
    lists = {
        same_form(path.stem.removeprefix(_LIST)): {
            same_form(line.strip()) for line in text_of(path, "categories").splitlines()
        }
        for path in files_in(folder, ".csv", "categories")
        if path.stem.startswith(_LIST)
    }
    if not lists:
        raise InputError(
            f"The folder {folder} holds no {_LIST}CATEGORY.csv",
            "Give the folder sub_categories as it was published",
        )
    return {category: names.__contains__ for category, names in lists.items()}


def build(config: UniTalkConfig, context: Context) -> AvaFolder:
    """Build the dataset."""
    return AvaFolder(config, read_sub_categories)
