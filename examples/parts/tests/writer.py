"""The part as asdkit finds and makes it, by the checks that asdkit's own pass."""

from __future__ import annotations

from pathlib import Path

import asdkit
import pytest
from asdkit import testing


def test_it_keeps_its_contract(tmp_path: Path) -> None:
    """It writes a made-up result, and returns the files that it has written."""
    (path,) = testing.check_writer(asdkit.load("writer", "centre"), tmp_path)
    lines = path.read_text().splitlines()
    assert lines == ["track,start_s,end_s", "0,0.48,1.00"]


def test_wrong_parameters_are_refused() -> None:
    """In one line that names the parameter."""
    with pytest.raises(asdkit.AsdError, match="decimals"):
        asdkit.load("writer", "centre", decimals=-1)
