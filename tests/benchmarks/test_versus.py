"""Two checkouts against each other: the table, the figures, and a small comparison as a whole."""

from __future__ import annotations

import json
import re
import string
import sys

import av
import numpy as np
import pytest
from synth import clicks, write_video

from asdkit.benchmarks import versus
from asdkit.benchmarks.footage import SHAPES, Shape, make
from asdkit.benchmarks.measures import GIVEN, MEASURES, PLACES, Measure
from asdkit.benchmarks.process import CommandError, Used, environment, measured
from asdkit.benchmarks.sides import find_side
from asdkit.benchmarks.spread import Spread, ratios
from asdkit.core.config.compose import compose_run
from asdkit.core.config.plan import make_plan

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs wait4")

RESULT = """
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
folder.mkdir()
tracks = [dict(first_frame=0, scores=[0.5, 1.0])]
(folder / "result.json").write_text(json.dumps(dict(tracks=tracks)))
"""


# The table


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_names_a_clip_and_fills_known_places(name):
    measure = MEASURES[name]
    assert measure.clip in {GIVEN, *SHAPES}
    for words in (measure.old, measure.new, measure.prepare):
        places = {place for word in words for _, place, _, _ in string.Formatter().parse(word)}
        assert places <= {None, *PLACES}
    for words in (measure.old, measure.new):
        assert any("{output}" in word for word in words), "each run has a folder of its own"
    kept = any("{kept}" in word for word in measure.new)
    assert kept == bool(measure.prepare), "what is prepared is used"


@pytest.mark.parametrize(
    "name", [name for name, measure in MEASURES.items() if "run" in measure.new]
)
def test_the_options_of_a_run_exist(name, tmp_path):
    words = MEASURES[name].new
    options = [word.format(bundle=tmp_path) for word in words[words.index("{clip}") + 1 : -1]]
    plan = make_plan(compose_run([*options, f"output={tmp_path / 'out'}"], "talk.mp4"))
    assert plan.chosen["detector"].component.name == "yunet"


# The figures


def test_ratios_are_taken_round_by_round():
    assert ratios([1.0, 2.0, 4.0], [0.5, 1.5, 4.0]) == Spread(0.75, 0.5, 1.0)
    assert str(Spread(0.75, 0.5, 1.0)) == "0.750 (0.500 to 1.000)"
    assert Spread.of([3.0, 1.0, 2.0, 10.0]) == Spread(2.5, 1.0, 10.0)
    with pytest.raises(ValueError, match="shorter"):
        ratios([1.0, 2.0], [1.0])


def test_lines_have_the_medians_of_either_side_and_their_ratio(tmp_path):
    old = [Used(1.0, 2.0, 2**20), Used(3.0, 2.0, 2**20), Used(2.0, 2.0, 2**20)]
    new = [Used(0.5, 4.0, 2**21), Used(1.5, 4.0, 2**21), Used(2.0, 4.0, 2**21)]
    _, process, wall, memory = versus.Rounds(old, new, tmp_path, tmp_path).lines(True)
    for line, said in (
        (process, "process time 2.00 1.50 s 0.500 (0.500 to 1.000)"),
        (wall, "wall time 2.00 4.00 s 2.000 (2.000 to 2.000)"),
        (memory, "peak memory 1 2 MiB 2.000 (2.000 to 2.000)"),
    ):
        assert " ".join(line.split()) == said


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ([(0, [0.5, 1.0]), (4, [2.0])], "of 3 face frames differ by at most 0.0e+00"),
        ([(0, [0.5, 1.5]), (4, [1.75])], "of 3 face frames differ by at most 5.0e-01"),
        ([(0, [0.5, 1.0])], "of other tracks: 2 tracks in old, 1 in new"),
        ([(1, [0.5, 1.0]), (4, [2.0])], "of other tracks: 2 tracks in old, 2 in new"),
    ],
)
def test_scores_are_compared_track_by_track(tmp_path, new, said):
    files = tmp_path / "old.json", tmp_path / "new.json"
    for file, tracks in zip(files, ([(0, [0.5, 1.0]), (4, [2.0])], new), strict=True):
        rows = [{"first_frame": first, "scores": scores} for first, scores in tracks]
        file.write_text(json.dumps({"tracks": rows}))
    assert versus.compared(*files) == said


def test_a_small_process_seems_small_beside_a_large_one():
    large = np.ones(2**26)  # 512 MiB, touched
    used, said = measured([sys.executable, "-I", "-S", "-c", "print('here')"])
    assert said == "here\n"
    assert 2**20 < used.peak_bytes < large.nbytes / 4
    assert 0 < used.process_s < 5
    assert used.wall_s > 0


def test_process_time_is_that_of_children_too():
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    parent = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
    used, _ = measured([sys.executable, "-c", parent, burn])
    assert used.process_s >= 0.3


def test_the_other_interpreter_is_not_led_to_this_asdkit(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "here")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert "PYTHONPATH" not in environment(one_thread=True)
    assert environment(one_thread=True)["OMP_NUM_THREADS"] == "1"
    assert "OMP_NUM_THREADS" not in environment(one_thread=False)


# The whole


@pytest.fixture
def clip(tmp_path):
    return write_video(tmp_path / "small.mp4", frames=10, sounds=[(0.0, clicks([0.2], 0.4))])


def test_a_checkout_against_itself(tmp_path, clip, capsys):
    words = ("-c", RESULT, "{output}")
    stub = Measure("a stub", GIVEN, old=words, new=words)
    python, kept = sys.executable, tmp_path / "kept.txt"
    asked = [python, python, "--clip", str(clip), "--rounds", "2", "--output", str(kept)]
    versus.main(asked, {"stub": stub})
    said = capsys.readouterr().out
    assert said == kept.read_text()
    assert str(tmp_path) not in said
    assert python not in said
    for side in ("old", "new"):
        assert re.search(rf"^{side}: asdkit \d.*, torch .*, onnxruntime .*, PyAV \d", said, re.M)
    assert "\nstub: a stub\n" in said
    assert len(re.findall(r"(?:time|memory) .* \d\.\d{3} \(\d\.\d{3} to \d\.\d{3}\)", said)) == 3
    assert "of 2 face frames differ by at most 0.0e+00" in said


def test_sides_take_turns_after_a_run_that_does_not_count(tmp_path, clip, monkeypatch):
    log = tmp_path / "log"
    code = "import sys; open(sys.argv[1], 'a').write(sys.argv[2])"
    words = {side: ("-c", code, str(log), side[0]) for side in ("old", "new")}
    versus.main(
        [sys.executable, sys.executable, "--clip", str(clip), "--rounds", "3"],
        {"stub": Measure("a stub", GIVEN, **words)},
    )
    assert log.read_text() == "on" + "on" + "no" + "on"


def test_a_command_that_fails_ends_it_in_one_line(clip):
    words = ("-c", "import sys; sys.exit('no\\nway')")
    with pytest.raises(SystemExit) as caught:
        versus.main(
            [sys.executable, sys.executable, "--clip", str(clip)],
            {"stub": Measure("a stub", GIVEN, old=words, new=words)},
        )
    said = "benchmarks.versus: stub: the old side ended with exit code 1: no | way"
    assert caught.value.code == said


def test_an_interpreter_is_found_in_a_folder_and_its_lack_is_named(tmp_path):
    with pytest.raises(CommandError, match=r"new: .* with one at bin/python, \.venv/bin/python"):
        find_side("new", tmp_path)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to(sys.executable)
    # Through the link, which is no virtual environment, there is no asdkit.
    with pytest.raises(CommandError, match="has no asdkit"):
        find_side("new", tmp_path)


@pytest.mark.parametrize(
    "words", [["--only", "other"], ["--rounds", "0"], ["--seconds", "0"], ["--clip", "none.mp4"]]
)
def test_what_cannot_be_asked_is_refused(words):
    with pytest.raises(SystemExit) as caught:
        versus.main([sys.executable, sys.executable, *words])
    assert caught.value.code == 2


def test_the_help_lists_the_measures(capsys):
    with pytest.raises(SystemExit):
        versus.main(["--help"])
    said = capsys.readouterr().out
    assert all(measure.about in said for measure in MEASURES.values())


# Clips


def test_a_clip_is_made_in_another_size_rate_and_length(tmp_path, clip):
    target = tmp_path / "made.mp4"
    make(clip, target, Shape(96, 64, 30), seconds=1.0)
    with av.open(str(target)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, video.width, video.height) == ("h264", 96, 64)
        assert (video.average_rate, audio.codec_context.name) == (30, "aac")
        times = [frame.time for frame in container.decode(video)]
    np.testing.assert_allclose(times, np.arange(30) / 30, atol=1e-3)
    with av.open(str(target)) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) >= 48_000


def test_a_clip_without_sound_is_refused(tmp_path):
    silent = write_video(tmp_path / "silent.mp4", frames=5)
    with pytest.raises(ValueError, match=r"silent\.mp4 lacks pictures or sound"):
        make(silent, tmp_path / "made.mp4", Shape(96, 64, 30), seconds=1.0)
