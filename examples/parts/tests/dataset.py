"""The part as asdkit finds and makes it, by the checks that asdkit's own pass."""

from __future__ import annotations

from pathlib import Path

import asdkit
import numpy as np
import pytest
from asdkit import testing


def test_it_keeps_its_contract(tmp_path: Path) -> None:
    """Its videos are there, and what is said of them can be used."""
    table = tmp_path / "talk.csv"
    table.write_text("person,start_s,end_s\nann,1.0,1.5\nann,0.2,0.8\nbob,0.5,1.0\n")
    pictures = [np.zeros((120, 160, 3), np.uint8)] * 50
    testing.write_video(tmp_path / "talk.mp4", pictures, np.zeros(32_000, np.int16))
    dataset = asdkit.load("dataset", "centre", folder=str(tmp_path))
    (video,) = testing.check_dataset(dataset)
    assert video.name == "talk"
    assert video.speakers == {"ann": ((0.2, 0.8), (1.0, 1.5)), "bob": ((0.5, 1.0),)}


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "person,start_s,end_s\nann,soon,1\n"])
def test_wrong_tables_are_named_with_the_line(tmp_path: Path, text: str) -> None:
    """And so is a folder without any."""
    with pytest.raises(asdkit.AsdError, match="holds no NAME.csv"):
        asdkit.load("dataset", "centre", folder=str(tmp_path)).videos()
    (tmp_path / "talk.csv").write_text(text)
    with pytest.raises(asdkit.AsdError, match="talk.csv, line 2"):
        asdkit.load("dataset", "centre", folder=str(tmp_path)).videos()
