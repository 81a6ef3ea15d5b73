"""What a live session is asked to do is checked before anything is opened."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from refusing import refusal

from asdkit.core.config.compose import compose_app
from asdkit.core.config.words import words_of
from asdkit.core.errors import ConfigError, InputError, PluginError
from asdkit.core.live.plan import LIVE, LivePlan, make_live_plan
from asdkit.core.registry import registry


def plan(*words: str, **options: Any) -> LivePlan:
    given = words_of(words, {"source": "camera", **options})
    return make_live_plan(compose_app(LIVE, given))


def test_what_is_chosen_if_nothing_is():
    found = plan()
    names = {kind: one.component.name for kind, one in found.chosen.items()}
    assert names == {
        "cutter": "content",
        "detector": "yunet",
        "tracker": "iou",
        "scorer": "lr_asd",
        "embedder": "none",
        "vad": "none",
        "context": "none",
        "voice": "none",
    }
    assert [one.component.name for one in found.writers] == ["json", "rttm"]
    assert (found.options.detect_every, found.options.batch_frames) == (2, 1)
    assert list(found.settings) == LIVE.keys


def test_options_come_as_they_were_given():
    found = plan(
        "live.hop_s=0.4",
        "capture.size=1280x720",
        "segments.on=0.7",
        pace="fast",
        end_s=12,
        live={"part_s": None},
    )
    options = found.options
    assert (options.live.hop_s, options.live.part_s, options.live.context_s) == (0.4, None, 1.6)
    assert options.capture.size == "1280x720"
    assert (options.pace, options.end_s, options.segments.on) == ("fast", 12.0, 0.7)
    assert found.settings["live"]["hop_s"] == 0.4


def test_experiments_hold_here_too():
    found = plan("experiment=fast")
    assert (found.options.detect_every, found.settings["scorer"]["runtime"]) == ("auto", "onnx")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["voice=campplus"], "voice=campplus compares voices over a whole video"),
        (["diarization=turns.rttm"], "diarization=turns.rttm holds the turns of a video"),
        (["sync=check"], "sync=check measures a whole video"),
        (["sync=auto"], "sync=auto measures a whole video"),
        (["writers=[json,annotated]"], "writers=[annotated] needs the video as a file"),
        (["writers=[report,eaf]"], "writers=[report,eaf] need the video as a file"),
        (["live.hop_s=0"], "live.hop_s must be from 0.04 to 10, got 0"),
        (["live.part_s=inf"], "live.part_s must be at least 1, or null, got inf"),
        (["live.late_s=4"], "live.skip_s=3 must be longer than late_s=4"),
        (["capture.size=big"], "capture.size must be like 1280x720"),
        (["pace=slow"], "pace must be"),
        (["port=70000"], "port must be from 0 to 65535"),
        (["token=short"], "token must have 8 or more letters"),
        (["output=-"], "output=- prints"),
        (["identities=people"], "identities=people needs an embedder"),
        (["live.hops_s=1"], "hops_s"),
    ],
)
def test_what_cannot_be_is_refused(words, told):
    assert told in refusal(ConfigError, plan, *words)


def test_the_writers_that_can_be_are_offered():
    text = refusal(ConfigError, plan, "writers=[clips]")
    offered = text.partition("There are ")[2].split(", ")
    assert set(offered) >= {"json", "rttm", "webvtt", "srt", "ava", "textgrid", "mot", "timeline"}
    assert not {"annotated", "clips", "reframe", "report", "otio", "eaf"} & set(offered)
    assert plan(f"writers=[{','.join(offered)}]").writers


def test_writers_that_import_what_opens_videos_say_that_they_need_one():
    for component in registry().of_kind("writer"):
        if component.build.__module__.startswith("asdkit."):
            opens = _words_of(component.build.__module__) & {"media_of", "place_of", "footage"}
            assert component.needs_video is bool(opens), component.name


def _words_of(module: str) -> set[str]:
    """The words of the modules of a writer, those beside it in its own folder included."""
    path = Path(str(sys.modules[module].__file__))
    alone = path.parent.name == "writers"
    files = [path] if alone else sorted(path.parent.glob("*.py"))
    return {word for file in files for word in file.read_text().replace(",", " ").split()}


def test_unknown_sources_and_parts_are_told():
    assert "http" in refusal(InputError, plan, source="http://example.org/a")
    refusal(PluginError, plan, "detector=nobody")


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://me:s3cret@camera.example:554/live?key=s3cret",
        "rtsp://me:s3cret@camera.example/a,b={c}",
        "srt://camera.example:9000?passphrase=s3cret&streamid=s3cret",
    ],
)
def test_secrets_are_in_no_settings(address):
    found = plan(source=address, sound=address, token="s3cret-token", output="s")
    assert found.options.source == address and found.options.token == "s3cret-token"
    assert "s3cret" not in json.dumps(found.settings)
    assert "camera.example" in found.settings["source"]
    assert found.settings["token"] is None


@pytest.mark.parametrize("words", [["source="], ["source=???"], ["source=a", "~detector"], []])
def test_what_is_missing_is_told(words):
    refusal(ConfigError, lambda: make_live_plan(compose_app(LIVE, words)))
