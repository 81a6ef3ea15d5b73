"""A result.json becomes a result again, from which who speaks is decided anew."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path

import by_hand
import jsonschema
import numpy as np
import pytest
from good_result import GOOD

import asdkit
from asdkit.core.concluding import concluded
from asdkit.core.config.compose import compose_run
from asdkit.core.config.plan import make_plan
from asdkit.core.decisions.calibration import Calibration
from asdkit.core.errors import ConfigError, InputError
from asdkit.core.result import Result, VideoInfo
from asdkit.core.results import schema
from asdkit.core.sync import Fit, Sync
from asdkit.core.types import Heard
from asdkit.core.viewing import Seen
from asdkit.core.voice import Voice

FRAMES = 200
CALIBRATION = Calibration("lip_motion", temperature=1.7, bias=-0.3)
TURNS = {"S0": ((0.4, 2.0),), "S1": ((2.5, 5.0), (6.0, 7.5))}


def seen(*, heard: bool = True) -> Seen:
    """What a pass might have found in 8 s: two shots, and scores that come and go."""
    draws = np.random.default_rng(3)
    tracks = []
    for number, (first, frames) in enumerate([(0, 100), (3, 97), (100, 100)]):
        boxes = np.array([20, 20, 60, 60]) + np.cumsum(draws.normal(size=(frames, 4)), axis=0)
        track = by_hand.track(number, first, boxes)
        swell = 3 * np.sin(np.arange(frames) / 9 + number)[:, None] * [-1, 1]
        logits = (swell + draws.normal(size=(frames, 2))).astype(np.float32)
        tracks.append(replace(track, shot=int(first >= 100), logits=logits))
    likely = np.clip(0.6 + np.sin(np.arange(FRAMES) / 13), 0, 1).astype(np.float32)
    return Seen(((0, 100), (100, FRAMES)), tuple(tracks), Heard(0, likely) if heard else None)


def run(*words: str, heard: bool = True, turns: bool = False) -> Result:
    """The result that a run with these options would have of it."""
    base = ["scorer=lip_motion", "writers=[]", f"vad={'energy' if heard else 'none'}"]
    plan = make_plan(compose_run([*base, *words], "clip.mp4"))
    video = VideoInfo(Path("clip.mp4"), 8.0, 96, 64, 25.0, has_sound=True)
    given = TURNS if turns else None
    result = concluded(video, plan, seen(heard=heard), {}, None, turns=given)
    return replace(result, sound_path=video.path)


@pytest.fixture
def again(tmp_path):
    """The result that was saved and loaded."""

    def save_and_load(result: Result) -> Result:
        return Result.load(result.save(tmp_path / "result.json"))

    return save_and_load


@pytest.fixture
def corrected(tmp_path):
    """The file of a calibration."""
    path = tmp_path / "calibration.json"
    CALIBRATION.write(path)
    return path


def rich() -> Result:
    """A result with everything that a result.json can hold."""
    voices = (
        Voice("S0", ((1.0, 3.0),), "Ann", 0.9, (0,), ((2.0, 2.5, "track_1"),), ("track_1",)),
        Voice("S1", ((3.0, 3.1),), None),
    )
    fit = Fit("yes", 0.2, 3.5)
    result = run()
    tracks = (
        replace(result.tracks[0], identity="Ann"),
        replace(result.tracks[1], source_id=17),
        result.tracks[2],
    )
    return replace(
        result,
        video=replace(result.video, start_s=0.25, pixel_aspect=1.5, notes=("so", "and so")),
        tracks=tracks,
        settings={**result.settings, "end_s": float("inf"), "sound": "voice.wav"},
        timings_s={"total": 1.5},
        voices=voices,
        off_screen_names=tuple("Ann" for _ in result.off_screen or ()),
        sync=Sync(fit, (fit, Fit("unknown"), Fit())),
        provenance={"versions": {"asdkit": "1"}, "folder": "/somewhere"},
    )


@pytest.mark.parametrize("make", [rich, run, lambda: run(heard=False), lambda: run(turns=True)])
def test_saved_again_it_is_the_same_file(make, tmp_path):
    result = make()
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    result.save(first)
    assert Result.load(first).save(second) == second
    assert second.read_bytes() == first.read_bytes()
    jsonschema.validate(json.loads(first.read_text()), schema())


def test_with_a_calibration_too(tmp_path, corrected):
    result = run(f"scorer.calibration={corrected}")
    assert json.loads(result.save(tmp_path / "a.json").read_text())["calibration"] == {
        "temperature": 1.7,
        "bias": -0.3,
    }
    loaded = Result.load(tmp_path / "a.json")
    for track, before in zip(loaded.tracks, result.tracks, strict=True):
        np.testing.assert_array_equal(track.logits, before.logits)
        np.testing.assert_array_equal(track.uncalibrated, before.uncalibrated)
        assert np.abs(track.logits - track.uncalibrated).max() > 0.1
    loaded.save(tmp_path / "b.json")
    assert (tmp_path / "b.json").read_bytes() == (tmp_path / "a.json").read_bytes()


def test_everything_is_there_again(again):
    result = rich()
    loaded = again(result)
    assert loaded.video == result.video
    for name in ("shots", "speech", "off_screen", "off_screen_names", "voices", "sync"):
        assert getattr(loaded, name) == getattr(result, name), name
    assert loaded.settings == {**result.settings, "writers": {}}
    assert loaded.provenance == result.provenance
    assert loaded.timings_s == result.timings_s
    assert loaded.sound_path == Path("voice.wav")
    assert loaded.heard is not None
    np.testing.assert_array_equal(loaded.heard.probabilities, result.heard.probabilities)
    for track, before in zip(loaded.tracks, result.tracks, strict=True):
        assert (track.id, track.shot, track.first_frame) == (
            *(before.id, before.shot, before.first_frame),
        )
        assert (track.name, track.speaking) == (before.name, before.speaking)
        assert np.abs(track.boxes - before.boxes).max() <= 0.0005 + 1e-12
        np.testing.assert_array_equal(track.logits, before.logits)


def test_the_places_of_crops_are_those_of_a_run(again):
    """Half sizes are in square pixels, which are 1.5 stored ones wide here."""
    still = by_hand.track(0, 0, np.tile([10.0, 20, 40, 60], (9, 1)))
    result = by_hand.result(still)
    result = replace(result, video=replace(result.video, pixel_aspect=1.5))
    np.testing.assert_allclose(again(result).tracks[0].smoothed, [[25.0, 40.0, 22.5]] * 9)


def test_a_folder_stands_for_the_file_in_it(tmp_path):
    assert run().save(tmp_path) == tmp_path / "result.json"
    loaded = Result.load(tmp_path)
    assert (loaded.folder, loaded.files) == (tmp_path, ())
    assert len(asdkit.Result.load(str(tmp_path)).tracks) == 3


def test_a_video_that_was_moved_is_named(tmp_path):
    run().save(tmp_path)
    loaded = Result.load(tmp_path, video="elsewhere/clip.mp4")
    assert loaded.video.path == loaded.sound_path == Path("elsewhere/clip.mp4").absolute()


def test_without_what_older_versions_did_not_write(tmp_path):
    """Thresholds then find the same; logits are as near as the probabilities tell."""
    result = run("segments.on=0.6", heard=False)
    values = result.to_json()
    for track in values["tracks"]:
        del track["silent_scores"]
    values["schema"] = "asdkit.result/1"
    for key in ("start_s", "pixel_aspect", "notes"):
        del values["video"][key]
    (tmp_path / "result.json").write_text(json.dumps(values))
    loaded = Result.load(tmp_path)
    for track, before in zip(loaded.tracks, result.tracks, strict=True):
        np.testing.assert_array_equal(track.probabilities, before.probabilities)
        np.testing.assert_array_equal(track.scores, before.scores)
        np.testing.assert_allclose(track.logits, before.logits, atol=1e-3)
        assert track.uncalibrated is None
    assert "silent_scores" not in loaded.to_json()["tracks"][0]
    assert loaded.decide(segments={"on": 0.8}).tracks[0].speaking == (
        run("segments.on=0.8", heard=False).tracks[0].speaking
    )


def test_a_probability_of_0_or_1_is_one_again(again):
    track = by_hand.track(0, 0, np.tile([0.0, 0, 9, 9], (4, 1)), [30.0, 200.0, -200.0, 90.0])
    loaded = again(by_hand.result(track)).tracks[0]
    assert loaded.probabilities.tolist() == [1.0, 1.0, 0.0, 1.0]
    assert loaded.scores.tolist() == [30.0, 200.0, -200.0, 90.0]


def changed(*path_and_value):
    """GOOD with one value changed, or removed if it is `...`."""
    *path, value = path_and_value
    values = copy.deepcopy(GOOD)
    place = values
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return json.dumps(values)


T = ("tracks", 0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not a result of asd run: line 1"),
        ("[]", "it is an array, which is no object"),
        ("{}", "schema is missing"),
        (changed("schema", "asdkit.evaluation/1"), "schema is 'asdkit.evaluation/1'"),
        (changed("schema", "asdkit.result/9"), "another version of asdkit made it: schema is"),
        (changed("tracks", ...), "tracks is missing"),
        (changed("video", "start_s", ...), "video.start_s is missing"),
        (changed(*T, "scores", [0.5, 0.5]), "tracks[0] has 1 boxes, but 2 scores"),
        (changed(*T, "silent_scores", [0.5, 0.5]), "has 1 boxes, but 2 silent_scores"),
        (changed(*T, "probabilities", [1.5]), "tracks[0].probabilities[0] is 1.5"),
        (changed(*T, "scores", [1e300]), "a score is too large a number"),
        (changed(*T, "scores", [0.5]).replace("[0.5]", "[NaN]", 1), "NaN, which is no number"),
        (changed(*T, "boxes", [[1, 2, 3]]), "tracks[0].boxes[0] has 3 items"),
        (changed(*T, "shot", 1), "tracks[0] is not within its shot"),
        (changed(*T, "first_frame", 2), "tracks[0] is not within its shot"),
        (changed("tracks", GOOD["tracks"] * 2), "two tracks have the number 0"),
        (changed("shots", [[0, 2], [1, 3]]), "its shots are not in order"),
        (changed("shots", [[0, 10**9]]), "its last shot ends with frame 1000000000, after two"),
        (changed(*T, "boxes", [[1, 2, 1e9, 4]]), "tracks[0] has a box that is far from the pic"),
        (changed(*T, "boxes", [[9, 2, 3, 4]]), "the boxes of track 0 must be finite x1, y1, x2"),
        (changed("settings", {"threads": "many"}), "settings.threads is 'many'"),
        (changed("settings", {"rotate": "45"}), "settings.rotate is '45'"),
        (changed("settings", {"end_s": "never"}), "settings.end_s is 'never'"),
        (changed("settings", {"segments": [1]}), "settings.segments is an array"),
        (changed("heard", {"first_frame": 1, "probabilities": [1], "before": []}), "heard.first_f"),
        (changed("off_screen_names", []), "it has 1 spans of off_screen, but 0 off_screen_names"),
        (changed("calibration", {"temperature": 1e9, "bias": 0}), "temperature must lie from"),
        (changed("calibration", {"bias": 0}), "calibration.temperature is missing"),
        (changed("heard", {"first_frame": 0, "probabilities": [2], "before": []}), "heard.prob"),
        (
            changed(
                "sync",
                {
                    **{"fits": "yes", "offset_s": 0, "certainty": 1, "moved_s": 0},
                    "tracks": [{"id": 7, "fits": "yes", "offset_s": 0, "certainty": 1}],
                },
            ),
            "sync.tracks are not the tracks",
        ),
    ],
)
def test_what_is_no_result_is_refused(text, says, tmp_path):
    (tmp_path / "result.json").write_text(text)
    with pytest.raises(InputError) as caught:
        Result.load(tmp_path / "result.json")
    assert says in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_the_folder_of_a_live_session_is_told_from_its_parts(tmp_path):
    part = tmp_path / "parts" / "0001"
    part.mkdir(parents=True)
    (part / "result.json").touch()
    said = f"{tmp_path} is of a live session, .* Name one of them, such as {part}"
    with pytest.raises(InputError, match=said):
        Result.load(tmp_path)


def test_a_folder_without_a_result_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"result.json cannot be read: No such file.*Name a fold"):
        Result.load(tmp_path)


CHANGES = [
    (["segments.on=0.9"], {"segments": {"on": 0.9}}),
    (["segments.on=0.45", "segments.min_s=1"], {"segments": {"on": 0.45, "min_s": 1}}),
    (["speech.on=0.8", "speech.off=0.7"], {"speech": {"on": 0.8, "off": 0.7}}),
    (["decisions=exclusive"], {"decisions": "exclusive"}),
    (
        ["decisions=overlap", "conversation.turn_s=0.5"],
        {"decisions": "overlap", "conversation": {"turn_s": 0.5}},
    ),
    (["scorer.calibration={}"], {"calibration": "{}"}),
    (["scorer.calibration={}", "segments.on=0.6"], {"calibration": "{}", "segments": {"on": 0.6}}),
]


@pytest.mark.parametrize(("words", "given"), CHANGES)
@pytest.mark.parametrize("turns", [False, True])
def test_decided_anew_it_is_what_a_run_finds(words, given, turns, again, corrected, tmp_path):
    wanted = run(*(word.format(corrected) for word in words), turns=turns)
    first = run(turns=turns)
    if "calibration" in given:
        given = {**given, "calibration": corrected}
    for result in (first, again(first)):
        decided = result.decide(**given).to_json()
        weights = decided["provenance"].pop("weights", {})
        assert list(weights) == (["calibration"] if "calibration" in given else [])
        assert decided == wanted.to_json()
    assert [track.speaking for track in wanted.tracks] != [t.speaking for t in first.tracks]


def test_a_calibration_is_taken_back(again, corrected):
    calibrated = replace(
        run(f"scorer.calibration={corrected}"),
        provenance={
            "weights": {"calibration": [{"path": "c", "sha256": "0" * 64, "size_bytes": 3}]}
        },
    )
    decided = again(calibrated).decide(calibration=None).to_json()
    assert decided.pop("provenance") == {"weights": {}}
    wanted = run("scorer.calibration=null").to_json()
    del wanted["provenance"]
    assert decided == wanted


def test_what_was_not_kept_is_said(tmp_path):
    values = run().to_json()
    del values["heard"]
    (tmp_path / "result.json").write_text(json.dumps(values))
    with pytest.raises(
        InputError, match=r"does not hold what voice activity detection heard.*asd run"
    ):
        Result.load(tmp_path).decide(segments={"on": 0.9})
    values = run(heard=False).to_json()
    for track in values["tracks"]:
        del track["silent_scores"]
    (tmp_path / "result.json").write_text(json.dumps(values))
    assert Result.load(tmp_path).decide(calibration=None).calibration is None
    values["provenance"] = {
        "weights": {"calibration": [{"path": "c", "sha256": "0" * 64, "size_bytes": 3}]}
    }
    (tmp_path / "result.json").write_text(json.dumps(values))
    with pytest.raises(InputError, match="does not hold the scores from before its calibration"):
        Result.load(tmp_path).decide(calibration=None)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"segments": {"onn": 0.5}}, "segments.onn"),
        ({"segments": {"on": 0.1}}, "segments.off must lie from 0 to on"),
        ({"segments": {"on": "much"}}, "segments.on must be a number"),
        ({"segments": 0.7}, "segments must be options"),
        ({"decisions": "both"}, "decisions must be independent, exclusive or overlap, got 'both'"),
        ({"calibration": "no.json"}, "no.json cannot be read"),
    ],
)
def test_options_that_do_not_fit_are_refused(given, says):
    with pytest.raises(ConfigError) as caught:
        run().decide(**given)
    assert says in str(caught.value)


def test_the_calibration_of_another_scorer_is_refused(tmp_path):
    replace(CALIBRATION, scorer="talknet").write(tmp_path / "c.json")
    with pytest.raises(ConfigError, match="was fitted on scorer=talknet, not lip_motion"):
        run().decide(calibration=tmp_path / "c.json")


def test_who_was_named_by_voice_keeps_the_name():
    result = run()
    assert result.off_screen
    names = tuple(f"Voice {number}" for number in range(len(result.off_screen)))
    decided = replace(result, off_screen_names=names).decide(segments={"on": 0.99})
    assert len(decided.off_screen_names) == len(decided.off_screen)
    for span, name in zip(decided.off_screen, decided.off_screen_names, strict=True):
        shared = {
            number: min(span[1], old[1]) - max(span[0], old[0])
            for number, old in enumerate(result.off_screen)
        }
        best = max(shared, key=shared.get)
        assert name == (f"Voice {best}" if shared[best] > 0 else None)


def test_a_doubt_goes_and_comes_with_the_decisions():
    boxes = np.tile([0.0, 0, 9, 9], (100, 1))
    both = [by_hand.track(number, 0, boxes, 2.0) for number in range(2)]
    result = by_hand.result(*both, shots=[(0, 100)]).decide()
    assert "Everybody in sight seems to speak" in result.video.notes[0]
    assert result.decide(segments={"on": 0.99}).video.notes == ()
    assert result.decide().video.notes == result.video.notes
