"""The pictures of the page of asd live that the pages show."""

from __future__ import annotations

import runpy

import cv2
import pytest
from checkout import DOCS
from told import needs_aiohttp


@pytest.mark.slow
def test_they_are_made_by_their_script_and_are_small(browser, tmp_path):
    needs_aiohttp()
    taken = runpy.run_path(str(DOCS / "screenshots.py"))["take_live"](browser, tmp_path)
    widths = {path.name: cv2.imread(str(path)).shape[1] for path in taken}
    assert widths == {
        **{f"live-{scheme}.png": 1440 for scheme in ("light", "dark")},
        **{f"live-narrow-{scheme}.png": 390 for scheme in ("light", "dark")},
    }
    for path in taken:
        assert (DOCS / path.name).exists(), "python docs/screenshots.py"
        assert path.stat().st_size < 200_000
