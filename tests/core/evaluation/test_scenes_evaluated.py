"""A scorer that needs the other faces, evaluated with found and with given faces, and kept."""

from __future__ import annotations

from pathlib import Path

import pytest
import scenes
from evaluating import FRAMES, evaluated

from asdkit.core.registry import registry


@pytest.fixture
def moving(options):
    """The options of an evaluation by who moves most."""
    registry().add_all(scenes.asdkit_components(), registry().providers["scorer", "lip_motion"])
    yield [*(word for word in options if not word.startswith("scorer=")), "scorer=most_moving"]
    registry.cache_clear()


def test_with_found_faces_whether_computed_or_kept(moving):
    found = evaluated(moving)
    assert found["metrics"]["average_precision"] > 0.95
    lines = []
    again = evaluated(moving, "again", tell=lines.append)
    assert again["metrics"] == found["metrics"]
    assert all("kept from" in line for line in lines)


def test_with_given_faces(moving, folder):
    rows = [
        f"v,{k / 25:.2f},{x / 96},0.125,{(x + 40) / 96},0.875,{label},v:{x}"
        for k in range(0, FRAMES, 3)
        for x, label in (
            (4, "SPEAKING_AUDIBLE" if k < 40 else "NOT_SPEAKING"),
            (52, "SPEAKING_AUDIBLE" if k >= 40 else "NOT_SPEAKING"),
        )
    ]
    Path("truth.csv").write_text("\n".join(rows) + "\n")
    Path("videos").mkdir()
    Path("videos/v.mp4").write_bytes((folder / "one.mp4").read_bytes())
    given = ["dataset=ava", "dataset.truth=truth.csv", "dataset.videos=videos", *moving[1:]]
    found = evaluated([*given, "faces=labelled"])
    assert found["metrics"]["missed"] == 0
    assert found["metrics"]["average_precision"] > 0.95
