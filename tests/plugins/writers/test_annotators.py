"""Files for annotators: ELAN's read back with pympi, Praat's with praatio, MOTChallenge's here."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from by_hand import result, track
from synth import write_video
from writing import HOSTILE, TALK, WRITERS, hostile, talk, written

import asdkit
from asdkit.core.component import Context
from asdkit.core.result import Result
from asdkit.core.results_folder import ResultsFolder
from asdkit.testing import check_writer

with warnings.catch_warnings():  # their own, at import
    warnings.simplefilter("ignore")
    import pympi
    from praatio import textgrid

Turns = dict[str, list[tuple[float, float, str]]]
"""By tier: the intervals with a text."""


def eaf(what: Result, folder: Path) -> Turns:
    found = pympi.Elan.Eaf(str(written("eaf", what, folder)))
    return {
        tier: [
            (start / 1000, end / 1000, text)
            for start, end, text, *_ in sorted(found.get_annotation_data_for_tier(tier))
        ]
        for tier in found.get_tier_names()
    }


def praat(what: Result, folder: Path) -> Turns:
    path = str(written("textgrid", what, folder))
    found = textgrid.openTextgrid(path, includeEmptyIntervals=False, reportingMode="error")
    return {tier.name: [tuple(entry) for entry in tier.entries] for tier in found.tiers}


READERS = pytest.mark.parametrize("read", [eaf, praat])


@READERS
@pytest.mark.parametrize("start_s", [0.0, 0.737])
def test_everybody_has_a_tier_with_their_turns(tmp_path, read, start_s):
    found = read(talk(start_s=start_s), tmp_path)
    assert list(found) == list(TALK)
    for name, turns in TALK.items():
        assert [text for *_, text in found[name]] == [name] * len(turns)
        times = np.array([(start, end) for start, end, _ in found[name]]).reshape(-1, 2)
        np.testing.assert_allclose(times - start_s, np.reshape(turns, (-1, 2)), atol=1e-9)


@READERS
def test_names_of_any_kind_stay(tmp_path, read):
    found = read(hostile(), tmp_path)
    assert found == {
        name: [(number, number + 0.5, name)] for number, name in enumerate(HOSTILE.values())
    }


@READERS
def test_one_persons_turns_do_not_overlap(tmp_path, read):
    boxes = [[0, 0, 9, 9]]
    spans = (0.0, 1.0), (0.5, 1.5), (1.5, 2.0), (3.0, 3.0002), (3.0004, 3.5)
    tracks = [track(n, n, boxes, identity="Ann", speaking=(span,)) for n, span in enumerate(spans)]
    found = read(result(*tracks, duration_s=3.5), tmp_path)
    assert found == {"Ann": [(0.0, 2.0, "Ann"), (3.0, 3.5, "Ann")]}


@READERS
def test_tracks_are_called_by_the_id_that_they_were_given(tmp_path, read):
    boxes = [[0, 0, 9, 9]]
    spans = (0.0, 1.0), (2.0, 2.5)
    tracks = [track(n, n, boxes, speaking=(span,), source_id=7) for n, span in enumerate(spans)]
    found = read(result(*tracks), tmp_path)
    assert found == {"Track 7": [(0.0, 1.0, "Track 7"), (2.0, 2.5, "Track 7")]}


# --- speakers.eaf

_ATTRIBUTES = {
    "ANNOTATION_DOCUMENT": ({"AUTHOR", "DATE", "VERSION"}, {"FORMAT"}),
    "HEADER": (set(), {"MEDIA_FILE", "TIME_UNITS"}),
    "MEDIA_DESCRIPTOR": (
        {"MEDIA_URL", "MIME_TYPE"},
        {"RELATIVE_MEDIA_URL", "TIME_ORIGIN", "EXTRACTED_FROM"},
    ),
    "TIME_ORDER": (set(), set()),
    "TIME_SLOT": ({"TIME_SLOT_ID"}, {"TIME_VALUE"}),
    "TIER": (
        {"TIER_ID", "LINGUISTIC_TYPE_REF"},
        {"PARTICIPANT", "ANNOTATOR", "DEFAULT_LOCALE", "PARENT_REF", "EXT_REF", "LANG_REF"},
    ),
    "ANNOTATION": (set(), set()),
    "ALIGNABLE_ANNOTATION": (
        {"ANNOTATION_ID", "TIME_SLOT_REF1", "TIME_SLOT_REF2"},
        {"EXT_REF", "LANG_REF", "CVE_REF", "SVG_REF"},
    ),
    "ANNOTATION_VALUE": (set(), set()),
    "LINGUISTIC_TYPE": (
        {"LINGUISTIC_TYPE_ID"},
        {"TIME_ALIGNABLE", "CONSTRAINTS", "GRAPHIC_REFERENCES", "CONTROLLED_VOCABULARY_REF"},
    ),
}
"""By element of EAF 3.0: the attributes that it must have, and those that it may have."""
_CHILDREN = {
    "ANNOTATION_DOCUMENT": r" HEADER TIME_ORDER( TIER)*( LINGUISTIC_TYPE)*",
    "HEADER": r"( MEDIA_DESCRIPTOR)*( LINKED_FILE_DESCRIPTOR)*( PROPERTY)*",
    "TIME_ORDER": r"( TIME_SLOT)*",
    "TIER": r"( ANNOTATION)*",
    "ANNOTATION": r" ALIGNABLE_ANNOTATION",
    "ALIGNABLE_ANNOTATION": r" ANNOTATION_VALUE",
}
"""By element: its children in their order, each after a space."""


def check_structure(path: Path) -> ET.Element:
    """Check the elements, attributes and references of EAF 3.0 that asdkit uses."""
    root = ET.parse(path).getroot()
    assert root.tag == "ANNOTATION_DOCUMENT"
    (location,) = (name for name in root.attrib if name.startswith("{"))
    assert location == "{http://www.w3.org/2001/XMLSchema-instance}noNamespaceSchemaLocation"
    assert root.attrib.pop(location) == "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
    assert root.attrib["FORMAT"] == root.attrib["VERSION"] == "3.0"
    assert datetime.fromisoformat(root.attrib["DATE"]).tzinfo is not None
    for element in root.iter():
        must, may = _ATTRIBUTES[element.tag]
        assert must <= element.attrib.keys() <= must | may
        children = "".join(f" {child.tag}" for child in element)
        assert re.fullmatch(_CHILDREN.get(element.tag, ""), children)
    slots = {slot.attrib["TIME_SLOT_ID"]: slot for slot in root.iter("TIME_SLOT")}
    times = [int(slot.attrib["TIME_VALUE"]) for slot in slots.values()]
    assert times == sorted(times)
    assert min(times, default=0) >= 0
    ids = [one.attrib["ANNOTATION_ID"] for one in root.iter("ALIGNABLE_ANNOTATION")]
    assert len({*ids, *slots}) == len(ids) + len(list(root.iter("TIME_SLOT")))
    assert all(re.fullmatch(r"[A-Za-z_][\w.-]*", name) for name in {*ids, *slots})
    for one in root.iter("ALIGNABLE_ANNOTATION"):
        first, last = (slots[one.attrib[f"TIME_SLOT_REF{n}"]].attrib["TIME_VALUE"] for n in (1, 2))
        assert int(first) < int(last)
    types = {one.attrib["LINGUISTIC_TYPE_ID"] for one in root.iter("LINGUISTIC_TYPE")}
    tiers = list(root.iter("TIER"))
    assert {tier.attrib["LINGUISTIC_TYPE_REF"] for tier in tiers} <= types
    assert len({tier.attrib["TIER_ID"] for tier in tiers}) == len(tiers)
    return root


@pytest.mark.parametrize("what", [talk(start_s=0.737), hostile(), result()], ids=str)
def test_eaf_has_the_structure_of_the_form(tmp_path, what):
    root = check_structure(written("eaf", what, tmp_path))
    assert [header.get("TIME_UNITS") for header in root.iter("HEADER")] == ["milliseconds"]
    assert len(list(root.iter("MEDIA_DESCRIPTOR"))) == 1


def test_eaf_names_the_video_by_its_place_and_from_its_own(tmp_path):
    video = tmp_path / "my talk #1 50%.mp4"
    results = ResultsFolder(tmp_path / "results" / "talk", [], False)
    with results.writing() as folder:  # from which the files are moved
        path = written("eaf", replace(talk(), video=replace(talk().video, path=video)), folder)
        (media,) = pympi.Elan.Eaf(str(path)).media_descriptors
    assert media["MEDIA_URL"] == f"file://{video}"
    assert media["RELATIVE_MEDIA_URL"] == "../../my talk #1 50%.mp4"
    assert media["MIME_TYPE"] == "video/mp4"
    beside = replace(talk(), video=replace(talk().video, path=tmp_path / "a.mkv"))
    (media,) = pympi.Elan.Eaf(str(written("eaf", beside, tmp_path))).media_descriptors
    assert (media["RELATIVE_MEDIA_URL"], media["MIME_TYPE"]) == ("./a.mkv", "unknown")


def test_eaf_of_nobody_has_no_tier(tmp_path):
    assert eaf(result(), tmp_path) == {}


# --- speakers.TextGrid


@pytest.mark.parametrize("what", [talk(start_s=0.737), talk(), hostile(), result()], ids=str)
def test_the_intervals_of_a_tier_cover_the_file(tmp_path, what):
    path = str(written("textgrid", what, tmp_path))
    found = textgrid.openTextgrid(path, includeEmptyIntervals=True, reportingMode="error")
    end_s = what.video.start_s + what.video.duration_s
    assert found.minTimestamp == 0
    assert found.maxTimestamp == pytest.approx(end_s, abs=1e-9)
    assert len(found.tiers) > 0
    for tier in found.tiers:
        bounds = [time for entry in tier.entries for time in entry[:2]]
        assert (bounds[0], bounds[-1]) == (0, found.maxTimestamp)
        assert bounds[1:-1:2] == bounds[2::2]
        assert all(start < end for start, end, _ in tier.entries)


def test_a_turn_beyond_the_picture_is_within_the_grid(tmp_path):
    what = result(track(0, 0, [[0, 0, 9, 9]], speaking=((0.5, 1.04),)), duration_s=1.0)
    path = str(written("textgrid", what, tmp_path))
    found = textgrid.openTextgrid(path, includeEmptyIntervals=False)
    assert found.maxTimestamp == 1.04
    assert [tuple(entry) for entry in found.tiers[0].entries] == [(0.5, 1.04, "Track 0")]


def test_a_grid_of_nobody_has_an_empty_tier(tmp_path):
    assert praat(result(), tmp_path) == {"Nobody": []}


def test_quotes_are_doubled_as_praat_has_them(tmp_path):
    text = written("textgrid", hostile(), tmp_path).read_text("utf-8")
    assert '        name = "the ""best"""\n' in text
    assert '            text = "the ""best"""\n' in text
    assert text.startswith('File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\n')


# --- mot.txt

_FIELDS = re.compile(r"[1-9]\d*,[1-9]\d*(,-?\d+\.\d+){2}(,\d+\.\d+){2},[01]\.\d+,-1,-1,-1")
"""A line of MOTChallenge's results: frame and id from 1, box, conf, and three that 2D has not."""


def test_mot_is_as_published(tmp_path):
    what = talk()
    lines = written("mot", what, tmp_path).read_text("ascii").splitlines()
    assert all(_FIELDS.fullmatch(line) for line in lines)
    rows = np.array([line.split(",") for line in lines], float)
    assert len(rows) == sum(map(len, what.tracks))
    assert [*map(tuple, rows[:, :2])] == sorted({*map(tuple, rows[:, :2])})
    for one in what.tracks:
        own = rows[rows[:, 1] == one.id + 1]
        np.testing.assert_array_equal(own[:, 0], np.array(one.frames) + 1)
        np.testing.assert_allclose(own[:, 2:4], one.boxes[:, :2], atol=0.0005)
        np.testing.assert_allclose(own[:, 2:4] + own[:, 4:6], one.boxes[:, 2:], atol=0.0011)
        np.testing.assert_allclose(own[:, 6], one.probabilities, atol=5e-7)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ([7, 3, 7, 1], [7, 3, 7, 1]),
        ([None, None], [1, 2]),
        ([2, 0, 5, 0], [2, 3, 5, 3]),  # 0 is no id there: the next that is nobody's after 1
        ([0, 1], [2, 1]),
        ([2, None, 3, 4], [2, 5, 3, 4]),
    ],
)
def test_mot_keeps_the_ids_that_faces_were_given(given, wanted, tmp_path):
    boxes = [[0, 0, 9, 9]]
    what = result(*(track(n, n, boxes, source_id=one) for n, one in enumerate(given)))
    lines = written("mot", what, tmp_path).read_text().splitlines()
    assert all(_FIELDS.fullmatch(line) for line in lines)
    assert [int(line.split(",")[1]) for line in lines] == wanted


def test_mot_of_boxes_with_ids_is_read_as_the_same_ids(tmp_path):
    video = write_video(tmp_path / "clip.mkv", frames=40)
    frames = np.arange(40)
    boxes = np.tile([[10.0, 10, 40, 40], [50, 10, 80, 40]], (40, 1))
    given = asdkit.Boxes(frames.repeat(2), boxes, ids=np.tile([9, 4], 40))
    options = "scorer=lip_motion cutter=none allow_silent=true"
    what = asdkit.run(video, options, boxes=given, writers=[])
    path = written("mot", what, tmp_path)
    again = f"{options} detector=boxes detector.path={path} detector.clock=grid"
    found = asdkit.run(video, again, writers=[])
    ids = {one.source_id: one.boxes[0, 0] for one in what.tracks}
    assert ids == {9: 10.0, 4: 50.0}
    assert {one.source_id: one.boxes[0, 0] for one in found.tracks} == ids


def test_mot_is_read_as_the_same_faces(tmp_path):
    random = np.random.default_rng(0)
    corner = random.uniform(0, 20, (2, 30, 2)) + np.array([[[0, 0]], [[48, 0]]])
    boxes = np.concatenate([corner, corner + random.uniform(20, 28, (2, 30, 2))], axis=2)
    scores = random.normal(0, 3, 30)
    scores[4] = -200  # whose probability is 0, and whose line readers would leave out
    video = write_video(tmp_path / "clip.mkv", frames=40)
    what = result(track(0, 0, boxes[0], scores), track(1, 7, boxes[1], scores), path=video)
    assert what.tracks[0].probabilities[4] == 0
    path = written("mot", what, tmp_path)
    given = ["detector=boxes", f"detector.path={path}", "detector.clock=grid"]
    found = asdkit.run(
        video, [*given, "scorer=lip_motion", "cutter=none", "allow_silent=true"], writers=[]
    )
    assert [one.source_id for one in found.tracks] == [1, 2]
    for one, other in zip(found.tracks, what.tracks, strict=True):
        assert one.frames == other.frames
        np.testing.assert_allclose(one.boxes, other.boxes, atol=0.0011)


def test_mot_of_nobody_is_empty(tmp_path):
    assert written("mot", result(), tmp_path).read_bytes() == b""


# --- all of them


@pytest.mark.parametrize("name", ["otio", "srt", "eaf", "textgrid", "mot"])
def test_it_keeps_the_contract_of_writers(name, tmp_path):
    (path,) = check_writer(WRITERS[name].build(WRITERS[name].config(), Context()), tmp_path)
    assert path.name == WRITERS[name].files[0]
