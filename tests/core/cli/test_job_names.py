"""Folders of the jobs of a sweep: what differs, and nothing that a file system would not take."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdkit.core.cli.job_names import LONGEST, job_names


@pytest.mark.parametrize(
    ("jobs", "names"),
    [
        ([{"scorer": "lr_asd@ava", "seed": 1}], [""]),
        (
            [{"seed": 1, "scorer": name} for name in ("lr_asd@ava", "talknet")],
            ["scorer=lr_asd@ava", "scorer=talknet"],
        ),
        (  # the parts first, in whatever order they were typed
            [{"scorer": "talknet", "detector": name, "decisions": name} for name in ("a", "b")],
            ["detector=a,decisions=a", "detector=b,decisions=b"],
        ),
        ([{"x": 1}, {}], ["x=1", ""]),
        (
            [{"x": one} for one in ([1, 2.5], [], None, True, "a b", {"k": -1})],
            ["x=1+2.5", "x=", "x=null", "x=true", "x=a-b", "x=k--1"],
        ),
        ([{"x": "/data/one.mp4"}, {"x": "two/"}], ["x=one.mp4", "x=two"]),
    ],
)
def test_a_name_says_what_differs(jobs, names):
    assert job_names(jobs) == names


def test_what_would_be_the_same_gets_a_hash():
    first, second, third = job_names([{"x": "a/one"}, {"x": "b/ONE"}, {"x": "two."}])
    assert first.startswith("x=one-")
    assert second.startswith("x=ONE-")
    assert third.startswith("x=two.-")  # Windows drops a dot at the end
    assert job_names([{"x": "b/ONE"}, {"x": "a/one"}]) == [second, first]


@given(st.lists(st.text(max_size=200), min_size=2, max_size=5, unique=True))
def test_any_text_makes_a_folder_of_its_own(texts):
    names = job_names([{"video": text} for text in texts])
    assert len({name.casefold() for name in names}) == len(texts)
    for name in names:
        assert len(name) <= LONGEST
        assert name.isascii()
        assert not set(name) & set(' <>:"/\\|?*\n')
        assert not name.endswith(".")
        assert Path(name).name == name
