"""The pictures of the report that the pages show."""

from __future__ import annotations

import json
import runpy

import cv2
import pytest
from checkout import DOCS


@pytest.mark.slow
def test_they_are_made_by_their_script_and_are_small(browser, tmp_path):
    taken = runpy.run_path(str(DOCS / "screenshots.py"))["take"](browser, tmp_path)
    widths = {path.name: cv2.imread(str(path)).shape[1] for path in taken}
    assert widths == {
        **{f"report-{scheme}.png": 1440 for scheme in ("light", "dark")},
        **{f"report-narrow-{scheme}.png": 390 for scheme in ("light", "dark")},
    }
    for path in taken:
        assert (DOCS / path.name).exists(), "python docs/screenshots.py"
        assert path.stat().st_size < 200_000


def test_its_clip_has_a_face_in_each_picture(tmp_path):
    clip, boxes = runpy.run_path(str(DOCS / "screenshots.py"))["make_clip"](tmp_path)
    found = json.loads(boxes.read_text())
    video = cv2.VideoCapture(str(clip))
    assert len(found) == int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    assert [len(faces) for faces in found] == [2] * 275 + [1] * 125
