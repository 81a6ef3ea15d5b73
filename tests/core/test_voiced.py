"""A run names who speaks off screen, and who is who across shots, by voice."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import jsonschema
import numpy as np
import pytest
from synth import write_video

from asdkit.core.cli.console import print_summary
from asdkit.core.config.compose import compose_run
from asdkit.core.config.plan import make_plan
from asdkit.core.errors import ConfigError, PluginError
from asdkit.core.evaluation.cache import Cache
from asdkit.core.evaluation.seen import Analyser, Viewer
from asdkit.core.labels import LabelledVideo
from asdkit.core.models import Models
from asdkit.core.pipeline import execute
from asdkit.core.repeat import result_differences
from asdkit.core.results import schema, turns
from asdkit.core.types import Scores
from asdkit.plugins.writers import annotated
from asdkit.plugins.writers.timeline import TimelineConfig, TimelineWriter

ANN_HZ, BOB_HZ, EVE_HZ = 110, 180, 290
SPOKEN = [(1, 3, ANN_HZ), (4, 6, BOB_HZ), (7, 9, ANN_HZ), (10, 12, BOB_HZ), (13, 15, EVE_HZ),
          (16, 18, ANN_HZ)]  # fmt: skip
SEEN = [(0, 75), (90, 155), (170, 235)]
"""The frames of the three faces: Ann's, Bob's, Ann's again, each in a shot of its own."""


class Talking:
    """Takes every face for the one that speaks."""

    def score(self, clips):
        return [Scores(np.tile(np.float32([-3, 3]), (len(clip), 1))) for clip in clips]


class Pitch:
    """Tells the voices apart by their pitch: the most frequent distance of two onsets."""

    min_s, max_distance = 1.0, 0.2

    def embed(self, sounds):
        return np.stack([self.of(sound) for sound in sounds])

    def of(self, sound):
        onsets = np.flatnonzero(np.diff(sound.astype(np.int32)) > 3000)
        ((period, _),) = Counter(np.diff(onsets).tolist()).most_common(1)
        hertz = np.array([ANN_HZ, BOB_HZ, EVE_HZ])
        return np.eye(3, dtype=np.float32)[int(abs(hertz - 16_000 / period).argmin())]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """20 s in three shots and one without a face; six times somebody speaks."""
    folder = tmp_path_factory.mktemp("voices")
    sound = np.random.default_rng(0).normal(0, 20, 320_000)
    for start_s, end_s, hertz in SPOKEN:
        time = np.arange(start_s * 16_000, end_s * 16_000)
        sound[time] += (-time % round(16_000 / hertz)) / (16_000 / hertz) * 8000 - 4000
    path = write_video(
        folder / "clip.mkv",
        frames=500,
        codec="mpeg4",
        sounds=[(0.0, sound.astype(np.int16))],
        sound_rate=16_000,
    )
    boxes = [[] for _ in range(500)]
    for first, end in SEEN:
        boxes[first:end] = [[[10, 10, 50, 50, 0.9]]] * (end - first)
    (folder / "boxes.json").write_text(json.dumps(boxes))
    rows = "".join(f"{n},{frame},x,{frame / 25}\n" for n, frame in enumerate([0, 85, 165, 240], 1))
    (folder / "scenes.csv").write_text(rows)
    return path


def planned(clip, voice, *more):
    """A plan, and its components with an embedder of voices."""
    folder = clip.parent
    words = ["detector=boxes", f"detector.path={folder / 'boxes.json'}", "scorer=lip_motion"]
    words += ["cutter=csv", f"cutter.path={folder / 'scenes.csv'}", "vad=energy", "writers=[]"]
    plan = make_plan(compose_run([*words, *more], str(clip)))

    class Chosen(Models):
        def part(self, kind):
            return {"scorer": Talking(), "voice": voice}.get(kind) or super().part(kind)

    return plan, Chosen(plan)


def run(clip, voice, *more):
    plan, models = planned(clip, voice, *more)
    return execute(plan, models=models)


def test_a_voice_carries_the_name_off_screen_and_across_shots(clip):
    result = run(clip, Pitch())
    assert [track.identity for track in result.tracks] == ["person_0", "person_1", "person_0"]
    assert [round(start) for start, _ in result.off_screen] == [10, 13, 16]
    assert result.off_screen_names == ("person_1", None, "person_0")
    assert [name for *_, name in turns(result)] == [
        *("person_0", "person_1", "person_0"),
        *("person_1", "off_screen", "person_0"),
    ]
    assert result.timings_s["voice"] > 0


def test_the_json_has_the_names_and_is_compared_by_them(clip, tmp_path):
    result = run(clip, Pitch(), "writers=[json]", f"output={tmp_path / 'out'}")
    found = json.loads((tmp_path / "out" / "result.json").read_text("utf-8"))
    jsonschema.validate(found, schema())
    assert found["off_screen_names"] == ["person_1", None, "person_0"]
    assert result_differences(found, result) == []
    found["off_screen_names"][1] = "person_1"
    assert result_differences(found, result) == ["off_screen_names: not the same"]


def test_without_an_embedder_of_voices_nothing_is_said(clip):
    result = run(clip, None)
    assert result.off_screen_names is None
    assert [track.identity for track in result.tracks] == [None] * 3
    assert [name for *_, name in turns(result)][3:] == ["off_screen"] * 3


def test_without_voice_activity_only_the_faces_are_named(clip):
    result = run(clip, Pitch(), "vad=none")
    assert result.off_screen_names is None
    assert [track.identity for track in result.tracks] == ["person_0", "person_1", "person_0"]


def test_a_part_of_the_video_hears_the_same_voices(clip):
    result = run(clip, Pitch(), "start_s=6.8")
    assert [track.identity for track in result.tracks] == ["person_0"]
    assert result.off_screen_names == (None, None, "person_0")


def test_whoever_sees_the_result_reads_the_name(clip, capsys, monkeypatch, tmp_path):
    result = replace(run(clip, Pitch()), timings_s={"total": 1.0})
    print_summary(result)
    (told,) = (line for line in capsys.readouterr().out.splitlines() if "speech:" in line)
    assert re.fullmatch(
        r"speech: .*: person_1 \(off screen\) 2\.\d\d s, person_0 \(off screen\) 2\.\d\d s", told
    )
    labels = []
    monkeypatch.setattr(annotated, "draw_label", lambda *given: labels.append(given[3]))
    overlay = annotated._Overlay(replace(result, tracks=()))
    for second in (2, 11, 14, 17):
        overlay.draw(SimpleNamespace(height=64), Fraction(second))
    assert labels == ["person_1 (off screen)", "off screen", "person_0 (off screen)"]
    pytest.importorskip("matplotlib")
    svg = TimelineWriter(TimelineConfig()).write(result, tmp_path)[0].read_text("utf-8")
    assert [svg.count(f"person_{number} (off screen)") for number in (0, 1)] == [1, 1]


class Counting(Pitch):
    """Counts the sounds it embeds."""

    device = "cpu"

    def __init__(self):
        self.embedded = 0

    def embed(self, sounds):
        self.embedded += len(sounds)
        return super().embed(sounds)


def seen_again(clip, voice, cache, *more):
    """What an evaluation finds."""
    plan, models = planned(clip, voice, "voice=campplus", *more)
    analyser = Analyser(models, cache, labelled_faces=False)
    viewer = Viewer(models, analyser, cache, labelled_faces=False)
    return viewer.look(LabelledVideo("clip", clip), plan)


def test_an_evaluation_hears_the_same_voices(clip):
    outcome = seen_again(clip, Pitch(), None)
    assert outcome.result.off_screen_names == ("person_1", None, "person_0")
    assert outcome.computed == ("detections", "scores", "voices")
    assert outcome.timings_s["voice"] > 0


def test_an_evaluation_embeds_each_voice_once(clip, tmp_path):
    """Three tracks and three spans off screen; other decisions listen to other sounds."""
    cache, voice = Cache(tmp_path / "cache", 1e9), Counting()
    few = seen_again(clip, voice, cache, "speech.off_screen_min_s=3")
    assert voice.embedded == 3
    first = seen_again(clip, voice, cache)
    assert (first.computed, voice.embedded) == (("voices",), 6)
    assert first.timings_s["voice"] > few.timings_s["voice"] > 0
    again = seen_again(clip, object(), cache)  # nothing is asked of it
    assert again.computed == ()
    assert again.timings_s == first.timings_s
    assert again.devices == first.devices
    assert again.result.off_screen_names == ("person_1", None, "person_0")
    assert seen_again(clip, voice, cache, "voice.weights=other").computed == ("voices",)


def test_a_diarization_tells_whose_voice_it_is_already(clip, tmp_path):
    given = tmp_path / "clip.rttm"
    given.write_text("SPEAKER clip 1 1.0 2.0 <NA> <NA> A <NA> <NA>\n")
    words = ["detector=yunet", "scorer=lip_motion", "voice=campplus", f"diarization={given}"]
    with pytest.raises(ConfigError, match=r"clip.rttm and voice=campplus both say .*Leave one of"):
        make_plan(compose_run(words, str(clip)))


def test_a_voice_that_could_name_nothing_is_refused(clip):
    words = ["scorer=lip_motion", "voice=campplus", "embedder=mobilefacenet"]
    with pytest.raises(ConfigError, match=r"voice=campplus has nothing to name.*Use vad=silero"):
        make_plan(compose_run(words, str(clip)))
    make_plan(compose_run([*words, "vad=energy"], str(clip)))


def test_one_that_breaks_its_contract_ends_the_run_by_name(clip):
    class Endless(Pitch):
        min_s = 0.0

    with pytest.raises(PluginError, match=r"^voice=none \(asdkit .* has min_s=0.0"):
        run(clip, Endless())
