"""A batch's own name of a video is its name in all that is written and said of it."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from batching import batch, latest

from asdkit.core.batch.videos import name_folders
from asdkit.core.cli.main import main
from asdkit.core.errors import InputError
from asdkit.core.repeat import begin_again
from asdkit.core.rttm import read_rttm
from asdkit.core.rttm_lines import field

pytestmark = pytest.mark.usefixtures("nowhere", "at_once")


@pytest.fixture
def ones(nowhere, clip, videos):
    """Two videos of one name, in folders of their own."""
    videos()
    for folder in ("a", "b"):
        Path("talks", folder).mkdir()
        shutil.copy(clip, Path("talks", folder, "one.mp4"))


@pytest.mark.usefixtures("ones")
def test_two_videos_of_one_name_stay_two_in_all_files():
    lines = batch("writers=[json,rttm,ava,timeline]", "segments.on=0", "segments.off=0")
    names = ["a-one", "b-one"]
    assert [line.partition(":")[0] for line in lines[1:-1]] == ["1/2 a-one", "2/2 b-one"]
    assert sorted(latest()) == names
    folders = [Path("out", name) for name in names]
    spoken = read_rttm(folder / "speakers.rttm" for folder in folders)
    assert sorted(spoken) == names, "put together, they are two"
    for folder, name in zip(folders, names, strict=True):
        found = json.loads((folder / "result.json").read_text())
        assert found["video"]["name"] == found["settings"]["name"] == name
        assert found["video"]["path"].endswith(f"{name[0]}/one.mp4")
        with (folder / "ava.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert {(row["video_id"], row["entity_id"]) for row in rows} == {(name, f"{name}_0")}
        assert f">{name}</" in (folder / "timeline.svg").read_text()


@pytest.mark.usefixtures("ones")
def test_a_repetition_keeps_the_name():
    batch("writers=[json,rttm]")
    assert begin_again(Path("out/b-one"), []).plan().options.name == "b-one"
    before = json.loads(Path("out/b-one/result.json").read_text())
    del before["settings"]["name"], before["video"]["name"]  # of before there were names
    Path("out/b-one/result.json").write_text(json.dumps(before))
    assert begin_again(Path("out/b-one"), []).plan().options.name is None


@pytest.mark.usefixtures("ones")
def test_turns_are_looked_for_under_the_name():
    """By the file's name both videos would get the same turns."""
    Path("turns").mkdir()
    Path("turns/one.rttm").write_text("SPEAKER one 1 0.1 0.5 <NA> <NA> Both <NA> <NA>\n")
    Path("turns/a-one.rttm").write_text("SPEAKER a-one 1 0.1 0.5 <NA> <NA> Ann <NA> <NA>\n")
    batch("diarization=turns", failed=1)
    (voice,) = json.loads(Path("out/a-one/result.json").read_text())["voices"]
    assert voice["name"] == "Ann"
    assert "Put b-one.rttm or b-one.json there" in latest()["b-one"].error


@pytest.mark.usefixtures("ones")
def test_turns_under_the_name_of_two_files_are_nobodys():
    """They are neither video's, and neither is called silent: that would be a guess."""
    line = "SPEAKER {} 1 0.1 0.5 <NA> <NA> Ann <NA> <NA>\n"
    Path("turns.rttm").write_text(line.format("one") + line.format("a-one"))
    batch("diarization=turns.rttm", failed=1)
    assert json.loads(Path("out/a-one/result.json").read_text())["voices"][0]["name"] == "Ann"
    assert "turns.rttm says nothing of b-one, but of a-one, one" in latest()["b-one"].error
    Path("turns.rttm").write_text(line.format("one") + line.format("z"))
    with pytest.raises(InputError, match="says nothing of any of a-one, b-one, but of one, z"):
        batch("diarization=turns.rttm", "output=other")


def test_names_that_become_one_in_rttm_are_kept_apart():
    paths = ["/x/a b.mp4", "/y/a_b.mp4", "/x/\udcff.mp4", "/x/\udcfe.mp4"]
    names = list(name_folders(paths, {}).values())
    assert names[:2] == ["x-a b", "y-a_b"]
    assert len({field(name) for name in names}) == 4


def test_a_run_takes_a_name(clip, asd):
    shutil.copy(clip, "one.mp4")
    Path("boxes.json").write_text(json.dumps([[[10, 5, 50, 45, 1.0]]] * 25))
    cheap = ["detector=boxes", "detector.path=boxes.json", "cutter=none", "scorer=lip_motion"]
    words = ["run", "one.mp4", *cheap, "segments.on=0", "segments.off=0", "writers=[rttm]"]
    for given, name in (([], "one"), (["name='my talk'"], "my_talk")):
        main([*words, *given, "overwrite=true", "output=out"])
        assert set(read_rttm([Path("out/speakers.rttm")])) == {name}
    code, _, err = asd(*words, "name=''")
    assert (code, err) == (2, "asd: name is empty\n")
