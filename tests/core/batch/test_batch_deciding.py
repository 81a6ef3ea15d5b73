"""Thresholds of a batch that is done are changed without inference, as if it had run with them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from batching import batch, latest, states

from asdkit.core.batch import workers
from asdkit.core.batch.deciding import Change
from asdkit.core.batch.status import status_of
from asdkit.core.rttm import read_rttm

pytestmark = pytest.mark.usefixtures("nowhere", "at_once")
WRITERS = "writers=[json,rttm]"


@pytest.fixture
def done(nowhere, at_once, videos):
    """A batch in which nobody is found to speak."""
    videos("a.mp4", "b.mp4")
    batch(WRITERS, "segments.on=1", "segments.off=1")


def content(folder, name):
    found = json.loads(Path(folder, name, "result.json").read_text())
    return {key: value for key, value in found.items() if key != "timings_s"}


@pytest.mark.usefixtures("done")
def test_it_is_what_a_batch_with_these_options_finds(asd, monkeypatch):
    before = {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()}
    with monkeypatch.context() as patched:
        patched.setattr(workers, "execute", None)  # no inference
        words = ["segments.on=0", "segments.off=0", "output=other"]
        code, out, err = asd("batch", "decide", "out", *words)
    assert (code, err) == (0, "")
    assert out.splitlines()[0].startswith("1/2 a: ")
    assert out.splitlines()[0].endswith(" s of speaking faces, before 0.00 s")
    assert before == {path: path.read_bytes() for path in before}
    batch(WRITERS, "segments.on=0", "segments.off=0", "output=anew")
    for name in ("a", "b"):
        wanted = content("anew", name)
        wanted["settings"]["output"] = f"other/{name}"
        assert content("other", name) == wanted
        assert wanted["tracks"][0]["speaking"]
        for folder in ("anew", "other"):
            assert read_rttm([Path(folder, name, "speakers.rttm")])[name]
    told = batch(WRITERS, "segments.on=0", "segments.off=0", "output=other")
    assert told[0] == "2 videos, 0 to do", "a batch goes on from there"


@pytest.mark.usefixtures("done")
def test_the_folder_is_one_of_a_batch(asd, videos):
    asd("batch", "decide", "out", "decisions=exclusive", "output=other", "writers=[json]")
    assert sorted(path.name for path in Path("other/a").iterdir()) == ["result.json"]
    assert content("other", "a")["settings"]["decisions"] == "exclusive"
    record, before = latest("other")["a"], latest("out")["a"]
    assert (record.files, record.sha256, record.video_s) == (
        ["result.json"],
        before.sha256,
        before.video_s,
    )
    found = status_of(Path("other"))
    assert (len(found.done), found.left, found.guessed) == (2, 0, False)
    assert asd("batch", "table", "other")[0] == 0
    told = batch("writers=[json]", "decisions=exclusive", "segments.on=1", "segments.off=1",
                 "output=other")  # fmt: skip
    assert told[0] == "2 videos, 0 to do"


@pytest.mark.usefixtures("done")
def test_only_other_files_may_be_asked_for(asd):
    assert asd("batch", "decide", "out", "writers=[ava]", "output=other")[0] == 0
    assert sorted(path.name for path in Path("other/a").iterdir()) == ["ava.csv"]
    assert Change.of(["writers=[ava]"]).apply("as it is") == "as it is"


@pytest.mark.usefixtures("done")
def test_a_calibration_is_applied(asd):
    Path("sure.json").write_text(
        json.dumps(
            {
                **{"schema": "asdkit.calibration/1", "scorer": "lip_motion"},
                **{"temperature": 1.0, "bias": 50.0},
            }
        )
    )
    words = ["calibration=sure.json", "output=other"]
    assert asd("batch", "decide", "out", *words)[0] == 0
    assert content("other", "a")["tracks"][0]["speaking"] == [[0.0, 1.0]]
    told = batch(WRITERS, "segments.on=1", "segments.off=1", "scorer.calibration=sure.json",
                 "output=other")  # fmt: skip
    assert told[0] == "2 videos, 0 to do"


@pytest.mark.usefixtures("done")
def test_a_result_that_is_damaged_costs_itself_alone(asd):
    Path("out/a/result.json").write_text("{")
    code, out, err = asd("batch", "decide", "out", "segments.off=0", "output=other")
    assert code == 2
    told = "asd: 1 of 2 could not be decided: see other/manifest-0.jsonl\n"
    assert err == told
    assert out.startswith("1/2 a: failed: out/a/result.json ")
    assert states("other") == {"a": "failed", "b": "done"}
    assert latest("other")["a"].error_type == "InputError"
    assert not Path("other/a").exists()


@pytest.mark.usefixtures("done")
@pytest.mark.parametrize("settings", [None, {}, {"writers": 3, "segments": []}])
def test_settings_that_are_damaged_are_taken_from_the_results(asd, settings):
    path = Path("out/manifest-0.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if line["state"] == "settings":
            line.update({"settings": settings})
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    words = ["segments.on=0", "segments.off=0", "output=other"]
    assert asd("batch", "decide", "out", *words)[0] == 0
    assert content("other", "a")["tracks"][0]["speaking"] == [[0.0, 1.0]]
    assert sorted(path.name for path in Path("other/a").iterdir()) == [
        "result.json", "speakers.rttm",
    ]  # fmt: skip
    found = json.loads(Path("out/a/result.json").read_text())
    del found["settings"]["writers"]
    Path("out/a/result.json").write_text(json.dumps(found))
    words = ["segments.on=0", "segments.off=0", "output=third"]
    code, out, _ = asd("batch", "decide", "out", *words)
    assert code == 2
    assert out.startswith(
        "1/2 a: failed: The settings of a are damaged, in the manifest and in its"
    )


@pytest.mark.usefixtures("done")
def test_results_are_replaced_only_on_demand(asd, refused):
    words = ["batch", "decide", "out", "segments.on=0", "segments.off=0"]
    assert asd(*words, "output=other")[0] == 0
    told = "asd: other already holds results (other/a). Choose another folder with output=FOLDER, "
    assert refused(*words, "output=other").startswith(told)
    again = ["batch", "decide", "out", "segments.on=1", "segments.off=1", "output=other"]
    assert asd(*again, "overwrite=true")[0] == 0
    assert content("other", "a")["tracks"][0]["speaking"] == []
    Path("mine/b").mkdir(parents=True)
    told = "asd: mine/b is there, but no manifest beside it knows of it"
    assert refused(*words, "output=mine", "overwrite=true").startswith(told)
    Path("link").symlink_to("out/a")
    for inside in ("out", "out/a", "out/new/x", "link", "link/../new"):
        told = f"asd: output={inside} is in the folder of the batch out, which is only read. Choose"
        assert refused(*words, f"output={inside}").startswith(told)
    assert sorted(path.name for path in Path("out").iterdir() if path.is_dir()) == ["a", "b"]
    shutil.copytree("out", "third")
    assert refused(*words, "output=third").startswith("asd: third already holds results (third/a)")


def test_a_full_disk_ends_it(done, asd, monkeypatch):
    monkeypatch.setattr(
        "asdkit.plugins.writers.rttm.rttm_lines",
        lambda *_: (_ for _ in ()).throw(OSError(28, "full")),
    )
    code, out, err = asd("batch", "decide", "out", "segments.off=0", "output=other")
    assert (code, out) == (2, "")
    assert err.startswith("asd: Cannot write ")
    assert err.count("\n") == 1
    assert not Path("other/a").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "batch decide takes one folder, but got none. Use: asd batch decide FOLDER OPTION="),
        (["out", "talks"], "batch decide takes one folder, but got out talks"),
        (["out", "segments.on=1"], "output is not set. Set it, as in: output=FOLDER"),
        (["out", "output=x"], "Nothing is to change. batch decide changes segments, speech,"),
        (["out", "output=x", "segments.on=2"], "segments"),
        (["out", "output=x", "segments.no=1"], "There is no option segments.no"),
        (["out", "output=x", "segments.on=high"], "segments.on"),
        (["out", "output=x", "segment.on=0.5"], "batch decide does not change segment.on"),
        (["out", "output=x", "names=a.json"], "batch decide does not change names"),
        (["out", "output=x", "detector=yunet"], "batch decide does not change detector"),
        (["out", "output=x", "calibration=none.json"], "none.json"),
        (["out", "output=x", "writers=[nonsense]"], "nonsense"),
        (["out", "output=x", "writers=[]"], "No writer was named"),
        (["out", "output=x", "decisions=mine"], "decisions must be"),
        (["out", "output=x", "decisions=overlap", "overwrite=1"], "overwrite must be true or fa"),
        (["none", "output=x", "decisions=overlap"], "There is no folder none"),
        (["talks", "output=x", "decisions=overlap"], "talks holds no manifest of a batch"),
        (["out", "--output", "x"], "--output x is written output=x. Options have no dashes"),
    ],
)
def test_errors_are_one_line(done, refused, words, told):
    assert told in refused("batch", "decide", *words)
