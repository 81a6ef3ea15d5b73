"""Which videos a batch is of, and the names of their folders."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from batching import batch, latest, results
from hypothesis import given, settings
from hypothesis import strategies as st

from asdkit.core.batch.manifest import writing
from asdkit.core.batch.videos import find_videos, name_folders
from asdkit.core.errors import AsdError, InputError, OutputError

pytestmark = pytest.mark.usefixtures("nowhere")


@pytest.mark.usefixtures("at_once")
def test_two_videos_of_one_name_have_folders_of_their_own(videos):
    videos("a.mp4", "b.mp4")
    Path("more").mkdir()
    shutil.copy("talks/b.mp4", "more/a.mp4")
    batch("videos=talks")
    assert batch("videos=[talks,more]")[0] == "3 videos, 1 to do"
    assert results() == ["a", "b", "more-a"]
    assert latest()["more-a"].video == str(Path("more/a.mp4").absolute())


def test_a_folder_that_is_not_of_the_batch_is_left_alone(videos):
    videos("a.mp4", "b.mp4")
    Path("out/b").mkdir(parents=True)
    Path("out/b/thesis.tex").touch()
    with pytest.raises(OutputError, match="out/b is there, but no manifest"):
        batch()
    assert {str(path) for path in Path("out").rglob("*")} == {"out/b", "out/b/thesis.tex"}


def test_videos_are_named_in_many_ways(clip):
    for name in ("a.mp4", "b.MKV", "notes.pdf", "[1].mp4", ".hidden.mp4", "deep/er/c.webm"):
        Path("talks", name).parent.mkdir(parents=True, exist_ok=True)
        Path("talks", name).touch()
    Path("talks/list.txt").write_text("\ufeffa.mp4\n#b.MKV\n  deep/er/c.webm \n/abroad/d.mp4\n")
    Path("talks/results").mkdir()
    Path("talks/results/annotated.mp4").touch()

    def found(*given):
        paths = find_videos(given[0] if len(given) == 1 else list(given), Path("talks/results"))
        return [os.path.relpath(path, "talks") for path in paths]

    assert found("talks") == ["[1].mp4", "a.mp4", "b.MKV", "deep/er/c.webm"]
    assert found("talks/*.mp4") == ["[1].mp4", "a.mp4"]
    assert found("talks/**/[a-c].*") == ["a.mp4", "b.MKV", "deep/er/c.webm"]
    assert found("talks/[1].mp4") == ["[1].mp4"]  # a name rather than a pattern
    assert found("talks/notes.pdf") == ["notes.pdf"]
    assert found("talks/a.mp4", str(Path("talks/../talks/a.mp4").absolute())) == ["a.mp4"]
    paths = find_videos("talks/list.txt", Path("out"))
    assert paths == [
        "/abroad/d.mp4",
        *map(os.path.abspath, ["talks/a.mp4", "talks/deep/er/c.webm"]),
    ]
    Path("bad.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError, match=r"bad.txt cannot be read.*UTF-8"):
        find_videos("bad.txt", Path("out"))


PARTS = st.text("aA.bé-_", min_size=1, max_size=4) | st.sampled_from(
    ["talk", "Talk", "a" * 250, "manifest-0", "multirun", "e\u0301", "\udcff"]
)
PATHS = st.builds(
    lambda folders, stem, suffix: "/" + "/".join([*folders, stem + suffix]),
    st.lists(PARTS.filter(lambda part: part not in (".", "..")), max_size=3),
    PARTS,
    st.sampled_from([".mp4", ".mkv", ".jsonl.mp4", ".yaml.mp4", "..mp4"]),
)


@settings(max_examples=150)
@given(st.sets(PATHS, max_size=12), st.sets(PATHS, max_size=4), st.randoms())
def test_names_are_safe_and_of_one_video_each(paths, earlier, random):
    known = name_folders(earlier, {})
    order = list(paths)
    random.shuffle(order)
    names = name_folders(order, known)
    assert names == name_folders(paths, known)
    together = {**known, **names}
    assert len({name.casefold() for name in together.values()}) == len(together)
    for video, name in names.items():
        assert name == known.get(video, name)
        assert not name.startswith(".")
        assert "/" not in name
        assert name not in ("manifest-0.jsonl", "multirun.yaml")
        assert 0 < len(os.fsencode(name)) <= 200
    assert name_folders(list(paths)[:2], together) == {p: names[p] for p in list(paths)[:2]}


def test_names_are_as_short_as_can_be():
    def named(*paths):
        return list(name_folders(paths, {}).values())

    assert named("/x/a.mp4", "/x/b.mp4") == ["a", "b"]
    assert named("/x/a.mp4", "/x/a.mkv") == ["a.mp4", "a.mkv"]
    assert named("/x/1/a.mp4", "/x/2/a.mp4", "/y/2/a.mp4") == ["1-a", "x-2-a", "y-2-a"]
    assert named("/x/...mp4") == ["x-.."]
    assert named("/...mp4")[0].startswith("video-")


def test_what_a_mac_puts_beside_files_is_passed_over(clip):
    Path("talks").mkdir()
    Path("talks/a.mp4").touch()
    Path("talks/._a.mp4").write_bytes(bytes.fromhex("0005160700020000") + bytes(74))
    shutil.copy(clip, "talks/._b.mp4")  # only its name is like that
    Path("list.txt").write_text("talks/a.mp4\ntalks/._a.mp4\ntalks/._b.mp4\ntalks/._none.mp4\n")

    def found(given):
        return [Path(path).name for path in find_videos(given, Path("out"))]

    assert found("list.txt") == ["._b.mp4", "._none.mp4", "a.mp4"]
    assert found("talks/._*.mp4") == ["._b.mp4"]
    assert found("talks") == found("talks/*.mp4") == ["a.mp4"]


def test_links_that_lead_back_up_are_passed_over():
    Path("talks/deep").mkdir(parents=True)
    Path("talks/a.mp4").touch()
    Path("talks/deep/b.mp4").touch()
    for name in ("x", "y", "deep/z"):
        Path("talks", name).symlink_to(Path("talks").absolute())
    Path("talks/self.mp4").symlink_to("self.mp4")
    Path("more").mkdir()
    Path("more/c.mp4").touch()
    Path("talks/more").symlink_to(Path("more").absolute())
    begin = time.monotonic()
    for named in (
        "talks",
        "talks/**",
        "talks/**/*.mp4",
        "**/[a-c].mp4",
        str(Path("talks").absolute()),
    ):
        paths = [os.path.relpath(path) for path in find_videos(named, Path("out"))]
        wanted = {"talks/a.mp4", "talks/deep/b.mp4", "talks/more/c.mp4"}
        assert wanted <= set(paths) <= {*wanted, "more/c.mp4", "talks/self.mp4"}, named
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("name", ["a" * 300, "a\0b", "b" * 300 + "/c"])
def test_names_that_no_file_can_have_are_refused(videos, name):
    videos("a.mp4")
    with pytest.raises(AsdError, match=r"names no video|videos must be"):
        find_videos(name, Path("out"))
    with pytest.raises(OutputError, match="Cannot write to"), writing(Path(name), 0):
        pass
    Path("list.txt").write_text(f"talks/{'a' * 300}.mp4\n")
    assert len(find_videos("list.txt", Path("out"))) == 1


@pytest.mark.usefixtures("at_once")
def test_names_no_terminal_can_show_are_told_of(videos):
    videos("\udcff\n.mp4")
    assert batch()[1].startswith("1/1 ? : done in")
    assert latest()["\udcff\n"].state == "done"
