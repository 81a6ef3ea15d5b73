"""Who speaks when in all videos of a batch, in one table and one RTTM."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from batching import batch, record

from asdkit.core.batch import finished_videos
from asdkit.core.batch.manifest import writing
from asdkit.core.batch.tables import write_tables
from asdkit.core.errors import InputError
from asdkit.core.result import Result
from asdkit.core.rttm import read_rttm

pytestmark = pytest.mark.usefixtures("nowhere", "at_once")
TALKS = ["writers=[json,rttm]", "segments.on=0", "segments.off=0"]
"""Every face speaks all the time."""


@pytest.fixture
def done(nowhere, at_once, clip, videos):
    """A batch of three videos, two of them of one name; and one that fails."""
    videos("z.mp4")
    for folder in ("a", "b"):
        Path("talks", folder).mkdir()
        shutil.copy(clip, Path("talks", folder, "one.mp4"))
    Path("talks/broken.mp4").write_bytes(b"nothing to see")
    batch(*TALKS, failed=1)


def edited(name, edit):
    """Change what a result.json says."""
    path = Path("out", name, "result.json")
    values = json.loads(path.read_text())
    edit(values)
    path.write_text(json.dumps(values))


@pytest.mark.usefixtures("done")
def test_one_table_and_one_rttm_of_all_videos(asd):
    edited("b-one", lambda values: values["video"].update(start_s=2.5))
    edited("z", lambda values: values["tracks"][0].update(speaking=[], identity="=Ann B"))
    code, out, err = asd("batch", "table", "out")
    assert (code, err) == (0, "")
    files = [f"out/{name}" for name in ("turns.csv", "people.csv", "speakers.rttm")]
    assert out.splitlines() == ["videos: 3, turns: 2, people or tracks: 3", *files]
    turns = pd.read_csv("out/turns.csv")
    assert list(turns.columns) == ["video", "name", "start_s", "end_s", "duration_s"]
    assert turns.values.tolist() == [
        ["a-one", "track_0", 0.0, 1.0, 1.0],
        ["b-one", "track_0", 2.5, 3.5, 1.0],
    ]
    people = pd.read_csv("out/people.csv")
    assert list(people.columns) == ["video", "name", "turns", "speaking_s", "visible_s"]
    assert people.values.tolist() == [
        ["a-one", "track_0", 1, 1.0, 1.0],
        ["b-one", "track_0", 1, 1.0, 1.0],
        ["z", "_=Ann B", 0, 0.0, 1.0],
    ]
    assert read_rttm([Path("out/speakers.rttm")]) == {
        "a-one": {"track_0": ((0.0, 1.0),)},
        "b-one": {"track_0": ((2.5, 3.5),)},
    }


@pytest.mark.usefixtures("done")
def test_tracks_that_a_voice_joins_are_one_person(asd):
    def joined(values):
        values["tracks"].append({**values["tracks"][0], "id": 1})
        voice = {"name": "S0", "person": "track_0", "confidence": 0.9, "tracks": [0, 1]}
        other = {**voice, "name": "S1", "person": None, "tracks": [], "turns": [[0.5, 0.75]]}
        voice["turns"] = [[0.0, 0.4]]
        rest = {"exceptions": [], "cannot_be": []}
        values["voices"] = [{**voice, **rest}, {**other, **rest}]

    edited("z", joined)
    assert asd("batch", "table", "out")[0] == 0
    people = pd.read_csv("out/people.csv")
    assert people[people.video == "z"].values.tolist() == [
        ["z", "track_0", 1, 0.4, 2.0],
        ["z", "S1", 1, 0.25, 0.0],
    ]


@pytest.mark.usefixtures("done")
def test_results_of_before_there_were_names_have_the_batchs_own():
    for name in ("a-one", "b-one"):
        edited(name, lambda values: values["video"].pop("name"))
    write_tables(Path("out"), Path("tables"))
    assert list(read_rttm([Path("tables/speakers.rttm")])) == ["a-one", "b-one", "z"]
    assert list(pd.read_csv("tables/turns.csv").video) == ["a-one", "b-one", "z"]
    assert not Path("out/turns.csv").exists()


def test_names_that_are_one_in_rttm_are_two_in_it(videos):
    """Names of before they were kept apart stay as they are."""
    videos("a b.mp4", "c.mp4")
    batch(*TALKS)
    with writing(Path("out"), 1) as manifest:
        manifest.add(record(video="/a_b", name="a_b", files=["result.json"], shard=1))
    Path("out/c").rename("out/a_b")
    Path("out/manifest-0.jsonl").write_text(
        "".join(
            line
            for line in Path("out/manifest-0.jsonl").read_text().splitlines(keepends=True)
            if '"name": "c"' not in line
        )
    )
    write_tables(Path("out"))
    assert list(read_rttm([Path("out/speakers.rttm")])) == ["a_b_2", "a_b"]


@pytest.mark.usefixtures("done")
def test_results_that_are_missing_or_damaged_are_left_out_and_told(asd):
    Path("out/a-one/result.json").unlink()
    Path("out/z/result.json").write_text("{")
    Path("out/manifest-3.jsonl").write_text('damaged\n{"torn')
    code, out, err = asd("batch", "table", "out", "output=tables")
    assert (code, out.splitlines()[0]) == (2, "videos: 1, turns: 1, people or tracks: 1")
    assert err.startswith(
        "asd: 2 of 3 videos are left out. The first: out/a-one/result.json cannot be read"
    )
    assert err.count("\n") == 1
    assert list(pd.read_csv("tables/turns.csv").video) == ["b-one"]
    Path("out/b-one/result.json").write_text("[]")
    before = Path("tables/turns.csv").read_text()
    with pytest.raises(InputError, match=r"^No result in out can be read\. The first: out/a-one"):
        write_tables(Path("out"), Path("tables"))
    assert Path("tables/turns.csv").read_text() == before
    assert sorted(path.name for path in Path("tables").iterdir()) == [
        "people.csv", "speakers.rttm", "turns.csv",
    ]  # fmt: skip


@pytest.mark.usefixtures("done")
def test_only_one_result_is_in_memory_at_a_time(monkeypatch):
    alive = []

    class Counted(Result):
        def __init__(self, *args, **values):
            super().__init__(*args, **values)
            alive.append(1)

        def __del__(self):
            alive.pop()

    most = []
    real = Result.load

    def load(path):
        most.append(len(alive))
        return Counted(**vars(real(path)))

    monkeypatch.setattr(finished_videos.Result, "load", load)
    assert write_tables(Path("out")).videos == 3
    assert max(most) <= 2, "that of the loop, and its renamed copy"


def test_errors_are_one_line(refused, videos):
    videos()
    Path("talks/broken.mp4").write_bytes(b"nothing to see")
    assert refused("batch", "table", "none").startswith("asd: There is no folder none. Name the")
    assert refused("batch", "table", "talks").startswith("asd: talks holds no manifest of a batch")
    assert "output names no folder" in refused("batch", "table", "talks", "output=")
    assert refused("batch", "table") == (
        "asd: batch table takes one folder, but got none. "
        "Use: asd batch table FOLDER [output=FOLDER]"
    )
    assert refused("batch", "table", "out", "writers=[rttm]").startswith("asd: There is no option")
    batch(failed=1)
    told = "asd: No video of out is done. asd batch status out tells what became of them"
    assert refused("batch", "table", "out") == told
    shutil.rmtree("out")
    videos("a.mp4")
    batch("writers=[rttm]", failed=1)
    told = "asd: No result in out can be read. a has no result.json. The writer json writes it"
    assert refused("batch", "table", "out").startswith(told)
    batch("writers=[json]", failed=1)
    Path("file").touch()
    told = "asd: Cannot write file/turns.csv: File exists. Choose another folder with output="
    assert refused("batch", "table", "out", "output=file").startswith(told)


def test_no_folder_of_results_is_called_like_a_table(videos):
    videos("turns.csv.mp4")
    batch(*TALKS)
    assert write_tables(Path("out")).files[0].is_file()
