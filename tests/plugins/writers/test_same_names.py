"""One person, and one video, has one name in the files of all writers."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from fractions import Fraction

import by_hand
import numpy as np
import pytest
from writing import WRITERS, written

from asdkit.core.component import Context
from asdkit.core.types import GRID_FPS
from asdkit.plugins.writers import annotated
from asdkit.plugins.writers.clips.config import ClipsConfig
from asdkit.plugins.writers.clips.turns import turns_of
from asdkit.plugins.writers.report.data import report_data

NAMES = ["track_1", "track_0", "soundtrack_team"]
"""In the result, by first appearance; the ids given are not those of the tracks."""
PLAIN = ["Track 1", "Track 0", "soundtrack_team"]
TAGGED = ["#1", "#0", "soundtrack_team"]
BOXES = np.tile([10.0, 20.0, 30.0, 50.0], (20, 1))


def talk():
    """Faces with the ids 1 (in two shots) and 0, and one with an identity, who speak in turn."""
    return by_hand.result(
        by_hand.track(0, 0, BOXES, speaking=((0.0, 0.6),), source_id=1),
        by_hand.track(1, 25, BOXES, speaking=((1.0, 1.6),), source_id=0),
        by_hand.track(2, 50, BOXES, speaking=((2.0, 2.6),), source_id=1),
        by_hand.track(3, 75, BOXES, speaking=((3.0, 3.6),), source_id=5, identity=NAMES[2]),
        shots=((0, 50), (50, 250)),
        duration_s=10.0,
    )


def of_rttm(what, folder):
    return [line.split()[7] for line in written("rttm", what, folder).read_text().splitlines()]


def of_timeline(what, folder):
    component = WRITERS["timeline"]
    component.build(component.config(), Context()).write(what, folder)
    text = (folder / "timeline.svg").read_text()
    ticks = re.findall(r'<g id="ytick_\d+">(.*?)</text>', text, re.DOTALL)
    return [re.search(r">([^<>]+)$", tick)[1].strip() for tick in ticks]


def of_webvtt(what, folder):
    cues = re.findall("<v ([^>]+)>(.+)", written("webvtt", what, folder).read_text())
    assert all(voice == text for voice, text in cues)
    return [html.unescape(text) for _, text in cues]


def of_srt(what, folder):
    return [block.split("\n")[2] for block in blocks(written("srt", what, folder).read_text())]


def blocks(text):
    return text.strip().split("\n\n")


def of_otio(what, folder):
    tracks = json.loads(written("otio", what, folder).read_text())["tracks"]["children"]
    return [one["name"] for one in tracks[1:-1]]


def of_eaf(what, folder):
    return re.findall('TIER_ID="([^"]+)"', written("eaf", what, folder).read_text())


def of_textgrid(what, folder):
    return re.findall('name = "([^"]+)"', written("textgrid", what, folder).read_text())


def of_report(what, folder):
    return [person["label"] for person in report_data(what, [], {})["people"]]


def of_clips(what, folder):
    return [turn.person for turn in turns_of(what, ClipsConfig())[0]]


def of_annotated(what, folder):
    with pytest.MonkeyPatch.context() as patch:
        labels = []
        patch.setattr(annotated, "draw_face", lambda *call: labels.append(call[2].split("  ")[0]))
        overlay = annotated._Overlay(what)
        for track in what.tracks:
            overlay.draw(None, Fraction(track.first_frame, GRID_FPS))
    return labels


READ = {
    of_rttm: NAMES,
    of_timeline: NAMES,
    of_clips: NAMES,
    of_webvtt: PLAIN,
    of_srt: PLAIN,
    of_otio: PLAIN,
    of_eaf: PLAIN,
    of_textgrid: PLAIN,
    of_report: PLAIN,
    of_annotated: TAGGED,
}


@pytest.mark.parametrize("read", READ, ids=lambda read: read.__name__)
def test_all_files_name_people_alike(read, tmp_path):
    assert list(dict.fromkeys(read(talk(), tmp_path))) == READ[read]


@pytest.mark.parametrize(
    "read", [of_webvtt, of_srt, of_otio, of_eaf, of_textgrid, of_report, of_annotated]
)
def test_who_would_be_shown_like_another_is_numbered_alike(read, tmp_path):
    alike = "#0" if read is of_annotated else "Track 0"
    tracks = [
        by_hand.track(0, 0, BOXES, speaking=((0.0, 0.6),)),
        by_hand.track(1, 25, BOXES, speaking=((1.0, 1.6),), identity=alike),
    ]
    assert read(by_hand.result(*tracks), tmp_path) == [alike, f"{alike} 2"]


def test_names_of_who_is_known_off_screen_stay(monkeypatch):
    known = replace(
        talk(), off_screen=((4.0, 5.0), (6.0, 7.0)), off_screen_names=("soundtrack_team", "track_1")
    )
    labels = []
    monkeypatch.setattr(annotated, "draw_label", lambda *call: labels.append(call[3]))
    overlay = annotated._Overlay(known)
    for time_s in (4, 6):
        canvas = type("Canvas", (), {"height": 64})()
        overlay.draw(canvas, Fraction(time_s))
    assert labels == ["soundtrack_team (off screen)", "#1 (off screen)"]
    voices = [voice["name"] for voice in report_data(known, [], {})["voices"]]
    assert voices == ["soundtrack_team (off screen)", "Track 1 (off screen)"]


def test_the_name_that_a_batch_gave_is_the_title(tmp_path):
    ours = replace(talk(), video=replace(talk().video, name="a-x"))
    page = written("report", ours, tmp_path, thumbnails=0).read_text()
    assert "<title>a-x" in page
    assert report_data(ours, [], {})["video"]["name"] == "a-x"
    assert json.loads(written("otio", ours, tmp_path).read_text())["name"] == "a-x"
    assert "<b>a-x</b>" in ours._repr_html_()
