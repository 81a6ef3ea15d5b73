"""Names and lines that published loaders read, and what a dataset says of its crops."""

from __future__ import annotations

import numpy as np
import pytest

from asdkit.core.data.labelled import FaceLabels
from asdkit.core.data.published import entities, loader_line, video_id
from asdkit.core.errors import PluginError
from asdkit.core.evaluation.checked_dataset import videos_of
from asdkit.core.labels import LabelledFace, LabelledVideo, Measure


def face(person: str, first_s: float = 0.0) -> FaceLabels:
    time_s = first_s + np.arange(3) / 25
    return FaceLabels(person, time_s, np.zeros(3, bool), np.ones((3, 4)))


def test_names_of_videos_have_eleven_characters():
    assert video_id("_mAfwH6i90E") == "_mAfwH6i90E"
    assert video_id("a b") == "a_b________"
    long = [video_id(f"a long name, number {k}") for k in range(100)]
    assert {len(name) for name in long} == {11}
    assert len(set(long)) == 100
    assert all(name.startswith("a_lo") for name in long)
    assert not video_id(".hidden").startswith(".")


def test_names_of_faces_begin_with_the_video_and_differ_as_files():
    video = "_mAfwH6i90E"
    people = [f"{video}_0:1", f"{video}_0_1", "Ann/Bob", "ann_bob", "zoe", "zoe"]
    named = entities(video, [face(person, k) for k, person in enumerate(people)])
    names = [entity.id for entity in named]
    assert all(name.startswith(video) and "/" not in name for name in names)
    assert f"{video}_0:1" in names
    assert {f"{video}_zoe_0", f"{video}_zoe_1"} <= set(names)
    alike = {"".join(c if c.isalnum() else "_" for c in name).casefold() for name in names}
    assert len(alike) == len(people)


def test_a_line_says_the_rate_of_its_labels():
    line = loader_line("a_b", [0.0, 1 / 30, 2 / 30], [0, 1, 1], 7)
    assert line == "a_b\t3\t30\t[0, 1, 1]\t7\n"
    assert loader_line("a_b", [0.5], [1], 0) == "a_b\t1\t25\t[1]\t0\n"


class Strange:
    measure = Measure("f1")

    def videos(self):
        own = LabelledFace(0, np.ones((1, 4)), lambda: [], lambda: [1, 2, 3])
        return [LabelledVideo("one", None, faces=(own,))]


def test_sizes_of_crops_that_are_no_array_are_told():
    (video,) = videos_of("dataset=strange", Strange())
    with pytest.raises(PluginError, match=r"dataset=strange must answer with an array \(m, 3\)"):
        video.faces[0].crops()
