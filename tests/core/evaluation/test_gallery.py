"""The worst moments: which they are, what is shown of them, and the page in a browser."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from by_hand import track
from evaluating import FRAMES, evaluated
from scipy.io import wavfile

from asdkit.core.cli.main import main
from asdkit.core.evaluation.gallery_page import Card, page
from asdkit.core.evaluation.moment_pictures import FLOOR_DB, Shown, levels, shown_of
from asdkit.core.evaluation.moments import Moment, moments_of
from asdkit.core.labelled_clip import LabelledClip
from asdkit.core.labels import Judged, LabelledFace, LabelledVideo
from asdkit.core.types import Clip


def judged(chance, truth, person="ann", found=None, fps=25.0) -> Judged:
    """Rows of one face with these probabilities, one a frame."""
    n = len(chance)
    logits = np.zeros((n, 2), np.float32)
    logits[:, 1] = np.log(np.asarray(chance) / (1 - np.asarray(chance)))
    found = np.ones(n, bool) if found is None else found
    logits[~found] = (0, -np.inf)
    return Judged(
        person=np.full(n, person),
        time_s=np.arange(n) / fps,
        truth=np.asarray(truth, bool),
        logits=logits,
        decided=found & (np.asarray(chance) > 0.5),
        found=found,
        face_px=np.full(n, 80.0),
        on_screen=np.ones(n, np.int64),
    )


def track_of(rows: Judged, number: int = 0):
    boxes = [[k, 0, k + 20, 20] for k in range(len(rows))]
    one = track(number, 0, boxes)
    one.logits[:] = rows.logits
    return one


def spans(found) -> list[tuple[bool, float, float]]:
    return [(one.missed, round(one.start_s, 2), round(one.end_s, 2)) for one in found]


# --- which moments


def test_neighbouring_wrong_rows_are_one_moment():
    chance = np.full(200, 0.1)
    chance[10:20] = 0.9  # 0.4 to 0.8 s
    chance[25:30] = 0.9  # 0.2 s later: the same moment
    chance[60:65] = 0.9  # another, 1.2 s later
    truth = np.zeros(200, bool)
    truth[100:150] = True  # missed from 4 to 6 s
    found = moments_of("talk", judged(chance, truth), [], 5)
    assert spans(found) == [(False, 0.4, 1.2), (False, 2.4, 2.6), (True, 4.0, 6.0)]
    assert found[0].wrong == pytest.approx(15 * 0.04 * 0.8)
    assert {(one.video, one.person) for one in found} == {("talk", "ann")}


def test_the_worst_of_each_kind_come_first():
    """What counts is how long and how wrong: half a second of 0.95 beats one of 0.6."""
    chance = np.full(300, 0.1)
    chance[20:45] = 0.6
    chance[100:112] = 0.95
    chance[200:202] = 0.99
    rows = judged(chance, np.zeros(300, bool))
    assert spans(moments_of("v", rows, [], 2)) == [(False, 4.0, 4.48), (False, 0.8, 1.8)]
    assert moments_of("v", judged(chance, chance > 0.5), [], 2) == []


def test_people_have_moments_of_their_own():
    truth = np.zeros(50, bool)
    both = Judged.pooled(
        [judged(np.full(50, p), truth, who) for who, p in (("a", 0.8), ("b", 0.9))]
    )
    found = moments_of("v", both, [], 5)
    assert [one.person for one in found] == ["b", "a"]
    assert all(len(one.curve.time_s) == 50 for one in found)


def test_what_is_shown_of_short_and_long_moments():
    chance = np.full(500, 0.1)
    chance[100:110] = 0.9
    (short,) = moments_of("v", judged(chance, np.zeros(500, bool)), [], 5)
    assert short.from_s == pytest.approx(4.2 - 1)  # the middle of what is shown is its own
    chance = np.full(500, 0.6)
    chance[300:350] = 0.99
    (long,) = moments_of("v", judged(chance, np.zeros(500, bool)), [], 5)
    assert (long.start_s, long.end_s) == (0, 20)
    assert long.from_s == pytest.approx(12)  # where it is most wrong
    assert long.curve.time_s[[0, -1]].tolist() == pytest.approx([12, 14])
    assert long.times_s[:2] == pytest.approx([12.125, 12.375])


def test_boxes_are_those_of_the_track_that_was_judged():
    chance = np.linspace(0.6, 0.9, 60)
    rows = judged(chance, np.zeros(60, bool))
    other = track_of(judged(chance[::-1], np.zeros(60, bool)), 3)
    (found,) = moments_of("v", rows, [other, track_of(rows, 7)], 5)
    assert found.track == 7
    assert all(box.tolist() == [k, 0, k + 20, 20] for k, box in found.boxes.items())
    assert len(found.boxes) == 8


def test_a_face_that_was_not_found_has_no_boxes():
    rows = judged(np.full(60, 0.9), np.ones(60, bool), found=np.zeros(60, bool))
    (found,) = moments_of("v", rows, [track_of(rows)], 5)
    assert (found.missed, found.track, dict(found.boxes)) == (True, None, {})
    assert (found.curve.probability == 0).all()


# --- what is shown


def test_levels():
    loud = np.full(16_000, 2**15 - 1, np.int16)
    found = levels(np.concatenate([np.zeros(16_000, np.int16), loud]))
    assert found.shape == (50,)
    assert set(found[:25].tolist()) == {FLOOR_DB}
    assert found[25:] == pytest.approx(np.zeros(25), abs=0.01)
    half = levels(np.full(32_000, 2**14, np.int16))
    assert half == pytest.approx(np.full(50, -6.02), abs=0.01)


def test_crops_and_sound_of_a_dataset_without_videos():
    """Crops as bright as their number; sound only in the second half."""
    faces = np.arange(60, dtype=np.uint8)[:, None, None].repeat(112, 1).repeat(112, 2) * 4
    sound = np.concatenate([np.zeros(30 * 640), np.full(30 * 640, 8000)]).astype(np.int16)
    clips = (
        Clip(faces[:40], sound[: 40 * 640], 0, np.zeros(240, np.int16)),
        Clip(faces[40:], sound[40 * 640 :], 0, np.zeros(240, np.int16)),
    )
    face = LabelledFace(0, np.zeros((60, 4)), lambda: clips)
    video = LabelledVideo("v", None, faces=(face,))
    rows = judged(np.full(60, 0.9), np.zeros(60, bool))
    (moment,) = moments_of("v", rows, [track_of(rows)], 5)
    shown = shown_of(moment, video, None)
    bright = [cv2.imdecode(np.frombuffer(p, np.uint8), 0).mean() for p in shown.pictures]
    frames = [round(time_s * 25 - 0.01) for time_s in moment.times_s]
    assert bright == pytest.approx([4 * k for k in frames], abs=4)
    assert shown.levels[0] == FLOOR_DB
    assert shown.levels[-1] > -13
    assert not shown.whole


def test_crops_of_labels_at_their_own_rate():
    """30 labels a second with a gap of a second: crops are found by the times of the labels."""
    faces = np.arange(60, dtype=np.uint8)[:, None, None].repeat(112, 1).repeat(112, 2) * 4
    sound = np.concatenate([np.zeros(32_000), np.full(16_000, 8000)]).astype(np.int16)
    face = LabelledFace(250, np.zeros((60, 4)), lambda: (LabelledClip(faces, sound, fps=30.0),))
    video = LabelledVideo("v", None, faces=(face,))
    rows = judged(np.full(60, 0.9), np.arange(60) < 45, fps=30.0)
    late = rows.time_s + 10 + (np.arange(60) >= 45)
    rows = replace(rows, time_s=late)
    tracks = [track_of(rows)]
    tracks[0] = replace(tracks[0], first_frame=250)
    (moment,) = moments_of("v", rows, tracks, 5)
    assert moment.start_s == pytest.approx(12.5)
    shown = shown_of(moment, video, None)
    bright = [p and cv2.imdecode(np.frombuffer(p, np.uint8), 0).mean() for p in shown.pictures]
    near = [np.abs(late - time_s) for time_s in moment.times_s]
    expected = [4 * int(one.argmin()) if one.min() < 0.2 else None for one in near]
    assert bright == pytest.approx(expected, abs=4)
    assert 2 < sum(one is None for one in bright) < 6
    loud = np.flatnonzero(shown.levels > FLOOR_DB)
    assert loud[0] == pytest.approx((12 - moment.from_s) * 25, abs=1)


# --- the page


def card(**more) -> Card:
    rows = judged(np.full(60, 0.9), np.zeros(60, bool))
    (moment,) = moments_of("v", rows, [track_of(rows)], 5)
    moment = Moment(**{**vars(moment), **more})
    pictures = [b"jpeg"] * 7 + [None]
    return Card(moment, Shown(pictures, np.linspace(FLOOR_DB, 0, 50), whole=False), "asd run v.mp4")


def test_names_are_not_taken_for_html():
    evil = "<script>alert(1)</script>&\"'"
    text = page(evil, [card(person=evil, video=evil)._replace(command=evil)])
    assert "<script" not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;&amp;") >= 5


def test_the_page_tells_in_words_what_it_draws():
    text = page("made up", [card()])
    assert "There are none." in text  # no misses
    assert 'alt="The face of ann at' in text
    assert text.count("<img ") == 7
    assert "not seen" in text
    assert 'aria-label="Probability of speaking from 0.90 to 0.90; by the labels the face' in text
    assert 'aria-label="Sound level from -60 to 0 dB"' in text
    assert "is silent; mean probability of speaking 0.90, for 2.40 s" in text
    assert "<h1>" in text
    assert "http" not in text.replace("http-equiv", "")


@pytest.fixture
def wrong(options, folder):
    """Options for two videos of which every label is wrong."""
    for name in ("one", "two"):
        truth = json.loads((folder / f"{name}.json").read_text())
        left, right = truth["speaking"]["left"], truth["speaking"]["right"]
        truth["speaking"] = {"left": right, "right": left}
        Path("data").mkdir(exist_ok=True)
        Path(f"data/{name}.json").write_text(json.dumps(truth))
        Path(f"data/{name}.mp4").write_bytes((folder / f"{name}.mp4").read_bytes())
    return [f"dataset.folder={Path('data').absolute()}", *options[1:], "foreign_sound=false"]


def pictures_in(text: str) -> list[np.ndarray]:
    found = re.findall(r"data:image/jpeg;base64,([^\"]+)", text)
    return [cv2.imdecode(np.frombuffer(base64.b64decode(one), np.uint8), 1) for one in found]


def test_an_evaluation_with_a_gallery(wrong):
    evaluated([*wrong, "gallery=1"])
    text = Path("out/gallery.html").read_text()
    assert text.count("<article>") == 2  # one false alarm, one miss
    assert "<p>dialogue, scored by lip_motion</p>" in text
    pictures = pictures_in(text)
    assert len(pictures) >= 14
    assert all(one.shape == (112, 112, 3) for one in pictures)
    # Faces are grey with a dark mouth, which changes where somebody speaks.
    assert all(10 < one.std() < 60 for one in pictures)
    evaluated([*wrong, "gallery=1", "overwrite=true"])  # the page is its own, not another's
    evaluated(wrong, "without")
    assert not Path("without/gallery.html").exists()


def test_the_command_looks_at_the_place_as_it_was_evaluated(wrong):
    """With the parts, their parameters and all options that are not the usual ones."""
    found = evaluated([*wrong, "gallery=1", "segments.on=0.7", "seed=3", "writers=[json]"])
    (command, *_) = re.findall(r"<code>(.*?)</code>", Path("out/gallery.html").read_text())
    words = shlex.split(html.unescape(command))
    assert words[:2] == ["asd", "run"]
    path = found["settings"]["detector"]["path"]
    asked = ("seed=3", "segments.on=0.7", "cutter=none", "detector=boxes", "scorer=lip_motion")
    assert sorted(words[3:-3]) == sorted([*asked, f"detector.path='{path}'"])
    assert [word.partition("=")[0] for word in words[-3:]] == ["start_s", "end_s", "writers"]
    main([*words[1:-1], "output=again", "writers=[json]"])
    again = json.loads(Path("again/result.json").read_text())["settings"]
    for key in ("cutter", "detector", "tracker", "scorer", "segments", "seed"):
        assert again[key] == found["settings"][key], key


def test_a_face_that_is_not_found_is_shown_by_the_whole_picture(wrong):
    Path("none.json").write_text(f"[{', '.join(['[]'] * FRAMES)}]")
    evaluated([*wrong, "detector.path=none.json", "gallery=1", "videos=[one]"])
    text = Path("out/gallery.html").read_text()
    (miss,) = re.findall(r"<article>.*?</article>", text, re.DOTALL)
    assert 'class="strip whole"' in miss
    assert 'alt="The whole picture at' in miss
    assert "; the face was not found" in miss
    assert all(one.shape == (64, 96, 3) for one in pictures_in(miss))


def test_a_gallery_of_face_crops(options, folder):
    """Of a dataset that has no videos, as AVA-ActiveSpeaker is mostly passed on."""
    pictures, sounds = (Path("crops", f"clips_{kind}", "v") for kind in ("videos", "audios"))
    (pictures / "v_a").mkdir(parents=True)
    sounds.mkdir(parents=True)
    for k in range(FRAMES):
        cv2.imwrite(
            str(pictures / "v_a" / f"{k / 25:.2f}.jpg"), np.full((64, 48, 3), 200, np.uint8)
        )
    noise = np.random.default_rng(0).normal(0, 3000, FRAMES * 640).astype(np.int16)
    wavfile.write(sounds / "v_a.wav", 16_000, noise)
    rows = [f"v,{k / 25:.2f},0.1,0.1,0.3,0.6,SPEAKING_AUDIBLE,v:a\n" for k in range(FRAMES)]
    Path("truth.csv").write_text("".join(rows))
    given = ["dataset=ava", "dataset.truth=truth.csv", "dataset.crops=crops", "faces=labelled"]
    evaluated([*given, "scorer=lip_motion", "plots=false", "gallery=2"])
    text = Path("out/gallery.html").read_text()
    shown = pictures_in(text)
    assert len(shown) == 8  # nothing moves, so the face is said to be silent all the time
    assert all(np.allclose(one, 200, atol=3) for one in shown)
    assert "<code>" not in text  # there is no video to run on


@pytest.mark.usefixtures("own_alone")
@pytest.mark.parametrize("count", ["-1", "501"])
def test_how_many_moments_are_refused(options, count, capsys):
    with pytest.raises(SystemExit):
        main(["evaluate", *options, f"gallery={count}"])
    assert f"gallery must be from 0 to 500, got {count}" in capsys.readouterr().err


@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_in_a_browser(wrong, browser, width):
    evaluated([*wrong, "gallery=3"])
    path = Path("out/gallery.html").absolute()
    view = browser.new_page(viewport={"width": width, "height": 900})
    complaints, requests = [], []
    view.on("console", lambda message: complaints.append(message.text))
    view.on("request", lambda one: requests.append(one.url))
    try:
        view.goto(path.as_uri())
        assert complaints == []
        assert [url for url in requests if not url.startswith("data:")] == [path.as_uri()]
        assert view.evaluate("document.documentElement.scrollWidth") <= width
        view.evaluate("document.querySelectorAll('img').forEach(one => { one.loading = 'eager' })")
        assert view.locator("img:not([alt])").count() == 0
        strip = view.locator(".strip").first.bounding_box()
        score = view.locator("svg.score").first.bounding_box()
        assert score["x"] == pytest.approx(strip["x"], abs=1)
        assert score["width"] == pytest.approx(strip["width"], abs=1)
        assert view.locator("svg.score").first.evaluate("one => getComputedStyle(one).height") == (
            "90px"
        )
        back = []
        for scheme in ("light", "dark"):
            view.emulate_media(color_scheme=scheme)
            back.append(view.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert back == ["rgb(244, 245, 247)", "rgb(14, 17, 22)"]
    finally:
        view.close()
