"""Patterns of files take in what a component writes, and nothing that is the user's."""

from __future__ import annotations

import pytest

from asdkit.core.file_patterns import fault_of, files_of, not_among
from asdkit.core.registry import registry


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("..", "within a folder"),
        ("a/../../b.txt", "within a folder"),
        ("a\\..\\b", "within a folder"),
        ("a\\b.txt", "within a folder"),
        ("\\a.txt", "within a folder"),
        ("C:/a.txt", "within a folder"),
        ("C:a.txt", "within a folder"),
        (".", "within a folder"),
        ("incomplete", "folder of asdkit's own"),
        ("incomplete/*", "folder of asdkit's own"),
        ("./Incomplete/answers.npz", "folder of asdkit's own"),
        ("**", "** cannot be in"),
        ("**/*", "** cannot be in"),
        ("clips/**/speaker_*.mp4", "** cannot be in"),
        ("*/speakers.txt", "must name the first folder"),
        ("i[n]complete/faces_*.txt", "must name the first folder"),
        ("*", "three letters or digits in a row before its suffix"),
        ("*.mp4", "three letters or digits in a row before its suffix"),
        ("?[a-z]*_*.mp4", "three letters or digits in a row before its suffix"),
        ("[faces]*.txt", "three letters or digits in a row before its suffix"),
        ("clips/*", "three letters or digits in a row, besides"),
        ("clips/*.[a-z]*", "three letters or digits in a row, besides"),
    ],
)
def test_patterns_that_match_files_of_others_are_refused(name, says):
    assert says in fault_of(name) and repr(name) in fault_of(name)


@pytest.mark.parametrize(
    "name",
    ["a.txt", "sub/a", "sub/a.b/c.txt", "faces_*.png", "clips/*.mp4", "a/*/face_?.txt", "é[0]abc"],
)
def test_patterns_of_own_files_are_taken(name):
    assert fault_of(name) == ""


def test_those_of_all_installed_writers_are_taken():
    names = [name for one in registry().of_kind("writer") for name in one.files]
    assert len(names) > 10 and not any(map(fault_of, names))


def test_files_are_found_by_name_and_pattern_and_others_are_told(tmp_path):
    for name in ("face_1.png", "face_2.png", "mine.png", "sub/face_3.png", "sub/index.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "face_link").symlink_to("nowhere")
    (tmp_path / "face_folder").mkdir()
    found = [path.name for path in files_of(tmp_path, "face_*")]
    assert found == ["face_1.png", "face_2.png", "face_link"]
    assert files_of(tmp_path, "sub") == files_of(tmp_path, "gone.txt") == []
    told = [tmp_path / name for name in ("face_1.png", "mine.png", "sub")]
    names = ["face_*.png", "sub/index.csv"]
    assert not_among(told, tmp_path, names) == [tmp_path / "mine.png", tmp_path / "sub/face_3.png"]
    assert not_among(told[:1], tmp_path, names) == []
