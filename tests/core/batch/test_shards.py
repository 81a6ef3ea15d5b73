"""Several processes at one batch: each video is done once, by one of them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from batching import batch, begun, latest, reached, results, started

from asdkit.core.batch.manifest import Records, now, writing
from asdkit.core.batch.videos import name_folders
from asdkit.core.errors import ConfigError, OutputError

pytestmark = pytest.mark.usefixtures("nowhere")


def test_what_another_process_is_at_is_left_to_it(videos):
    videos("a.mp4", "b wait.mp4")
    with started("shards=2", "shard=1") as process:
        reached("b wait", process)
        with pytest.raises(OutputError, match="Another asd batch is at shard 1 of out"):
            batch("shards=2", "shard=1")
        lines = batch()  # divided otherwise
        assert "2 videos: 1 done, 0 failed, 1 left as they are" in lines[-1]
        assert "b wait: another process is at it" in lines
        assert list(Path("out").glob(".b wait.????????")), "what is in the making is left alone"
        Path("go").touch()
        assert process.wait(60) == 0
    assert begun() == {"a": 1, "b wait": 1}
    assert batch()[0] == "2 videos, 0 to do"
    assert results() == ["a", "b wait"]


@pytest.mark.usefixtures("at_once")
def test_shards_share_the_videos_and_no_video_is_done_twice(videos):
    videos("a.mp4", "b.mp4", "c.mp4")
    assert batch("shards=2", "shard=0")[0] == "2 videos, 2 to do"
    assert results() == ["a", "c"]
    videos("d.mp4")
    told = [batch("shards=3", f"shard={shard}")[0] for shard in range(3)]
    assert told == ["2 videos, 1 to do", "1 video, 1 to do", "1 video, 0 to do"]
    assert begun() == {"a": 1, "b": 1, "c": 1, "d": 1}
    assert {name: record.shard for name, record in latest().items()} == {
        "a": 0, "b": 1, "c": 0, "d": 0,
    }  # fmt: skip
    with pytest.raises(ConfigError, match="shards=2 needs to know which"):
        batch("shards=2")


@pytest.mark.usefixtures("at_once")
def test_a_video_that_fails_in_another_shard_meanwhile_is_not_tried_again(videos, monkeypatch):
    videos("a.mp4", "b raise.mp4")
    batch(failed=1)
    real = Records.refresh
    calls = []

    def refresh(self):
        real(self)
        calls.append(1)
        if len(calls) > 1 and not Path("out/manifest-7.jsonl").exists():
            failed = self.latest[str(Path("talks/b raise.mp4").absolute())]
            with writing(Path("out"), 7) as manifest:
                manifest.add(replace(failed, shard=7, time=now()))
            real(self)

    monkeypatch.setattr(Records, "refresh", refresh)
    assert batch(failed=1)[:-1] == ["2 videos, 1 to do"]
    assert begun() == {"a": 1, "b raise": 1}


@pytest.mark.usefixtures("at_once")
def test_a_name_taken_by_another_shard_meanwhile(videos, monkeypatch):
    """Shards started with different videos of one name: neither replaces the other's results."""
    videos("a.mp4")
    Path("more").mkdir()
    shutil.copy("talks/a.mp4", "more/a.mp4")
    batch()
    real = name_folders
    calls = []

    def names(found, known):
        calls.append(known)
        # At the start this shard has read no manifest that tells of the other's video.
        return real(found, known if len(calls) > 1 else {})

    monkeypatch.setattr("asdkit.core.batch.run.name_folders", names)
    monkeypatch.setattr("asdkit.core.batch.run.os.path.lexists", lambda _: False)  # nor has it any
    batch("videos=more")
    assert results() == ["a", "more-a"]
    assert latest()["a"].video == str(Path("talks/a.mp4").absolute())
