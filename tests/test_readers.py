"""Files that users name, damaged or hostile: one line with the file and the place, no traceback."""

from __future__ import annotations

import json
import os

import pytest

import asdkit
from asdkit.core.ava_csv import read_ava_predictions
from asdkit.core.batch.videos import find_videos
from asdkit.core.decisions.calibration import Calibration
from asdkit.core.errors import AsdError, InputError
from asdkit.core.evaluation.compare import compare
from asdkit.core.evaluation.repeat import read_evaluation
from asdkit.core.named_files import lines_of, parse_json, read_json
from asdkit.core.names_file import read_names
from asdkit.core.repeat import read_result
from asdkit.plugins.datasets import dialogue

DEEP = 20_000 * "[" + 20_000 * "]"
TEXTS = {
    "nothing": b"",
    "deep": DEEP.encode(),
    "deep objects": 5000 * b'{"a":' + b"1" + 5000 * b"}",
    "not so deep": 500 * b"[" + 500 * b"]",
    "nan": b"[NaN]",
    "inf": b"[1e999]",
    "digits": b"[" + 400 * b"1" + b"]",
    "many digits": b"[" + 5000 * b"1" + b"]",
    "zero byte": b"[\0]",
    "latin": '["\xe9"]'.encode("latin-1"),
    "utf-16": "[1]".encode("utf-16"),
    "surrogate": b'["\xed\xa0\x80"]',
    "number": b"3",
    "text": b'"text"',
    "null": b"null",
    "nested wrongly": b"[[[[1]]], {}, 3]",
    "mapping": b'{"schema": [], "settings": 3, "tracks": {}}',
    "comma": b"[1,,2]",
}
READERS = {
    "boxes": lambda path: asdkit.load("detector", "boxes", path=str(path)),
    "scenes": lambda path: asdkit.load("cutter", "csv", path=str(path)),
    "calibration": Calibration.read,
    "result": read_result,
    "loaded result": asdkit.Result.load,
    "names": read_names,
    "evaluation": lambda path: read_evaluation(path.parent),
    "comparison": lambda path: compare([path]),
    "labels": dialogue.read_dialogue,
    "turns": lambda path: list(lines_of(path, "truth")),
    "rows": read_ava_predictions,
    "videos": lambda path: find_videos(str(path), path.parent / "out"),
}
NAMES = {"evaluation": "evaluation.json", "comparison": "evaluation.json", "videos": "list.txt"}
HARMLESS = {(reader, text) for reader in ("videos", "turns") for text in TEXTS}
"""Any lines are paths of videos, which a batch finds missing one by one; or words."""


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("reader", READERS)
def test_a_text_is_read_or_refused_in_one_line(reader, text, tmp_path):
    path = tmp_path / NAMES.get(reader, "file.json")
    path.write_bytes(TEXTS[text])
    try:
        READERS[reader](path)
    except AsdError as error:
        assert len(str(error).splitlines()) == 1
        assert len(str(error)) < 1000
        assert str(path) in str(error) or reader == "comparison"
    else:
        assert (reader, text) in HARMLESS


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("reader", [r for r in READERS if r not in ("comparison", "videos")])
def test_a_pipe_is_not_waited_for(reader, tmp_path):
    path = tmp_path / NAMES.get(reader, "file.json")
    os.mkfifo(path)
    with pytest.raises(AsdError, match=r"pipe"):
        READERS[reader](path)


def test_a_file_that_is_too_large(tmp_path):
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(2000)
    with pytest.raises(InputError, match=r"larger than 1000 bytes"):
        read_json(path, "a result", "", most_bytes=1000)


def test_json_is_what_it_was():
    values = {"a": [1, -2.5, 1e-300, 18446744073709551615, None, True, "\u00e9"], "b": {}}
    assert parse_json(json.dumps(values)) == values


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1,1,nan\n", "Line 1"),
        ("1,1,00:00:00.0,-1\n", "Line 1"),
        ("1,1,00:00:00.000,0\n2,9,x,inf\n", "Line 2"),
        (f"1,1,00:00:00.000,0\n2,9,{400 * '9'}:00:00.000,x\n", "Line 2"),
        (f"1,1,00:00:00.000,{5000 * '9'}\n", "Line 1"),
    ],
)
def test_starts_of_scenes_that_are_none(tmp_path, text, says):
    path = tmp_path / "scenes.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        READERS["scenes"](path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("frame,x1,y1,x2,y2,score\n0,1,2,3,4,1\n\n1,1,2,3\n", "line 4 has a face"),
        ("0,1,2,3,inf,1\n", "line 1 has the box"),
        (f"{400 * '9'},1,2,3,4,1\n", "line 1 has .* as frame"),
        ("-1,1,2,3,4,1\n", "line 1 has .* as frame"),
        (f"0,1,2,3,{400 * '9'},1\n", "line 1 has the box"),
        ("[[[1,2,3,4,null]]]", "frame 0 has a face"),
        ('[[], [{"x1": 1}]]', "frame 1 holds a face"),
        ("[[], 3]", "frame 1 is no list"),
    ],
)
def test_boxes_that_are_none(tmp_path, text, says):
    path = tmp_path / "boxes.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        READERS["boxes"](path)


def test_a_list_of_videos_with_a_zero_byte(tmp_path):
    path = tmp_path / "list.txt"
    path.write_bytes(b"a.mp4\nb\0.mp4\n")
    with pytest.raises(InputError, match=r"Line 2 of .*list.txt holds a zero byte"):
        READERS["videos"](path)
