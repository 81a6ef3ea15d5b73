"""The manifest: whole whatever is torn, and nothing else is touched whatever it says."""

from __future__ import annotations

import json
import os
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest
from batching import batch, latest, record, results, states
from hypothesis import given, settings
from hypothesis import strategies as st

from asdkit.core.batch.manifest import Manifest, Records, now, writing
from asdkit.core.errors import OutputError
from asdkit.core.files import claim

pytestmark = pytest.mark.usefixtures("nowhere")
RECORDS = st.builds(
    record,
    video=st.sampled_from(["/a.mp4", "/b.mp4", "/\u0433 \n.mp4", "/\udcff.mp4"]),
    state=st.sampled_from(["started", "done", "failed"]),
    error=st.none() | st.text(),
    timings_s=st.none() | st.just({"total": 1.5}),
)


@settings(max_examples=60)
@given(st.lists(RECORDS, min_size=1, max_size=5), st.data())
def test_a_manifest_torn_anywhere_is_read_and_mended(tmp_path_factory, records, data):
    folder = tmp_path_factory.mktemp("torn")
    path = folder / "manifest-0.jsonl"
    with writing(folder, 0) as manifest:
        for one in records:
            manifest.add(one)
    lines = path.read_bytes().splitlines(keepends=True)
    cut = data.draw(st.integers(0, len(path.read_bytes())), label="cut at byte")
    os.truncate(path, cut)
    kept = sum(sum(map(len, lines[: n + 1])) <= cut for n in range(len(lines)))
    whole = {one.video: one for one in records[:kept]}
    reader = Records(folder)
    assert reader.latest == whole
    last = record(video="/z.mp4")
    with writing(folder, 0) as manifest:
        manifest.add(last)
    reader.refresh()
    assert reader.latest == Records(folder).latest == {**whole, "/z.mp4": last}
    assert path.read_bytes() == b"".join(lines[:kept]) + path.read_bytes().splitlines(True)[-1]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["/a", "/b"])), max_size=12))
def test_the_latest_record_wins_whichever_shard_wrote_it(tmp_path_factory, written):
    folder = tmp_path_factory.mktemp("union")
    reader = Records(folder / "not" / "there")
    reader = Records(folder)
    expected = {}
    for shard, video in written:
        expected[video] = record(video=video, shard=shard, time=now(), pid=len(expected))
        with writing(folder, shard) as manifest:
            manifest.add(expected[video])
        if len(expected) % 2:
            reader.refresh()
    reader.refresh()
    assert reader.latest == Records(folder).latest == expected


def test_a_clock_that_was_set_back_does_not_bring_back_the_past(tmp_path):
    with writing(tmp_path, 0) as manifest:
        manifest.add(record(state="started", time="2026-01-02"))
        manifest.add(record(state="done", time="2026-01-01"))
    assert latest(tmp_path)["a"].state == "done"


def test_lines_that_are_no_records_are_passed_over(tmp_path):
    good = json.dumps({**asdict(record()), "of_a_later_version": 1})
    whole = json.loads(good)
    bad = ["{", "[]", "3", "{}", '{"state": "settings"}', '{"state": "done"}', "\0\0"]
    bad += ["[" * 100_000, '{"a":' * 100_000, '{"state": %s}' % ("9" * 5000), "\ufeff{}"]
    bad += ['{"state": "settings", "settings_hash": [], "settings": {}}', "NaN"]
    wrong = [("shard", "0"), ("pid", None), ("files", 3), ("files", [1]), ("files", ["a\0b"])]
    wrong += [("timings_s", []), ("size_bytes", "9"), ("mtime_ns", 1.5), ("time", 3), ("host", [])]
    wrong += [("state", "lost"), ("video", "a.mp4"), ("video", "/a\0.mp4"), ("seconds", True)]
    wrong += [("sha256", 7), ("error", {}), ("name", None)]
    bad += [json.dumps({**whole, key: value}) for key, value in wrong]
    path = tmp_path / "manifest-3.jsonl"
    path.write_text("\n".join([*bad, good, "", *bad, ""]))
    records = Records(tmp_path)
    assert [record.name for record in records.latest.values()] == ["a"]
    numbers = [*range(1, len(bad) + 1), *range(len(bad) + 3, 2 * len(bad) + 3)]
    assert records.passed_over == [f"{path}:{number}" for number in numbers]


@pytest.mark.parametrize(
    "name", ["..", ".", "", "/", "../other", "a/b", "/etc", "a\0", ".hidden", "./a", "a/", "a/.."]
)
@pytest.mark.usefixtures("at_once")
def test_a_name_in_a_manifest_that_is_no_plain_one_touches_nothing(videos, name):
    videos("a.mp4")
    for folder in ("other", "out/b", "out/.hidden"):
        Path(folder).mkdir(parents=True)
        Path(folder, "precious.txt").write_text("kept")
    good = record(video=str(Path("talks/a.mp4").absolute()), state="started")
    line = json.dumps({**asdict(good), "name": name})
    Path("out/manifest-0.jsonl").write_text(line + "\n")
    lines = batch()
    assert lines[0] == "out/manifest-0.jsonl:1 is no line of a manifest: it is passed over"
    assert states() == {"a": "done"}
    for folder in ("other", "out/b", "out/.hidden"):
        assert Path(folder, "precious.txt").read_text() == "kept"


@pytest.mark.usefixtures("at_once")
def test_a_damaged_line_costs_its_video_alone(videos):
    videos("a.mp4", "b.mp4")
    batch()
    path = Path("out/manifest-0.jsonl")
    lines = path.read_text().splitlines()
    mended = [line for line in lines if '"name": "b"' not in line]
    path.write_text("\n".join([*mended, "[" * 50_000, ""]))
    told = batch()
    assert told[0] == f"{path}:{len(mended) + 1} is no line of a manifest: it is passed over"
    assert told[1] == "2 videos, 1 to do"
    # What stands where the results of b would go is perhaps not of the batch: it is left alone.
    assert states() == {"a": "done", "b.mp4": "done"}
    assert results() == ["a", "b", "b.mp4"]
    assert batch()[1] == "2 videos, 0 to do"


@pytest.mark.usefixtures("at_once")
def test_pandas_reads_the_manifest(videos):
    videos("a.mp4", "b raise.mp4")
    batch(failed=1)
    table = pd.read_json("out/manifest-0.jsonl", lines=True).set_index("name")
    table = table[table.state.isin(["done", "failed"])]
    assert table.loc["a", "seconds"] > 0
    assert table.loc["a", "video_s"] == pytest.approx(1, abs=0.05)
    assert "total" in table.loc["a", "timings_s"]
    assert table.loc["a", "files"] == ["result.json", "moody.txt"]
    assert "RuntimeError: not today" in table.loc["b raise", "error"]


def test_a_full_disk_is_told():
    with (
        closing(Manifest(Path("/dev/full"), 0)) as manifest,
        pytest.raises(OutputError, match="Cannot write /dev/full"),
    ):
        manifest.add(record())


def test_a_claim_ends_with_its_release(tmp_path):
    lock = claim(tmp_path / "x")
    assert claim(tmp_path / "x") is None
    lock.release()
    assert claim(tmp_path / "x")
