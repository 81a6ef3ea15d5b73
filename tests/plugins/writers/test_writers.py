"""Each format, read back with a tool that others read it with."""

from __future__ import annotations

import json
import os
import pickle
import pickletools
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdkit.core.component import Context
from asdkit.core.errors import OutputError
from asdkit.core.loading import load
from asdkit.core.result import Result, VideoInfo
from asdkit.core.results import json_lines, schema, to_json
from asdkit.core.types import Track
from asdkit.plugins.writers import asdkit_components

TEXT_WRITERS = ("json", "ava", "rttm", "webvtt", "pywork", "otio", "srt", "eaf", "textgrid", "mot")
WRITERS = {component.name: component for component in asdkit_components()}

with warnings.catch_warnings():  # those of other packages, at import
    warnings.simplefilter("ignore")
    import pandas
    import webvtt
    from pyannote.core import Annotation, Segment


def track(number: int, first: int, n: int, speaking=(), seed: int = 0) -> Track:
    random = np.random.default_rng(seed + number)
    corner = random.uniform(0, 100, (n, 2))
    return Track(
        id=number,
        shot=number % 2,
        first_frame=first,
        boxes=np.concatenate([corner, corner + random.uniform(20, 200, (n, 2))], axis=1),
        smoothed=random.uniform(0, 300, (n, 3)),
        logits=random.normal(0, 3, (n, 2)).astype(np.float32),
        speaking=tuple(speaking),
    )


def result(*tracks: Track, path: str | Path = "talk/clip.mp4", **more) -> Result:
    info = VideoInfo(Path(path), 12.0, 640, 360, 29.97, has_sound=True)
    return Result(
        video=info,
        shots=((0, 150), (150, 300)),
        tracks=tracks,
        settings={"video": str(path), "start_s": 0.0, "end_s": None, "writers": ["json"]},
        timings_s={"decode": 0.25, "total": 1.5},
        **more,
    )


@pytest.fixture
def two() -> Result:
    return result(
        track(0, 0, 150, [(0.2, 1.0), (3.4, 5.96)]), track(1, 12, 40, [(0.48, 0.8), (1.2, 2.08)])
    )


@pytest.fixture
def known() -> Result:
    """Two tracks with identities, and speech of somebody else."""
    return result(
        replace(track(0, 0, 150, [(0.2, 1.0)]), identity="Ann <A> & B"),
        replace(track(1, 12, 40, [(1.2, 2.0)]), identity="person_0"),
        speech=((0.0, 2.0), (4.0, 6.0)),
        off_screen=((4.5, 6.0),),
    )


def written(name: str, what: Result, folder: Path) -> list[Path]:
    component = WRITERS[name]
    paths = component.build(component.config(), Context()).write(what, folder)
    assert paths == [folder / file for file in component.files]
    there = {path for path in folder.rglob("*") if path.is_file()}
    assert there == set(paths)
    return paths


# --- result.json


def test_the_schema_is_itself_valid():
    jsonschema.Draft202012Validator.check_schema(schema())
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_json_is_the_form_of_the_schema(two, tmp_path):
    (path,) = written("json", two, tmp_path)
    found = json.loads(path.read_text("utf-8"))
    jsonschema.validate(found, schema())
    assert found == to_json(two)
    assert list(found) == [
        "schema",
        "video",
        "grid_fps",
        "settings",
        "shots",
        "tracks",
        "speech",
        "off_screen",
        "voices",
        "provenance",
        "timings_s",
    ]
    assert found["video"] == {
        "path": str(Path("talk/clip.mp4")),
        "duration_s": 12.0,
        "width": 640,
        "height": 360,
        "fps": 29.97,
        "has_sound": True,
        "start_s": 0.0,
        "pixel_aspect": 1.0,
        "notes": [],
        "name": "clip",
    }
    assert found["shots"] == [[0, 150], [150, 300]]
    assert found["settings"]["end_s"] is None
    second = found["tracks"][1]
    assert (second["id"], second["shot"], second["first_frame"]) == (1, 1, 12)
    assert second["speaking"] == [[0.48, 0.8], [1.2, 2.08]]
    np.testing.assert_allclose(second["boxes"], two.tracks[1].boxes, rtol=0, atol=0.0005001)
    scores = np.array(second["scores"], np.float32)
    np.testing.assert_array_equal(scores, two.tracks[1].scores)
    probabilities = np.array(second["probabilities"], np.float32)
    np.testing.assert_array_equal(probabilities, two.tracks[1].probabilities)


def test_json_says_who_it_is_and_what_was_heard(known, tmp_path):
    (path,) = written("json", known, tmp_path)
    found = json.loads(path.read_text("utf-8"))
    jsonschema.validate(found, schema())
    assert [one["identity"] for one in found["tracks"]] == ["Ann <A> & B", "person_0"]
    assert found["speech"] == [[0.0, 2.0], [4.0, 6.0]]
    assert found["off_screen"] == [[4.5, 6.0]]


def test_speech_off_screen_has_the_name_of_its_voice(known, tmp_path):
    unnamed = replace(known.tracks[1], identity=None)
    spans = ((4.5, 6.0), (7.0, 8.0), (9.0, 10.0))
    names = ("Ann <A> & B", None, "track_1")
    what = replace(
        known, tracks=(known.tracks[0], unnamed), off_screen=spans, off_screen_names=names
    )
    (path,) = written("rttm", what, tmp_path)
    found = [line.split()[7] for line in path.read_text("utf-8").splitlines()]
    assert found == ["Ann_<A>_&_B", "track_1", "Ann_<A>_&_B", "off_screen", "track_1"]
    path.unlink()
    (path,) = written("webvtt", what, tmp_path)
    voices = [caption.text for caption in webvtt.read(str(path))]
    assert voices[2:] == ["Ann &lt;A&gt; &amp; B", "Off screen", "Track 1"]
    path.unlink()
    (path,) = written("json", what, tmp_path)
    found = json.loads(path.read_text("utf-8"))
    jsonschema.validate(found, schema())
    assert found["off_screen_names"] == list(names)


def test_json_has_a_key_a_line_and_no_needless_digits(two):
    text = "".join(json_lines(two))
    assert '"grid_fps": 25,\n' in text
    lines = text.splitlines()
    assert sum('"scores": ' in line for line in lines) == 2
    digits = json.dumps(to_json(two)["tracks"][0]["scores"])
    assert max(map(len, digits.strip("[]").split(", "))) <= 13


@settings(max_examples=50)
@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_json_gives_every_float32_back(values):
    logits = np.stack([np.zeros(len(values)), values], 1).astype(np.float32)
    one = replace(track(0, 3, len(values)), logits=logits)
    found = json.loads("".join(json_lines(result(one))))
    jsonschema.validate(found, schema())
    assert np.array(found["tracks"][0]["scores"], np.float32).tobytes() == one.scores.tobytes()


@pytest.mark.parametrize("name", ["ünï 話.mp4", 'a "b"\\c.mp4', "ends\nhere.mp4"])
def test_json_keeps_any_name(name, tmp_path):
    (path,) = written("json", result(path=name), tmp_path)
    assert json.loads(path.read_text("utf-8"))["video"]["path"] == str(Path(name))


def test_json_is_readable_in_any_script(tmp_path):
    (path,) = written("json", result(path="ünï 話.mp4"), tmp_path)
    assert '"path": "ünï 話.mp4"' in path.read_text("utf-8")


@pytest.mark.parametrize("name", TEXT_WRITERS)
def test_undecodable_bytes_of_a_name_are_replaced(name, tmp_path):
    path = os.fsdecode(b"caf\xe9.mp4") if sys.platform != "win32" else "caf\udce9.mp4"
    for file in written(name, result(track(0, 0, 5, [(0, 0.2)]), path=path), tmp_path):
        if name in ("json", "ava", "rttm"):
            assert "caf\ufffd" in file.read_text("utf-8")


def test_json_holds_settings_of_any_kind(tmp_path):
    odd = {"folder": Path("a"), "limit": float("inf"), "sizes": (1, 2), "deep": {"on": [None]}}
    (path,) = written("json", replace(result(), settings=odd), tmp_path)
    assert json.loads(path.read_text("utf-8"))["settings"] == {
        "folder": "a",
        "limit": "inf",
        "sizes": [1, 2],
        "deep": {"on": [None]},
    }


def test_json_refuses_what_is_no_number(tmp_path):
    bad = track(0, 0, 3)
    bad.logits[1, 1] = np.nan
    with pytest.raises(ValueError, match="track 0 holds boxes or scores that are not finite"):
        written("json", result(bad), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("more",), 1),
        (("schema",), "asdkit.result/1"),
        (("grid_fps",), 30),
        (("video", "width"), 0),
        (("video", "fps"), 0),
        (("video", "codec"), "h264"),
        (("shots", 0), [0]),
        (("shots", 0), [-1, 5]),
        (("tracks", 0, "first_frame"), 0.5),
        (("tracks", 0, "boxes", 0), [1, 2, 3]),
        (("tracks", 0, "boxes"), []),
        (("tracks", 0, "probabilities", 0), 1.01),
        (("tracks", 0, "scores", 0), None),
        (("tracks", 0, "speaking", 0), [0.1, 0.2, 0.3]),
        (("tracks", 0, "name"), "Ann"),
        (("timings_s", "total"), -1),
    ],
)
def test_the_schema_is_strict(two, place, value):
    found = to_json(two)
    inner = found
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(found, schema())


@pytest.mark.parametrize("key", ["schema", "video", "settings", "shots", "tracks", "timings_s"])
def test_the_schema_misses_nothing(two, key):
    found = to_json(two)
    del found[key]
    with pytest.raises(jsonschema.ValidationError, match=key):
        jsonschema.validate(found, schema())


# --- ava.csv


def test_ava_is_a_row_for_each_face_and_frame(two, tmp_path):
    (path,) = written("ava", two, tmp_path)
    table = pandas.read_csv(path)
    assert ",".join(table.columns) == (
        "video_id,frame_timestamp,entity_box_x1,entity_box_y1,entity_box_x2,entity_box_y2,"
        "label,entity_id,score"
    )
    assert len(table) == 190
    assert set(table["video_id"]) == {"clip"}
    assert set(table["label"]) == {"SPEAKING_AUDIBLE"}
    rows = table[table["entity_id"] == "clip_1"]
    np.testing.assert_array_equal(rows["frame_timestamp"], [k / 25 for k in range(12, 52)])
    boxes = rows.filter(like="entity_box").to_numpy() * [640, 360, 640, 360]
    np.testing.assert_allclose(boxes, two.tracks[1].boxes, rtol=0, atol=1e-6)
    np.testing.assert_allclose(rows["score"], two.tracks[1].probabilities, rtol=6e-8)
    assert not table.duplicated(["frame_timestamp", "entity_id"]).any()


def test_ava_cuts_boxes_at_the_picture(tmp_path):
    boxes = np.array([[-5.0, -0.0, 700.0, 400.0]])
    (path,) = written("ava", result(replace(track(0, 0, 1), boxes=boxes)), tmp_path)
    assert path.read_text().splitlines()[1].startswith("clip,0.00,0,0,1,1,SPEAKING_AUDIBLE,clip_0,")


def test_ava_gives_relative_boxes_back_to_1e_9(tmp_path):
    relative = np.round(np.random.default_rng(0).uniform(0, 1, (200, 4)), 6)
    boxes = relative * [640, 360, 640, 360]
    n = len(boxes)
    one = replace(
        track(0, 0, n), boxes=boxes, smoothed=np.zeros((n, 3)), logits=np.zeros((n, 2), np.float32)
    )
    (path,) = written("ava", result(one), tmp_path)
    found = pandas.read_csv(path).filter(like="entity_box").to_numpy()
    np.testing.assert_allclose(found, relative, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ['a,b "c".mp4', "話 す.mp4", "5e3.mp4"])
def test_ava_keeps_any_name(name, tmp_path):
    (path,) = written("ava", result(track(0, 0, 2), path=name), tmp_path)
    table = pandas.read_csv(path, dtype={"video_id": str})
    assert set(table["video_id"]) == {Path(name).stem}
    assert set(table["entity_id"]) == {f"{Path(name).stem}_0"}


# --- speakers.rttm


def annotation(path: Path) -> Annotation:
    names = ["type", "uri", "channel", "onset", "duration", "o", "t", "speaker", "c", "s"]
    table = pandas.read_csv(path, sep=" ", names=names, keep_default_na=False)
    assert set(table["type"]) == {"SPEAKER"}
    assert set(table["channel"]) == {1}
    (uri,) = set(table["uri"])
    found = Annotation(uri=uri)
    for row in table.itertuples():
        found[Segment(row.onset, row.onset + row.duration), row.Index] = row.speaker
    return found


def test_rttm_holds_the_turns(two, tmp_path):
    (path,) = written("rttm", two, tmp_path)
    found = annotation(path)
    assert found.uri == "clip"
    assert found.labels() == ["track_0", "track_1"]
    for number, turns in enumerate([[(0.2, 1.0), (3.4, 5.96)], [(0.48, 0.8), (1.2, 2.08)]]):
        timeline = found.label_timeline(f"track_{number}")
        np.testing.assert_allclose([(turn.start, turn.end) for turn in timeline], turns, atol=1e-9)
    assert path.read_text().splitlines()[0] == (
        "SPEAKER clip 1 0.200 0.800 <NA> <NA> track_0 <NA> <NA>"
    )
    onsets = [float(line.split()[3]) for line in path.read_text().splitlines()]
    assert onsets == sorted(onsets) == [0.2, 0.48, 1.2, 3.4]


def test_rttm_names_people_and_who_is_not_seen(known, tmp_path):
    (path,) = written("rttm", known, tmp_path)
    rows = [line.split() for line in path.read_text("utf-8").splitlines()]
    assert [(row[3], row[7]) for row in rows] == [
        ("0.200", "Ann_<A>_&_B"),
        ("1.200", "person_0"),
        ("4.500", "off_screen"),
    ]
    assert {len(row) for row in rows} == {10}


def test_rttm_has_ten_fields_whatever_the_name(tmp_path):
    name = "my best\u00a0clip\t2.mp4"
    (path,) = written("rttm", result(track(0, 0, 5, [(0, 0.2)]), path=name), tmp_path)
    (line,) = path.read_text("utf-8").splitlines()
    assert len(line.split()) == 10
    assert line.split()[1] == "my_best_clip_2"


# --- speakers.vtt


def test_webvtt_holds_the_turns(two, tmp_path):
    (path,) = written("webvtt", two, tmp_path)
    cues = webvtt.from_string(path.read_text())
    assert [(cue.start, cue.end, cue.voice, cue.text) for cue in cues] == [
        ("00:00:00.200", "00:00:01.000", "Track 0", "Track 0"),
        ("00:00:00.480", "00:00:00.800", "Track 1", "Track 1"),
        ("00:00:01.200", "00:00:02.080", "Track 1", "Track 1"),
        ("00:00:03.400", "00:00:05.960", "Track 0", "Track 0"),
    ]


def test_webvtt_names_people_and_who_is_not_seen(known, tmp_path):
    (path,) = written("webvtt", known, tmp_path)
    text = path.read_text("utf-8")
    assert "<v Ann &lt;A&gt; &amp; B>Ann &lt;A&gt; &amp; B\n" in text
    assert [caption.voice for caption in webvtt.read(str(path))][1:] == ["person_0", "Off screen"]


def test_webvtt_counts_hours(tmp_path):
    late = replace(track(0, 0, 5), speaking=((59.9996, 3599.96), (7325.04, 360000.5)))
    (path,) = written("webvtt", result(late), tmp_path)
    times = [(cue.start, cue.end) for cue in webvtt.from_string(path.read_text())]
    assert times == [("00:01:00.000", "00:59:59.960"), ("02:02:05.040", "100:00:00.500")]


# --- pywork


def test_pywork_is_what_the_reference_writes(two, tmp_path):
    paths = written("pywork", two, tmp_path)
    tracks, scores = (pickle.loads(path.read_bytes()) for path in paths)
    assert len(tracks) == len(scores) == 2
    for found, score, one in zip(tracks, scores, two.tracks, strict=True):
        assert set(found) == {"track", "proc_track", "embeddings"}
        assert set(found["track"]) == {"frame", "bbox"}
        assert set(found["proc_track"]) == {"x", "y", "s"}
        frame, bbox = found["track"]["frame"], found["track"]["bbox"]
        assert frame.dtype == np.int64
        np.testing.assert_array_equal(frame, list(one.frames))
        assert bbox.dtype == np.float64
        np.testing.assert_array_equal(bbox, one.boxes)
        for column, key in enumerate("xys"):
            assert found["proc_track"][key].dtype == np.float64
            np.testing.assert_array_equal(found["proc_track"][key], one.smoothed[:, column])
        assert found["embeddings"].shape == (0, 512)
        assert found["embeddings"].dtype == np.float64
        assert score.dtype == np.float64
        np.testing.assert_array_equal(score, one.scores)
        assert score.flags.writeable


def test_pywork_has_an_embedding_for_every_frame(tmp_path):
    vectors = np.eye(2, 512, dtype=np.float32)
    one = replace(track(0, 100, 9), embedded=np.array([100, 105]), embeddings=vectors)
    written("pywork", result(one, track(1, 0, 3)), tmp_path)
    tracks = pickle.loads((tmp_path / "pywork" / "tracks.pckl").read_bytes())
    assert tracks[0]["embeddings"].shape == (9, 512)
    assert tracks[0]["embeddings"].dtype == np.float64
    assert tracks[0]["embeddings"].argmax(1).tolist() == [0, 0, 0, 1, 1, 1, 1, 1, 1]
    assert tracks[1]["embeddings"].shape == (0, 512)


def test_pywork_opens_with_any_numpy(two, tmp_path):
    for path in written("pywork", two, tmp_path):
        content = path.read_bytes()
        assert content[:2] == b"\x80\x04"
        words = [value for op, value, _ in pickletools.genops(content) if isinstance(value, str)]
        modules = {word for word in words if word.startswith(("numpy", "asdkit", "builtins"))}
        assert modules == {"numpy", "builtins"}
        assert {"ndarray", "bytearray"} <= set(words)


# --- all of them


def test_nobody_is_a_valid_answer(tmp_path):
    for name in TEXT_WRITERS:
        (tmp_path / name).mkdir()
        written(name, result(), tmp_path / name)
    found = json.loads((tmp_path / "json/result.json").read_text())
    jsonschema.validate(found, schema())
    assert found["tracks"] == []
    assert len(pandas.read_csv(tmp_path / "ava/ava.csv")) == 0
    assert (tmp_path / "rttm/speakers.rttm").read_text() == ""
    assert list(webvtt.read(str(tmp_path / "webvtt/speakers.vtt"))) == []
    assert pickle.loads((tmp_path / "pywork/pywork/tracks.pckl").read_bytes()) == []
    assert pickle.loads((tmp_path / "pywork/pywork/scores.pckl").read_bytes()) == []


@pytest.mark.parametrize("name", TEXT_WRITERS)
def test_a_folder_in_the_way_is_an_error(name, two, tmp_path):
    in_the_way = tmp_path / WRITERS[name].files[0]
    in_the_way.mkdir(parents=True)
    with pytest.raises(OutputError, match="Cannot write"):
        load("writer", name).write(two, tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", [name for name in TEXT_WRITERS if name != "pywork"])
def test_lines_end_alike_everywhere(name, two, tmp_path):
    (path,) = written(name, two, tmp_path)
    content = path.read_bytes()
    assert b"\r" not in content
    assert content.endswith(b"\n")


def test_writers_are_found_by_name():
    assert sorted(WRITERS) == [
        *("annotated", "ava", "clips", "eaf", "json", "mot", "otio", "pywork", "reframe"),
        *("report", "rttm", "srt", "textgrid", "timeline", "webvtt"),
    ]
    for name, component in WRITERS.items():
        assert component.kind == "writer"
        assert type(load("writer", name)).__name__ == f"{name.capitalize()}Writer"


def test_pywork_of_a_long_track_takes_no_more_memory_than_its_embeddings(tmp_path):
    import tracemalloc

    n = 20_000
    one = replace(
        track(0, 0, n), embedded=np.arange(0, n, 2), embeddings=np.ones((n // 2, 4), np.float32)
    )
    tracemalloc.start()
    written("pywork", result(one), tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()
