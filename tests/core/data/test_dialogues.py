"""Synthetic dialogues: what is seen and heard in them is what their truth says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from judging import make
from one_person import END, FIRST, FRAMES, HEIGHT, NAMES, TONE_HZ, WIDTH, write_clip
from synth import number_of

from asdkit import testing
from asdkit.core.data.dialogue_plan import make_plan
from asdkit.core.data.dialogue_settings import Wanted
from asdkit.core.data.dialogues import make_dialogue, tiles
from asdkit.core.data.takes import Take, people_in, read_take, speech
from asdkit.core.errors import InputError
from asdkit.core.media.probe import Sound, frames, probe
from asdkit.plugins.datasets.rttm import read_rttm


@pytest.fixture(scope="module")
def made(clips, tmp_path_factory):
    """A dialogue of five people of whom three are seen at once, in three shots."""
    folder = tmp_path_factory.mktemp("dialogues")
    return make_dialogue(people_in(clips), folder, 3, Wanted(people=3, shots=3, seconds=16))


def truth_of(video: Path) -> dict:
    return json.loads(video.with_suffix(".json").read_text())


def voices_of(video: Path) -> dict[str, np.ndarray]:
    """By name: in which frames the person speaks, by the RTTM."""
    found = {}
    (turns,) = read_rttm([video.with_suffix(".rttm")]).values()
    for name, spans in turns.items():
        found[name] = np.zeros(truth_of(video)["shots"][-1][1], bool)
        for start_s, end_s in spans:
            found[name][round(start_s * 25) : round(end_s * 25)] = True
    return found


def faces_of(video: Path) -> list[list[tuple[str, int]]]:
    """By frame, from left to right: whose clip is seen, and which frame of it."""
    found = []
    for frame in frames(probe(video)):
        image = frame.picture.rgb()
        assert image.shape == (HEIGHT, 3 * WIDTH, 3)
        parts = (number_of(image[:, x : x + WIDTH]) for x in range(0, 3 * WIDTH, WIDTH))
        found.append([(NAMES[part // 256], part % 256) for part in parts])
    return found


# A whole dialogue


def test_who_speaks_in_the_truth_is_seen_speaking(made):
    truth = truth_of(made)
    seen = faces_of(made)
    assert len(seen) == truth["shots"][-1][1] == 400
    places = {name: box[0] // WIDTH for name, box in truth["regions"].items()}
    for k, row in enumerate(seen):
        for place, (name, index) in enumerate(row):
            assert places[name] == place
            assert truth["speaking"][name][k] == (FIRST <= index < END), (k, name, index)
        away = truth["speaking"].keys() - {name for name, _ in row}
        assert not any(truth["speaking"][name][k] for name in away)
    casts = [{name for name, _ in seen[first]} for first, _ in truth["shots"]]
    for (first, end), cast in zip(truth["shots"], casts, strict=True):
        assert all({name for name, _ in row} == cast for row in seen[first:end])
    assert casts[0] != casts[1] != casts[2]


def test_whose_voice_is_in_the_truth_is_heard(made):
    voices = voices_of(made)
    with Sound(probe(made)) as sound:
        heard = sound.read(0, 400 * 640).reshape(400, 640) / 32768
    time_s = np.arange(640) / 16_000
    for name, hz in TONE_HZ.items():
        level = np.abs(heard @ np.exp(-2j * np.pi * hz * time_s)) / 320
        speaks = voices.get(name, np.zeros(400, bool))
        near = np.convolve(speaks, np.ones(3), "same")  # AAC blurs the edges
        assert level[near == 3].min(initial=1) > 0.1
        assert level[near == 0].max() < 0.01
    assert len(voices) >= 4
    silent = ~np.any(list(voices.values()), axis=0)
    silence = heard[np.convolve(silent, np.ones(5), "same") == 5]
    assert 0.0003 < silence.std() < 0.003


def test_voices_are_seen_or_off_screen(made):
    """Pauses, overlaps and voices off screen are all there, and the two files agree."""
    truth, voices = truth_of(made), voices_of(made)
    unseen = np.zeros(400, bool)
    for name, speaks in voices.items():
        shown = np.array(truth["speaking"].get(name, [0] * 400), bool)
        assert not (shown & ~speaks).any()
        unseen |= speaks & ~shown
    assert np.array_equal(unseen, np.array(truth["off_screen"], bool))
    count = np.sum(list(voices.values()), axis=0)
    assert (count == 0).sum() > 50
    assert (count == 1).sum() > 100
    assert (count == 2).sum() > 10
    assert unseen.sum() >= END - FIRST


def test_no_face_jumps_when_speech_begins_or_ends(made):
    truth, seen = truth_of(made), faces_of(made)
    edges = 0
    for name, speaking in truth["speaking"].items():
        for k in np.flatnonzero(np.diff(speaking)) + 1:
            indices = [dict(row).get(name) for row in seen[k - 2 : k + 2]]
            if None not in indices:
                assert (np.diff(indices) == 1).all(), indices
                edges += 1
    assert edges > 8


def test_the_dataset_takes_it(made):
    (video,) = testing.check_dataset(make("dialogue", folder=made.parent))
    assert video.name == made.stem == "dialogue_3"
    assert video.off_screen.tolist() == [bool(one) for one in truth_of(made)["off_screen"]]
    assert video.speakers.keys() == voices_of(made).keys()


def test_the_seed_decides(clips, tmp_path):
    wanted = Wanted(seconds=6)
    for name, seed in (("one", 1), ("again", 1), ("two", 2)):
        make_dialogue(people_in(clips), tmp_path / name, seed, wanted)
    for suffix in (".mp4", ".json", ".rttm"):
        one, again, two = (
            (tmp_path / name / f"dialogue_{seed}{suffix}").read_bytes()
            for name, seed in (("one", 1), ("again", 1), ("two", 2))
        )
        assert one == again != two


# Its parts


def test_speech_is_what_is_nearly_as_loud_as_the_loudest():
    quiet, loud = -50.0, -10.0
    level = [quiet] * 10 + [loud] * 6 + [-40.0] * 4 + [loud - 19] * 5 + [quiet] * 5 + [loud] * 7
    found = speech([*level, *[quiet] * 8, loud, *[quiet] * 8])
    expected = [0] * 10 + [1] * 15 + [0] * 5 + [1] * 7 + [0] * 17
    assert found.astype(int).tolist() == expected


def test_a_take_is_at_rest_before_and_after_itself(clips):
    take = read_take(clips / "ann.mkv")
    assert (len(take), take.first, take.end) == (FRAMES, FIRST, END)
    rest = FIRST - 5
    there = [*range(1, rest), *range(rest - 2, -1, -1)]
    assert [take.before(k) for k in range(1, 2 * rest - 1)] == there
    assert [take.after(k) for k in range(1, 2 * rest - 1)] == [FRAMES - 1 - k for k in there]


def test_takes_are_equally_loud(tmp_path):
    for name, amplitude in (("loud", 0.8), ("low", 0.02)):
        write_clip(tmp_path / f"{name}.mkv", 0, amplitude=amplitude)
        take = read_take(tmp_path / f"{name}.mkv")
        part = take.sound[FIRST * 640 : END * 640]
        assert np.sqrt((part**2).mean()) == pytest.approx(0.1, rel=0.02)


def test_somebody_without_silence_stands_still():
    speaking = np.ones(20, bool)
    take = Take(np.zeros((20, 2, 2, 3), np.uint8), np.zeros(20 * 640), speaking)
    assert {take.before(k) for k in range(9)} == {0}
    assert {take.after(k) for k in range(9)} == {19}


@pytest.mark.parametrize("seed", range(20))
def test_nobody_is_in_two_takes_at_once(clips, seed):
    rng = np.random.default_rng(seed)
    cast = [[read_take(clips / f"{name}.mkv")] for name in NAMES[:3]]
    plan = make_plan(cast, 600, 2, 2, rng)
    for person, faces in enumerate(plan.faces(cast, rng)):
        assert len(faces) == 600
        begins = [turn.begin for turn in plan.turns if turn.person == person]
        assert (np.diff(begins) >= FRAMES).all()
        speaks = [FIRST <= index < END for _, index in faces]
        assert speaks == plan.speaking(cast)[person].tolist()


def test_clips_in_a_folder_are_of_one_person(tmp_path):
    for name in ("ann/one.mkv", "ann/two.mkv", "bob.mkv", "mary lou/a.mkv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "notes.txt").touch()
    found = people_in(tmp_path)
    assert {name: [path.name for path in paths] for name, paths in found.items()} == {
        "ann": ["one.mkv", "two.mkv"],
        "bob": ["bob.mkv"],
        "mary_lou": ["a.mkv"],
    }
    (tmp_path / "ann.mkv").touch()
    with pytest.raises(InputError, match="Two people have the name ann"):
        people_in(tmp_path)


def test_places_fill_rows():
    assert tiles(3, 10, 20) == [(0, 0, 20, 10), (20, 0, 40, 10), (40, 0, 60, 10)]
    assert tiles(5, 10, 20)[-1] == (20, 10, 40, 20)
    assert tiles(8, 10, 20)[-1] == (60, 10, 80, 20)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (Wanted(people=6), "clips of 5 people, but 6 are needed"),
        (Wanted(people=5, shots=2), "clips of 5 people, but 6 are needed"),
        (Wanted(shots=3, seconds=5), "5 s are too short for 3 shots. Each takes 2 s"),
        (Wanted(seconds=1), "1 s are too short for 1 shot"),
    ],
)
def test_what_cannot_be_made(clips, tmp_path, wanted, says):
    with pytest.raises(InputError, match=says):
        make_dialogue(people_in(clips), tmp_path / "out", 0, wanted)
    assert not (tmp_path / "out").exists()


def test_clips_that_cannot_be_used(clips, tmp_path):
    write_clip(tmp_path / "a.mkv", 0)
    write_clip(tmp_path / "b.mkv", 1, size=(48, 64))
    with pytest.raises(InputError, match="different sizes: 48x64, 96x64"):
        make_dialogue(people_in(tmp_path), tmp_path, 0, Wanted(people=2))
    write_clip(tmp_path / "b.mkv", 1, amplitude=0)
    with pytest.raises(InputError, match=r"No speech is heard in .*b\.mkv"):
        make_dialogue(people_in(tmp_path), tmp_path, 0, Wanted(people=2))
    with pytest.raises(InputError, match=r"There is no folder .*nowhere"):
        people_in(tmp_path / "nowhere")
