"""The annotated video agrees with the result: its colours are what was decided."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import by_hand
import numpy as np
import pytest
from synth import write_video

from asdkit.core.cli.main import main
from asdkit.core.component import Context
from asdkit.core.config.compose import compose_run
from asdkit.core.config.plan import make_plan
from asdkit.core.decisions.calibration import Calibration
from asdkit.core.errors import ConfigError
from asdkit.core.loading import load
from asdkit.core.media.probe import probe
from asdkit.core.result import Result
from asdkit.core.types import GRID_FPS, Heard
from asdkit.plugins.writers import annotated
from asdkit.plugins.writers.annotated import SILENT, SPEAKING, AnnotatedConfig

LEFT, RIGHT = (60, 100, 180, 300), (300, 100, 420, 300)
FRAMES = 10
SCORES = 4.0, -4.0


@pytest.fixture
def talk(tmp_path) -> Result:
    """Two faces, of which the left one speaks by its score, and by its probability of 0.98."""
    source = write_video(
        tmp_path / "a.mkv",
        frames=FRAMES,
        size=(480, 360),
        image=lambda _, width, height: np.full((height, width, 3), 128, np.uint8),
    )
    boxes = [[LEFT] * FRAMES, [RIGHT] * FRAMES]
    tracks = [by_hand.track(k, 0, boxes[k], SCORES[k]) for k in range(2)]
    result = by_hand.result_of(probe(source, allow_silent=True), *tracks)
    return replace(result, shots=((0, FRAMES),)).decide()


def colours(result: Result, folder: Path, **config) -> list[str]:
    """Of each picture, the colours of the left and the right box, by their pixels: g or r."""
    import av

    writer = annotated.build(AnnotatedConfig(**config), Context(threads=1))
    (path,) = writer.write(result, folder)
    found = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            image = frame.to_ndarray(format="rgb24").astype(int)
            lines = [image[150:280, x1 - 1 : x1 + 2].reshape(-1, 3) for x1, *_ in (LEFT, RIGHT)]
            means = [np.median(line, axis=0) for line in lines]
            found.append("".join("g" if mean[1] > mean[0] else "r" for mean in means))
            for mean, colour in zip(means, found[-1], strict=True):
                np.testing.assert_allclose(mean, SPEAKING if colour == "g" else SILENT, atol=25)
    return found


def test_who_does_not_speak_by_the_thresholds_is_red(talk, tmp_path):
    assert [len(track.speaking) for track in talk.tracks] == [1, 0]
    assert colours(talk, tmp_path) == ["gr"] * FRAMES
    strict = talk.decide(segments={"on": 0.999})
    assert strict.tracks[0].speaking == ()
    assert colours(strict, tmp_path) == ["rr"] * FRAMES
    assert colours(strict, tmp_path, colour="score") == ["gr"] * FRAMES


def test_who_does_not_speak_by_a_calibration_is_red(talk, tmp_path):
    Calibration("lip_motion", 10.0, -1.0).write(tmp_path / "c.json")
    talk = replace(talk, settings={**talk.settings, "scorer": {"name": "lip_motion"}})
    calm = talk.decide(calibration=tmp_path / "c.json")
    assert calm.tracks[0].speaking == () and (calm.tracks[0].scores >= 0).all()
    assert colours(calm, tmp_path) == ["rr"] * FRAMES


def test_who_was_decided_to_speak_is_green_whatever_the_score(talk, tmp_path):
    """As with decisions=exclusive, which may bridge what scores say of single frames."""
    other = replace(talk.tracks[1], speaking=((0.08, 0.2),))
    talk = replace(talk, tracks=(replace(talk.tracks[0], speaking=()), other))
    assert colours(talk, tmp_path) == ["rr"] * 2 + ["rg"] * 3 + ["rr"] * 5
    assert colours(talk, tmp_path, colour="score") == ["gr"] * FRAMES


def test_by_score_nobody_speaks_where_no_voice_was_heard(talk, tmp_path):
    heard = Heard(0, np.array([1.0] * 5 + [0.0] * 5, np.float32))
    talk = replace(talk, speech=((0.0, 0.2),), heard=heard)
    assert colours(talk, tmp_path, colour="score") == ["gr"] * 5 + ["rr"] * 5


@pytest.mark.parametrize(
    ("by_score", "wanted"), [(False, ["0.98", "0.02"]), (True, ["4.00", "-4.00"])]
)
def test_the_label_is_the_probability_or_the_score(by_score, wanted, talk, monkeypatch):
    labels = []
    monkeypatch.setattr(annotated, "draw_face", lambda *call: labels.append(call[2].split()[-1]))
    annotated._Overlay(talk, by_score=by_score).draw(None, Fraction(3, GRID_FPS))
    assert labels == wanted


@pytest.mark.parametrize(
    ("words", "colour"),
    [
        (["writers=[pywork,annotated]"], "score"),
        (["writers=[annotated]", "writers.annotated.colour=speaking"], "speaking"),
    ],
)
def test_the_preset_of_the_reference_colours_as_it_does(words, colour):
    plan = make_plan(
        compose_run(["experiment=reference", "cutter.path=scenes.csv", *words], "a.mp4")
    )
    (chosen,) = (one for one in plan.writers if one.component.name == "annotated")
    assert chosen.config.colour == colour


def test_the_preset_chooses_no_writer_by_that(capsys):
    base = ["experiment=reference", "cutter.path=scenes.csv"]
    plan = make_plan(compose_run(base, "a.mp4"))
    assert [one.component.name for one in plan.writers] == ["pywork"]
    assert list(plan.settings["writers"]) == ["pywork"]
    main(["run", *base, "--help"])
    assert "\nwriters=[pywork]" in capsys.readouterr().out


def test_there_are_two_ways_to_colour():
    with pytest.raises(ConfigError, match="colour must be speaking or score, got 'red'"):
        load("writer", "annotated", colour="red")
