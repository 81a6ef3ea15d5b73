"""The page as text: its data, what it lets in, and the pictures of faces, without a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import by_hand
import numpy as np
import pytest
from browser import SIZE, data_in, result_of_two, video_of_two, write_report
from synth import write_video

from asdkit.core.media.container import Reading
from asdkit.core.media.probe import probe
from asdkit.core.results_folder import final_folder
from asdkit.core.sync import Fit, Sync
from asdkit.core.voice import Voice
from asdkit.plugins.writers.report import assembly
from asdkit.plugins.writers.report.data import report_data
from asdkit.plugins.writers.report.packing import STEPS, packed
from asdkit.plugins.writers.report.video import media_if_there, playable

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "--> <!-- {{data}} ]]>",
    "\"quoted\" 'and' `so` ${1} \\u003c & &lt;",
    "\u202e\u05e9\u05dc\u05d5\u05dd\u202c",
    "👩‍👧 Zoë\u2028\u2029",
    "\udcff broken",
]


class Parsed(HTMLParser):
    """The elements of a page, with the text of each script and style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._within = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.texts.append("")
        self._within = True

    def handle_endtag(self, _):
        self._within = False

    def handle_data(self, data):
        if self._within:
            self.texts[-1] += data

    def all(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        found = zip(self.tags, self.texts, strict=True)
        return [(attrs, text) for (name, attrs), text in found if name == tag]


def unpacked(text: str, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities 0 to 255 and boxes in steps, read as `packed` documents it."""
    found = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
    assert len(found) == 9 * frames
    low, high = found[frames : 5 * frames], found[5 * frames :]
    changes = (low + 256 * high.astype(np.int64)).reshape(4, frames)
    boxes = np.cumsum(changes, axis=1).astype(np.uint16).astype(np.int16)
    return np.cumsum(found[:frames]).astype(np.uint8), boxes.T


# --- the data


def test_tracks_are_packed_to_a_fraction_of_a_pixel():
    random = np.random.default_rng(3)
    boxes = random.uniform(-400, 2300, (200, 4))
    face = by_hand.track(0, 7, boxes, random.normal(0, 3, 200))
    levels, steps = unpacked(packed(face, 1920), 200)
    assert np.abs(steps * (1920 / STEPS) - boxes).max() <= 1920 / STEPS / 2
    assert np.abs(levels / 255 - face.probabilities).max() <= 0.5 / 255 + 1e-6


def test_a_box_far_away_is_cut_off_instead_of_wrapping_around():
    face = by_hand.track(0, 0, [[-90_000, 0, 90_000, 10]])
    _, steps = unpacked(packed(face, 1000), 1)
    assert steps[0, 0] == -32768
    assert steps[0, 2] == 32767


def test_still_faces_take_little_room():
    face = by_hand.track(0, 0, [[10.25, 20, 60, 70]] * 5000)
    assert len(packed(face, 1920)) < 500


def data_of(result):
    return report_data(result, [], {})


def test_people_are_tracks_joined_by_identity_and_turns_name_them():
    boxes = [[0, 0, 9, 9]] * 50
    found = data_of(
        by_hand.result(
            by_hand.track(0, 0, boxes, speaking=[(0.2, 1.0)], identity="Ann"),
            by_hand.track(1, 10, boxes, speaking=[(1.2, 2.0)]),
            by_hand.track(2, 100, boxes, speaking=[(4.0, 5.0)], identity="Ann"),
            speech=((0.0, 6.0),),
            off_screen=((5.0, 5.5), (5.6, 6.0)),
            off_screen_names=("Ann", None),
        )
    )
    assert [person["label"] for person in found["people"]] == ["Ann", "Track 1"]
    assert [person["keys"] for person in found["people"]] == [["Ann"], ["track_1"]]
    assert [[track["id"] for track in person["tracks"]] for person in found["people"]] == [
        [0, 2],
        [1],
    ]
    assert found["turns"] == [
        *([0.2, 1.0, 0], [1.2, 2.0, 1], [4.0, 5.0, 0], [5.0, 5.5, 0], [5.6, 6.0, None]),
    ]
    assert found["off_screen"] == [[5.0, 5.5, 0], [5.6, 6.0, None]]
    assert found["speech"] == [[0.0, 6.0]]
    assert found["frames"] == [0, 250]


def test_voices_of_a_diarization_join_tracks_or_have_lanes_of_their_own():
    boxes = [[0, 0, 9, 9]] * 50
    voices = (
        Voice("A", ((0.0, 1.0),), "track_0", 0.9, (0, 1)),
        Voice("B", ((2.0, 3.0),)),
    )
    found = data_of(
        by_hand.result(by_hand.track(0, 0, boxes), by_hand.track(1, 60, boxes), voices=voices)
    )
    assert [person["keys"] for person in found["people"]] == [["track_0", "track_1"]]
    assert found["voices"] == [{"name": "B", "spans": [[2.0, 3.0]]}]
    assert found["turns"] == [[0.0, 1.0, 0], [2.0, 3.0, "B"]]


def test_the_keys_of_names_are_those_that_a_result_can_be_renamed_by():
    boxes = [[0, 0, 9, 9]] * 50
    voices = (Voice("A", ((0.0, 1.0),), "Ann", 0.9, (0, 1)),)
    made = by_hand.result(
        by_hand.track(0, 0, boxes, identity="Ann"), by_hand.track(1, 60, boxes), voices=voices
    )
    (person,) = data_of(made)["people"]
    assert person["keys"] == ["Ann", "track_1"]
    renamed = made.renamed(dict.fromkeys(person["keys"], "Eve"))
    assert [person["label"] for person in data_of(renamed)["people"]] == ["Eve"]


def test_a_result_without_anybody_is_a_page_too(tmp_path):
    text = write_report(by_hand.result(path=tmp_path / "gone.mp4"), tmp_path).read_text("utf-8")
    assert data_in(text)["people"] == []


def test_it_says_by_what_it_was_made():
    made = replace(
        by_hand.result(),
        settings={"scorer": {"name": "lr_asd"}, "detector": {"name": "yunet"}},
        provenance={"versions": {"asdkit": "9.9"}},
    )
    about = dict(data_of(made)["about"])
    assert about["Scorer"] == "lr_asd"
    assert about["asdkit"] == "9.9"


# --- safety


@pytest.fixture
def hostile(tmp_path) -> str:
    """A page in which each string that comes from a file means harm."""
    boxes = [[0, 0, 9, 9]] * 50
    tracks = [
        by_hand.track(k, 0, boxes, speaking=[(0.2, 1.0)], identity=name)
        for k, name in enumerate(HOSTILE)
    ]
    made = by_hand.result(*tracks, path=tmp_path / f"{HOSTILE[0].replace('/', '_')}.mp4")
    made = replace(made, video=replace(made.video, notes=tuple(HOSTILE)))
    return write_report(made, tmp_path / "out", title=HOSTILE[1]).read_text("utf-8")


def test_no_string_of_a_file_becomes_a_tag(hostile, tmp_path):
    harmless = write_report(by_hand.result(path=tmp_path / "x.mp4"), tmp_path).read_text("utf-8")
    assert [tag for tag, _ in Parsed(hostile).tags] == [tag for tag, _ in Parsed(harmless).tags]
    (_, heading), (_, title) = Parsed(hostile).all("h1")[0], Parsed(hostile).all("title")[0]
    assert heading.strip() == title == HOSTILE[1]


def test_strings_come_out_of_the_data_as_they_went_in(hostile):
    found = json.loads(Parsed(hostile).all("script")[0][1])
    names = [*HOSTILE[:-1], "\ufffd broken"]
    assert [person["keys"] for person in found["people"]] == [[name] for name in names]
    labels = [" ".join(name.split()) for name in names]
    assert [person["label"] for person in found["people"]] == labels
    assert found["notes"][:-1] == HOSTILE[:-1]


def test_only_its_own_script_and_style_may_run(hostile):
    page = Parsed(hostile)
    (policy,) = [
        attrs["content"]
        for attrs, _ in page.all("meta")
        if attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    rules = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert set(rules) == {
        *("default-src", "base-uri", "form-action", "img-src", "media-src"),
        *("script-src", "style-src"),
    }
    assert "unsafe" not in policy
    for rule, text in (
        ("script-src", page.all("script")[1][1]),
        ("style-src", page.all("style")[0][1]),
    ):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert not any(name.startswith("on") or name == "style" for _, a in page.tags for name in a)


def test_it_names_no_address_of_the_network(hostile):
    assert not re.findall(r"\b(?:https?|wss?|ftp):", hostile)


def test_lines_of_a_windows_checkout_make_the_same_page(monkeypatch, tmp_path):
    before = assembly.page("x", {})
    (tmp_path / "page").mkdir()
    for path in (Path(assembly.__file__).parent / "page").iterdir():
        text = path.read_text("utf-8")
        (tmp_path / "page" / path.name).write_text(text, "utf-8", newline="\r\n")
    monkeypatch.setattr(assembly, "files", lambda _: tmp_path)
    assert assembly.page("x", {}) == before


# --- the look


def test_colours_of_text_have_the_contrast_of_wcag_aa():
    """4.5 to 1 for text, 3 to 1 for what must be seen (WCAG 2.2, 1.4.3 and 1.4.11)."""
    style = (Path(assembly.__file__).parent / "page" / "style.css").read_text()
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", style)
    for theme in (1, 2):
        colour = {name: both[theme - 1] for name, *both in pairs}
        for text in ("ink", "faint", "accent"):
            for ground in ("page", "panel", "raised", "lit"):
                assert contrast(colour[text], colour[ground]) >= 4.5, (text, ground, theme)
        assert contrast(colour["on-accent"], colour["accent"]) >= 4.5
        for mark in ("border", "play", "off-screen", "speech", "curve"):
            assert contrast(colour[mark], colour["panel"]) >= 3, (mark, theme)
        assert contrast(colour["curve"], colour["visible"]) >= 3
        assert contrast(colour["curve"], colour["speaking"]) >= 3


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, by WCAG 2.2."""
    light = sorted(luminance(colour) for colour in (one, other))
    return (light[1] + 0.05) / (light[0] + 0.05)


def luminance(colour: str) -> float:
    parts = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


# --- which video


def urls(result, media, folder) -> list[str]:
    return [video.url for video in playable(result, media, folder)]


def test_the_video_is_named_from_the_final_folder_and_by_itself(tmp_path):
    video = video_of_two(tmp_path / "a #1? 100% ü.mp4", 10)
    aside = tmp_path / "out" / "incomplete" / "new"
    aside.mkdir(parents=True)
    text = write_report(result_of_two(video), aside).read_text("utf-8")
    sources = data_in(text)["video"]["sources"]
    assert [one["url"] for one in sources] == [
        "../a%20%231%3F%20100%25%20%C3%BC.mp4",
        video.as_uri(),
    ]
    assert not any(one["has_boxes"] for one in sources)
    assert final_folder(tmp_path / "out") == tmp_path / "out"


def test_annotated_comes_next_and_begins_with_the_run(tmp_path):
    media = probe(video_of_two(tmp_path / "talk.mp4", 10))
    made = by_hand.result_of(media, start_s=0.2)
    made = replace(made, files=(tmp_path / "annotated.mp4",))
    found = playable(made, media, tmp_path)
    assert [video.url for video in found][::2] == ["talk.mp4", "annotated.mp4"]
    assert found[-1].has_boxes
    assert found[-1].later_s == -0.2


def test_annotated_of_an_earlier_run_in_the_folder_is_found(tmp_path):
    (tmp_path / "annotated.mp4").touch()
    made = by_hand.result(path=tmp_path / "gone.mpg")
    assert urls(made, None, tmp_path) == ["annotated.mp4"]


@pytest.mark.parametrize(
    ("name", "written", "plays"),
    [
        ("a.mp4", {}, True),
        ("a.mov", {}, True),
        ("a.webm", {}, True),
        ("a.mpg", {}, False),
        ("a.avi", {}, False),
        ("b.mkv", {"codec": "libx264", "sound_codec": "aac"}, True),
        ("c.mkv", {}, False),  # FFV1
        ("d.mp4", {"pixels": "yuv444p", "options": {"preset": "ultrafast"}}, False),
        ("e.mp4", {"codec": "mpeg4"}, False),
    ],
)
def test_containers_and_codecs_say_whether_browsers_play_it(tmp_path, name, written, plays):
    media = probe(write_video(tmp_path / name, frames=8, **written), allow_silent=True)
    found = urls(by_hand.result_of(media), media, tmp_path)
    assert found == ([name, (tmp_path / name).as_uri()] if plays else [])


def test_a_picture_shown_otherwise_than_it_was_looked_at_is_not_offered(tmp_path):
    video = video_of_two(tmp_path / "talk.mp4", 10)
    media = probe(video, reading=Reading(rotate="90"))
    assert urls(by_hand.result_of(media), media, tmp_path) == []


def test_sound_that_the_source_does_not_let_hear_puts_annotated_first(tmp_path):
    (tmp_path / "annotated.mp4").touch()
    video, other = (video_of_two(tmp_path / name, 10) for name in ("talk.mp4", "sound.mp4"))
    media = probe(video, other)
    assert urls(by_hand.result_of(media), media, tmp_path)[:2] == ["annotated.mp4", "talk.mp4"]
    media = probe(video)
    moved = Sync(Fit(True, 0.2, 1.0), 0.2, None)
    made = replace(by_hand.result_of(media), sync=moved)
    assert urls(made, media, tmp_path)[:2] == ["annotated.mp4", "talk.mp4"]


def test_a_video_that_is_away_is_offered_by_its_suffix(tmp_path):
    gone = tmp_path / "gone.MP4"
    assert urls(by_hand.result(path=gone), None, tmp_path) == ["gone.MP4", gone.as_uri()]
    assert urls(by_hand.result(path=tmp_path / "gone.avi"), None, tmp_path) == []


def test_a_loaded_result_finds_its_video_from_the_folder_of_the_run(tmp_path, monkeypatch):
    video_of_two(tmp_path / "talk.mp4", 10)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    loaded = by_hand.result(path="talk.mp4", size=SIZE, provenance={"folder": str(tmp_path)})
    media = media_if_there(loaded)
    assert media is not None
    assert media.info.path == tmp_path / "talk.mp4"
    assert urls(loaded, media, tmp_path)[0] == "talk.mp4"


def test_a_file_that_is_no_video_any_more_is_not_asked(tmp_path):
    (tmp_path / "talk.mp4").write_text("no video")
    made = by_hand.result(by_hand.track(0, 0, [[0, 0, 9, 9]]), path=tmp_path / "talk.mp4")
    assert media_if_there(made) is None
    text = write_report(made, tmp_path / "out").read_text("utf-8")
    assert data_in(text)["people"][0]["tracks"][0]["thumbnail"] is None
