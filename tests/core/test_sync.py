"""Runs that find out whether the sound fits the lips, with a scorer that knows."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
from knowing import Knowing, KnowingModels, faces, sound, speech, video

from asdkit.core.analysis.parts import Parts
from asdkit.core.analysis.shifting import AROUND, ShiftedScorer, WideClip
from asdkit.core.cli.console import print_summary
from asdkit.core.config.compose import compose_app, compose_run
from asdkit.core.config.plan import make_plan
from asdkit.core.correcting import moved_by
from asdkit.core.decisions.in_step import fit_of
from asdkit.core.errors import ConfigError, PluginError
from asdkit.core.evaluation.dataset import make_dataset_plan
from asdkit.core.evaluation.settings import CALIBRATE
from asdkit.core.kept_parts import asked_of
from asdkit.core.media.probe import Sound, probe
from asdkit.core.pipeline import _origin, execute
from asdkit.core.repeat import result_differences
from asdkit.core.results import schema, to_json
from asdkit.core.resume import Answers
from asdkit.core.sync import Fit
from asdkit.core.viewing import media_of

FRAMES = 300


def ran(path, words, *more):
    plan = make_plan(compose_run([*words, *more], str(path)))
    models = KnowingModels(plan)
    return execute(plan, models=models), models.scorer


@pytest.mark.parametrize("late", [-10, -5, 0, 5, 10])
def test_check_measures_the_offset(tmp_path, late):
    words = video(tmp_path / "clip.mkv", speech(FRAMES), late_frames=late)
    result, scorer = ran(tmp_path / "clip.mkv", words, "sync=check", "writers=[]")
    assert result.sync is not None
    assert result.sync.whole.fits == "yes"
    assert result.sync.whole.offset_s == pytest.approx(late / 25, abs=0.04)
    assert result.sync.tracks == (result.sync.whole,)
    assert result.sync.moved_s == 0
    assert scorer.shifted == 1  # one visual pass for the clip, whatever the shifts
    remarked = [note for note in result.video.notes if "The sound comes" in note]
    assert len(remarked) == (late != 0)
    found = to_json(result)
    jsonschema.validate(found, schema())
    assert found["sync"]["tracks"] == [{"id": 0, **_fit(found["sync"])}]


def _fit(found):
    return {key: found[key] for key in ("fits", "offset_s", "certainty")}


def test_the_summary_says_it(tmp_path, capsys):
    words = video(tmp_path / "clip.mkv", speech(FRAMES), late_frames=5)
    result, _ = ran(tmp_path / "clip.mkv", words, "sync=check", "writers=[]")
    print_summary(result)
    assert f"{result.sync.whole} (certainty" in capsys.readouterr().out


def test_off_changes_nothing_and_check_leaves_the_scores(tmp_path):
    words = video(tmp_path / "clip.mkv", speech(FRAMES), late_frames=5)
    off, scorer = ran(tmp_path / "clip.mkv", words, "writers=[]")
    check, _ = ran(tmp_path / "clip.mkv", words, "sync=check", "writers=[]")
    assert off.sync is None
    assert "sync" not in to_json(off)
    assert not scorer.shifted
    assert np.array_equal(off.tracks[0].logits, check.tracks[0].logits)


def test_a_foreign_sound_fits_nobody(tmp_path):
    words = video(tmp_path / "clip.mkv", speech(FRAMES), heard=speech(FRAMES, 4))
    result, _ = ran(tmp_path / "clip.mkv", words, "sync=check", "writers=[]")
    assert result.sync.whole.fits == "no"
    assert any(note.startswith("The sound fits nobody in sight") for note in result.video.notes)


@pytest.mark.parametrize("late", [-9, 10])
def test_auto_puts_the_sound_in_step(tmp_path, late):
    speaks = speech(FRAMES)
    words = video(tmp_path / "clip.mkv", speaks, late_frames=late)
    off, _ = ran(tmp_path / "clip.mkv", words, "writers=[]")
    auto, _ = ran(tmp_path / "clip.mkv", words, "sync=auto", f"output={tmp_path / 'out'}")

    def wrong(result):
        return np.count_nonzero((result.tracks[0].scores > 0) != speaks)

    assert wrong(off) > 40
    assert wrong(auto) < 12
    assert auto.sync.moved_s == auto.sync.whole.offset_s == pytest.approx(late / 25, abs=0.04)
    assert auto.sync.tracks is None
    assert str(auto.sync) in auto.video.notes
    found = json.loads((tmp_path / "out/result.json").read_text())
    jsonschema.validate(found, schema())
    assert found["sync"]["moved_s"] == auto.sync.moved_s
    assert result_differences(found, auto) == []
    found["sync"]["moved_s"] += 0.04
    assert result_differences(found, auto) == ["sync: not the same"]


@pytest.mark.parametrize("late", [9, -9])
def test_auto_moves_the_turns_of_a_diarization_with_the_sound(tmp_path, late):
    """Who made them heard the sound as the file has it."""
    words = video(tmp_path / "clip.mkv", speech(FRAMES), late_frames=late)
    (tmp_path / "clip.rttm").write_text("SPEAKER clip 1 2.0 3.0 <NA> <NA> A <NA> <NA>\n")
    words.append(f"diarization={tmp_path / 'clip.rttm'}")
    check, _ = ran(tmp_path / "clip.mkv", words, "sync=check", "writers=[]")
    auto, _ = ran(tmp_path / "clip.mkv", words, "sync=auto", "writers=[]")
    assert check.voices[0].turns == ((2.0, 5.0),)
    assert abs(auto.sync.moved_s) > 0.3
    assert auto.voices[0].turns == (
        pytest.approx((2.0 - auto.sync.moved_s, 5.0 - auto.sync.moved_s)),
    )


def test_auto_believes_small_offsets_of_long_videos_alone():
    late, early = Fit("yes", 0.26, 4.0), Fit("yes", -0.26, 4.0)
    assert [moved_by(fit, 29.9) for fit in (late, early)] == [0, 0]
    assert [moved_by(fit, 30) for fit in (late, early)] == [0.26, -0.26]
    assert moved_by(Fit("yes", 0.4, 2.2), 6) == 0.4
    assert moved_by(Fit("yes", 0.04, 4.0), 60) == 0
    assert moved_by(Fit("no", None, 1.0), 60) == 0


def test_auto_leaves_a_sound_in_step_as_it_is(tmp_path):
    words = video(tmp_path / "clip.mkv", speech(FRAMES))
    off, _ = ran(tmp_path / "clip.mkv", words, "writers=[]")
    auto, _ = ran(tmp_path / "clip.mkv", words, "sync=auto", "writers=[]")
    assert auto.sync.moved_s == 0
    assert auto.sync.whole.fits == "yes"
    assert not auto.video.notes
    assert np.array_equal(off.tracks[0].logits, auto.tracks[0].logits)


@pytest.mark.parametrize("mode", ["check", "auto"])
def test_a_part_of_a_video_has_the_same_offset(tmp_path, mode):
    words = video(tmp_path / "clip.mkv", speech(FRAMES), late_frames=5, starts_s=0.4)
    part = ("start_s=2.2", "end_s=10", f"sync={mode}", "writers=[]")
    result, _ = ran(tmp_path / "clip.mkv", words, *part)
    assert result.sync.whole.offset_s == pytest.approx(0.2, abs=0.04)
    assert result.shots == ((55, 250),)


def test_sound_before_and_after_a_part_is_heard(tmp_path):
    """The shifts of a part's first and last frames use the sound that lies outside of the part."""
    speaks = speech(FRAMES)
    words = video(tmp_path / "clip.mkv", speaks)
    whole, _ = ran(tmp_path / "clip.mkv", words, "sync=check", "writers=[]")
    part, _ = ran(tmp_path / "clip.mkv", words, "sync=check", "writers=[]", "start_s=2", "end_s=10")
    assert whole.sync.whole.offset_s == pytest.approx(part.sync.whole.offset_s, abs=0.02)


def test_a_sound_is_moved_in_one_place(tmp_path):
    video(tmp_path / "clip.mkv", speech(100))
    media = probe(tmp_path / "clip.mkv")
    with Sound(media) as one:
        stored = one.read(0, 64_000)
    for moved_s, samples in ((0.2, 3200), (-0.2, -3200)):
        with Sound(media.with_sound_moved(moved_s)) as other:
            moved = other.read(0, 64_000)
        first = max(-samples, 0)
        stop = 64_000 - max(samples, 0)
        assert np.array_equal(moved[first:stop], stored[first + samples : stop + samples])
        assert not moved[:first].any()


def wide(late, frames=200):
    speaks = speech(frames + 100)
    heard = sound(speaks, late)
    first, stop = 50 * 640, (50 + frames) * 640
    return WideClip(
        faces(speaks[50 : 50 + frames]),
        heard[first:stop],
        first_frame=50,
        around=heard[first - AROUND : stop + AROUND],
    )


def test_the_sound_around_a_clip_is_cut_as_the_clip_would_be():
    clip = wide(0)
    assert np.array_equal(clip.shifted(0).sound, clip.sound)
    later = clip.shifted(3 * 640)
    assert np.array_equal(later.sound[: -3 * 640], clip.sound[3 * 640 :])
    assert later.sound_before == clip.sound[3 * 640 - 1]
    assert np.array_equal(clip.shifted(-640).sound_after, clip.sound[-640:][:240])


@pytest.mark.parametrize("early_s", [0.1, -0.2])
def test_a_scorer_that_likes_early_sound_is_believed_to(early_s):
    """Its network likes the sound best that comes so much before the lips."""
    frames = round(early_s * 25)
    plain, leaning = wide(4), wide(4 - frames)
    ShiftedScorer(Knowing(), "It").score([plain])
    scorer = Knowing()
    scorer.sound_early_s = frames / 25
    ShiftedScorer(scorer, "It").score([leaning])
    assert np.array_equal(plain.pieces[0].agreement, leaning.pieces[0].agreement)


def test_silence_is_not_scanned_and_a_short_clip_is_left_out():
    scorer = Knowing()
    clip = wide(0, frames=120)
    ShiftedScorer(scorer, "It").score([clip])
    assert [(p.first_frame, p.agreement.shape) for p in clip.pieces] == [(50, (23, 120))]
    short = wide(0, frames=24)
    ShiftedScorer(scorer, "It").score([short])
    assert short.pieces == []
    silent = replace(clip, around=np.zeros_like(clip.around), pieces=[])
    ShiftedScorer(scorer, "It").score([silent])
    assert silent.pieces == []


def test_what_shifted_sounds_are_answered_is_checked():
    class Forgets(Knowing):
        def score_shifted(self, clips):
            return self.score(clips)[1:]

    class Cannot:
        def score(self, clips):
            return []

    with pytest.raises(PluginError, match="It must answer with one Scores for each of 23 clips"):
        ShiftedScorer(Forgets(), "It").score([wide(0)])
    with pytest.raises(PluginError, match="It has no score_shifted"):
        ShiftedScorer(Cannot(), "It")


def test_shifted_scores_are_kept_for_resuming(tmp_path):
    def asked(scorer):
        answers = Answers(tmp_path, {"sync": "check"})
        answers.resume()
        parts = asked_of(answers, Parts(None, None, None, scorer))
        clip = wide(5)
        ShiftedScorer(parts.scorer, "It").score([clip])
        answers.keep()
        return fit_of(clip.pieces, can_refuse=True)

    first, again = Knowing(), Knowing()
    assert asked(first) == asked(again)
    assert (first.shifted, again.shifted) == (1, 0)


def test_what_is_kept_is_of_one_way(tmp_path):
    words = video(tmp_path / "clip.mkv", speech(100))
    origins = []
    for mode in ("off", "check", "auto"):
        plan = make_plan(compose_run([*words, f"sync={mode}"], str(tmp_path / "clip.mkv")))
        origins.append(_origin(plan, KnowingModels(plan), media_of(plan.options), None))
    assert [origin.pop("sync") for origin in origins] == ["off", "check", "auto"]
    assert origins[0] == origins[1] == origins[2]


def test_a_scorer_that_cannot_shift_is_refused():
    with pytest.raises(ConfigError, match=r"scorer=lip_motion .* cannot\. Use .*scorer=lr_asd"):
        make_plan(compose_run(["scorer=lip_motion", "sync=check"], "clip.mp4"))


@pytest.mark.parametrize("mode", ["on", "False"])
def test_other_values_are_refused(mode):
    with pytest.raises(ConfigError, match=f"sync must be off, check or auto, got '{mode}'"):
        make_plan(compose_run([f"sync='{mode}'"], "clip.mp4"))


def test_a_calibration_takes_the_sound_as_it_is(tmp_path):
    words = [f"dataset.folder={tmp_path}", "sync=check"]
    with pytest.raises(ConfigError, match="sync must be off here, got check"):
        make_dataset_plan(CALIBRATE, compose_app(CALIBRATE, words))
