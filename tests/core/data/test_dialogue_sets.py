"""`asd data dialogues`: sets of synthetic dialogues, as its options say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from judging import make
from one_person import HEIGHT, NAMES, TONE_HZ, WIDTH

from asdkit.core.data import dialogue_set
from asdkit.core.media.probe import Sound, frames, probe
from asdkit.core.rttm import read_rttm


@pytest.fixture
def make_set(clips, tmp_path, monkeypatch, asd):
    monkeypatch.chdir(tmp_path)

    def call(*words):
        code, out, err = asd("data", "dialogues", f"clips={clips}", "people=2", *words)
        assert code == 0, err
        return out

    return call


def heard(video="asd_dialogues/dialogue_0.mp4", seconds=8):
    """(frames, 640) float64 from -1 to 1."""
    with Sound(probe(Path(video))) as sound:
        return sound.read(0, seconds * 16000).reshape(-1, 640) / 32768


def truth(video="asd_dialogues/dialogue_0.mp4"):
    return json.loads(Path(video).with_suffix(".json").read_text())


def voices(video="asd_dialogues/dialogue_0.mp4", seconds=8):
    """By name: (n,) bool, in which frames of the grid the voice is heard, by the RTTM."""
    (turns,) = read_rttm([Path(video).with_suffix(".rttm")]).values()
    found = {}
    for name, spans in turns.items():
        found[name] = np.zeros(seconds * 25, bool)
        for start, end in spans:
            found[name][round(start * 25) : round(end * 25)] = True
    return found


def test_a_set_has_a_card_and_is_read(make_set):
    out = make_set("number=2", "seconds=4", "seed=7")
    assert "Read them with: dataset=dialogue dataset.folder=asd_dialogues" in out
    videos = make("dialogue", folder="asd_dialogues").videos()
    assert [video.name for video in videos] == ["dialogue_7", "dialogue_8"]
    card = Path("asd_dialogues/card.md").read_text()
    assert "Nobody reacts to anybody" in card
    options = json.loads(card.split("```json\n")[1].split("```")[0])
    assert (options["seed"], options["seconds"]) == (7, 4)
    assert sorted(options["people"]) == NAMES


def test_speakers_for_validation_are_apart(make_set):
    make_set("number=2", "seconds=4", "validation_speakers=[ann,eve]", "validation_number=1")
    people = {
        part: {
            name
            for file in Path("asd_dialogues", part).glob("*.rttm")
            for name in voices(file.with_suffix(".mp4"), 4)
        }
        for part in ("train", "validation")
    }
    assert people["validation"] <= {"ann", "eve"}
    assert people["train"] <= {"bob", "cleo", "dan"}
    assert people["train"] and people["validation"]
    names = [path.name for path in Path("asd_dialogues").rglob("*.mp4")]
    assert sorted(names) == ["dialogue_0.mp4", "dialogue_1.mp4", "dialogue_2.mp4"]


def test_how_many_are_for_validation_is_drawn_by_the_seed(make_set):
    make_set("seconds=4", "validation_speakers=2")
    cards = [Path("asd_dialogues", part, "card.md").read_text() for part in ("train", "validation")]
    people = [set(json.loads(c.split("```json\n")[1].split("```")[0])["people"]) for c in cards]
    assert (len(people[0]), len(people[1])) == (3, 2)
    assert people[0] | people[1] == set(NAMES)


def test_it_goes_on_where_it_stopped(make_set, clips, asd, monkeypatch):
    real = dialogue_set.make_dialogue
    made = []

    def stopping(people, folder, seed, wanted):
        made.append(seed)
        if len(made) == 2:
            raise KeyboardInterrupt
        return real(people, folder, seed, wanted)

    monkeypatch.setattr(dialogue_set, "make_dialogue", stopping)
    words = ["data", "dialogues", f"clips={clips}", "people=2", "number=2", "seconds=4"]
    code, _, err = asd(*words)
    assert code == 130
    assert "The same command goes on with what is left" in err
    out = make_set("number=2", "seconds=4")
    assert made == [0, 1, 1]
    assert "dialogue_0.mp4: there already" in out
    code, _, err = asd(*words, "overlap=2")
    assert code == 2
    assert "asd_dialogues holds something other than dialogues of these clips and options" in err


@pytest.mark.parametrize("overlap", [0, 3])
def test_how_many_turns_overlap_is_chosen(make_set, overlap):
    make_set(f"overlap={overlap}", "seconds=16", "seed=0")
    count = np.sum(list(voices(seconds=16).values()), axis=0)
    assert ((count > 1).sum() > 20) == (overlap == 3)
    assert (count > 0).sum() > 100


@pytest.mark.parametrize("off_screen", [0, 4])
def test_how_many_turns_are_off_screen_is_chosen(make_set, off_screen):
    make_set(f"off_screen={off_screen}", "overlap=0", "seconds=16")
    told = truth()
    unseen, seen = np.sum(told["off_screen"]), np.sum(list(told["speaking"].values()))
    assert (unseen > 0, seen > 0) == (off_screen == 4, off_screen == 0)


def test_the_noise_is_as_loud_as_asked(make_set):
    make_set("snr_db=10", "seconds=8")
    said = np.any(list(voices().values()), axis=0)
    silent = np.convolve(~said, np.ones(5), "same") == 5
    # Speech is brought to -20 dB below full scale; AAC changes noise a little.
    assert 20 * np.log10(heard()[silent].std()) == pytest.approx(-30, abs=1)


@pytest.mark.parametrize("offset", [0.4, -0.4])
def test_the_sound_is_late_or_early_and_the_labels_of_voices_too(make_set, offset):
    make_set("seconds=8", "off_screen=0", "overlap=0", "output=in_time")
    make_set("seconds=8", "off_screen=0", "overlap=0", f"offset_s={offset}")
    before, late = truth("in_time/dialogue_0.mp4"), truth()
    assert late["speaking"] == before["speaking"]
    steps = round(offset * 25)
    time_s = np.arange(640) / 16_000
    for name, speaks in voices().items():
        lips = np.array(late["speaking"][name], bool)
        inner = slice(10, -10)
        assert np.array_equal(np.roll(lips, steps)[inner], speaks[inner])
        tone = np.exp(-2j * np.pi * TONE_HZ[name] * time_s)
        level = np.abs(heard() @ tone) / 320
        near = np.convolve(speaks, np.ones(3), "same")
        assert level[near == 3].min(initial=1) > 0.1
        assert level[near == 0].max() < 0.02


def test_size_and_frame_rate_are_chosen(make_set):
    make_set("seconds=4", "height=32", "fps=30")
    media = probe(Path("asd_dialogues/dialogue_0.mp4"))
    assert (media.info.width, media.info.height, media.info.fps) == (
        2 * WIDTH // 2,
        HEIGHT // 2,
        30,
    )
    assert media.info.duration_s == pytest.approx(4, abs=0.04)
    told = truth()
    assert sorted(map(tuple, told["regions"].values())) == [(0, 0, 48, 32), (48, 0, 96, 32)]
    assert told["shots"] == [[0, 100]]
    assert sum(1 for _ in frames(media)) == 100


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["people=6"], "There are clips of 5 people, but 6 are needed"),
        (["seconds=0"], "seconds must be above 0"),
        (["number=0"], "number must be at least 1"),
        (["seed=-1"], "seed must be at least 0"),
        (["people=0"], "people must be at least 1"),
        (["overlap=4"], "overlap must be from 0 to 3"),
        (["off_screen=5"], "off_screen must be from 0 to 4"),
        (["snr_db=1000"], "snr_db must be from -60 to 100"),
        (["offset_s=30"], "offset_s must be shorter than the video"),
        (["height=2"], "height must be from 16 to 4320"),
        (["fps=0"], "fps must be from 1 to 240"),
        (["validation_speakers=[zoe]"], "there are no clips of zoe. There are clips of ann"),
        (["validation_speakers=5"], "validation_speakers=5 leaves none of 5 people"),
        (["validation_speakers=true"], "must be names, as in [ann,bob], or how many, got True"),
        (["people=3", "validation_speakers=2"], "There are clips of 2 people, but 3 are needed"),
        (["clips=nowhere"], "There is no folder nowhere"),
    ],
)
def test_what_cannot_be_made_is_told(clips, tmp_path, monkeypatch, refused, words, said):
    monkeypatch.chdir(tmp_path)
    assert said in refused("data", "dialogues", f"clips={clips}", *words)
