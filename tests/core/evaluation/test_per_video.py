"""The table of videos: what is known of each, in the file and as it is printed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from evaluating import FRAMES, evaluated, lips
from synth import write_video

from asdkit.core.cli.evaluation_views import print_evaluation
from asdkit.core.cli.main import main
from asdkit.core.errors import ConfigError
from asdkit.core.evaluation.metrics import average_precision

UNSEEN = (25, 50)
"""The frames in which there is noise; nobody is seen speaking then."""


@pytest.fixture
def talks(folder, options, tmp_path):
    """Options for two clips, of which "two" has noise off screen and the truth about it."""
    data = tmp_path / "data"
    shutil.copytree(folder, data)
    sound = np.random.default_rng(0).normal(0, 5, FRAMES * 640)
    sound[UNSEEN[0] * 640 : UNSEEN[1] * 640] *= 1000
    sounds = [(0.0, sound.astype(np.int16))]
    write_video(data / "two.mp4", frames=FRAMES, image=lips, sounds=sounds, sound_rate=16_000)
    truth = json.loads((data / "two.json").read_text())
    truth["off_screen"] = [int(UNSEEN[0] <= k < UNSEEN[1]) for k in range(FRAMES)]
    (data / "two.json").write_text(json.dumps(truth))
    # No face is ever decided as speaking, so that all that is heard is off screen.
    own = [f"dataset.folder={data}", "vad=energy", "segments.on=1", "segments.off=1"]
    return [*options, *own, "foreign_sound=false"]


@pytest.fixture
def rttm(talks):
    """Says who speaks in "two": Ann off screen, and Bo for a moment at the end."""
    pytest.importorskip("pyannote.metrics")
    lines = [
        f"SPEAKER two 1 {start} {length} <NA> <NA> {name} <NA> <NA>\n"
        for start, length, name in (("1.000", "1.000", "ann"), ("2.500", "0.500", "bo"))
    ]
    Path("data/two.rttm").write_text("".join(lines))


def test_labelled_faces_of_each_video(talks):
    found = evaluated(talks)
    one, two = found["per_video"]["one"], found["per_video"]["two"]
    assert list(one) == ["rows", "positives", "average_precision", "f1", "balanced_accuracy"]
    assert one["rows"] == two["rows"] == 2 * FRAMES
    rows = [line.split(",") for line in Path("out/frames.csv").read_text().splitlines()]
    head = rows.pop(0)
    of_two = [dict(zip(head, row, strict=True)) for row in rows if row[0] == "two"]
    scores = np.array([float(row["score"]) for row in of_two])
    truth = np.array([row["truth"] == "1" for row in of_two])
    assert two["average_precision"] == pytest.approx(average_precision(scores, truth))
    assert two["f1"] == 0
    assert two["balanced_accuracy"] == 0.5


def test_off_screen_speech(talks):
    found = evaluated([*talks, "writers=[json]"])
    spans = json.loads(Path("out/two/result.json").read_text())["off_screen"]
    heard = np.zeros(FRAMES, bool)
    for start_s, end_s in spans:
        heard[round(start_s * 25) : round(end_s * 25)] = True
    right = heard[slice(*UNSEEN)].sum()
    expected = {
        "off_screen_recall": pytest.approx(right / 25),
        "off_screen_precision": pytest.approx(right / heard.sum()),
        "off_screen_frames": 25,
    }
    assert right > 20
    assert {key: found["metrics"][key] for key in expected} == expected
    assert {key: found["per_video"]["two"][key] for key in expected} == expected
    assert "off_screen_recall" not in found["per_video"]["one"]
    without = evaluated([*talks, "vad=none"], "without")
    assert not {*without["metrics"], *without["per_video"]["two"]} & {*expected}
    # The first video lacks the truth, the second has it.
    assert evaluated([*talks, "measure=off_screen_recall"], "again")["measure"]["value"] > 0.8
    with pytest.raises(ConfigError, match="There is no measure off_screen_recall with this"):
        evaluated([*talks, "vad=none", "measure=off_screen_recall"], "never")


@pytest.mark.usefixtures("rttm")
def test_who_speaks_error_and_whom_a_name_was_taken_for(talks):
    found = evaluated([*talks, "measure=diarization_error_rate"])
    two = found["per_video"]["two"]
    assert two["speakers"] == {"off_screen": "ann"}
    assert two["total_s"] == pytest.approx(1.5)
    assert two["missed_s"] >= 0.5  # of Bo
    assert two["diarization_error_rate"] == pytest.approx(
        (two["missed_s"] + two["false_alarm_s"] + two["confusion_s"]) / two["total_s"]
    )
    # Only one video has this truth, so what is pooled is its own.
    for key in ("diarization_error_rate", "missed_s", "false_alarm_s", "confusion_s", "total_s"):
        assert found["metrics"][key] == two[key]
        assert key not in found["per_video"]["one"]
    assert found["measure"]["higher_is_better"] is False


@pytest.mark.usefixtures("rttm")
def test_a_collar_holds_for_the_pairing_too(talks):
    """All that Ann says lies within the collar; of what Cy says, before, 0.1 s does not."""
    line = "SPEAKER two 1 {} <NA> <NA> {} <NA> <NA>\n"
    text = line.format("0.0 0.9", "cy") + line.format("0.9 0.7", "ann")
    Path("data/two.rttm").write_text(text)
    two = evaluated(talks)["per_video"]["two"]
    assert two["speakers"] == {"off_screen": "ann"}
    two = evaluated([*talks, "collar_s=0.4"], "again")["per_video"]["two"]
    assert two["total_s"] == pytest.approx(0.1)
    assert two["speakers"] == {"off_screen": None}


@pytest.mark.usefixtures("rttm")
def test_the_table_is_printed(talks, capsys):
    main(["evaluate", *talks, "output=out"])
    out = capsys.readouterr().out
    head, one, two = (line for line in out.splitlines() if line[:1] in ("┃", "│"))
    assert [cell.strip() for cell in head.strip("┃").split("┃")] == [
        *("video", "rows", "speaking", "AP", "F1", "balanced accuracy"),
        *("DER", "missed s", "false s", "confused s"),
        *("off-screen recall", "off-screen precision"),
    ]
    assert [cell.strip() for cell in one.strip("│").split("│")][6:] == [""] * 6
    found = json.loads(Path("out/evaluation.json").read_text())["per_video"]["two"]
    cells = [cell.strip() for cell in two.strip("│").split("│")]
    assert cells[0] == "two"
    assert cells[6] == f"{found['diarization_error_rate']:.3f}"
    assert "\ntwo: off_screen is ann\n" in out
    assert f"off-screen recall           {found['off_screen_recall']:.4f}" in out


def test_long_tables_are_cut(capsys):
    per_video = {f"v{k}": {"average_precision": k / 30, "f1": None} for k in range(30)}
    per_video["v0"] |= {"speakers": {"track_0": None}}
    found = {
        "metrics": {"average_precision": 0.5},
        "measure": {"name": "average_precision"},
        "per_video": per_video,
        "cost": None,
    }
    print_evaluation(found, Path("out"))
    out = capsys.readouterr().out
    assert "v0: track_0 is nobody" in out
    assert "v19" in out
    assert "v20" not in out
    assert "and 10 videos more, in evaluation.json" in out
    print_evaluation({**found, "per_video": {"v1": per_video["v1"]}}, Path("out"))
    assert "v1" not in capsys.readouterr().out  # the figures above are this video's


def test_a_repetition_compares_videos(talks, capsys):
    main(["evaluate", *talks, "output=first"])
    path = Path("first/evaluation.json")
    found = json.loads(path.read_text())
    found["per_video"]["two"]["f1"] = 0.25
    path.write_text(json.dumps(found))
    main(["repeat", "first", "output=second"])
    assert "per_video.two.f1: 0.25 before, 0.0 now" in capsys.readouterr().out
    del found["per_video"]  # as in a file of an older version
    path.write_text(json.dumps(found))
    main(["repeat", "first", "output=third"])
    assert "The same as before" in capsys.readouterr().out
