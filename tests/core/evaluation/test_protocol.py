"""protocol=ava: labelled faces whole, a row for each label, and predictions as papers have them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from evaluating import evaluated
from published import by_the_rules, make_published, truth_rows
from refusing import refusal

from asdkit.core.cli.main import main
from asdkit.core.config.compose import compose_app
from asdkit.core.errors import ConfigError, InputError, PluginError
from asdkit.core.evaluation.compare import compare
from asdkit.core.evaluation.dataset import make_dataset_plan
from asdkit.core.evaluation.protocols import under
from asdkit.core.evaluation.settings import EVALUATE
from asdkit.core.labelled_clip import LabelledClip
from asdkit.core.labels import Judged, LabelledVideo
from asdkit.core.types import Scores


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_published(tmp_path_factory.mktemp("published") / "data")


@pytest.fixture
def words(data, tmp_path, monkeypatch):
    monkeypatch.setenv("ASDKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return [
        *(
            "dataset=ava",
            f"dataset.truth={data / 'truth.csv'}",
            f"dataset.videos={data / 'videos'}",
        ),
        *("protocol=ava", "scorer=lip_motion", "plots=false"),
    ]


def of_crops(words: list[str], data: Path) -> list[str]:
    return [*words[:2], f"dataset.crops={data / 'crops'}", *words[3:]]


def lines_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def coarse(monkeypatch):
    """A scorer with equal scores, some so sure that their probability is 1 in float32."""
    from asdkit.plugins.scorers.lip_motion import LipMotion

    score = LipMotion.score

    def rounded(self, clips):
        found = [np.round(one.logits / 2) * 6 for one in score(self, clips)]
        return [Scores(logits.astype(np.float32)) for logits in found]

    monkeypatch.setattr(LipMotion, "score", rounded)


def agrees_three_ways(words: list[str], data: Path) -> float:
    """The average precision, the same by the evaluation, by its file and by the rules."""
    own = evaluated(words, "own")
    path = Path("own/predictions.csv")
    judged = evaluated([*words[:2], f"dataset.predictions={path}", *words[3:]], "judged")
    value = own["metrics"]["average_precision"]
    assert judged["metrics"]["average_precision"] == pytest.approx(value, abs=1e-9)
    assert by_the_rules(data / "truth.csv", path) == pytest.approx(value, abs=1e-9)
    assert own["settings"]["protocol"] == "ava"
    assert (own["metrics"]["rows"], own["metrics"]["missed"]) == (len(truth_rows()), 0)
    same_by_videos(own, judged)
    return value


def same_by_videos(own, judged) -> None:
    """Predictions are of the same videos and faces, so that they can be tested against scores."""
    assert judged["videos"] == own["videos"] == ["one", "two"]
    for video, of_one in judged["per_video"].items():
        assert of_one["average_precision"] == own["per_video"][video]["average_precision"]
    for key, value in judged["intervals"]["metrics"]["average_precision"].items():
        assert value == own["intervals"]["metrics"]["average_precision"][key]
    found = compare([Path("own"), Path("judged")], 100)
    (tested,) = [row for row in found.rows if row[found.heads.index("p")] is not None]
    assert tested[found.heads.index("difference")].value == 0
    assert tested[found.heads.index("p")] == 1
    scorers = [row[found.heads.index("scorer")] for row in found.rows]
    assert sorted(scorers, key=str) == [None, "lip_motion"]  # nothing scored the predictions here


def test_three_ways_agree_on_videos(words, data):
    assert agrees_three_ways([*words, "gallery=3"], data) > 0.8
    assert not Path("judged/predictions.csv").exists()
    text = Path("own/gallery.html").read_text()
    assert "<p>ava, protocol=ava, scored by lip_motion</p>" in text
    assert text.count("<img ") > 8  # of the video of 30 frames a second, too
    assert "not seen" not in text.replace("video:once", "")


def test_predictions_of_some_videos(words):
    own = evaluated([*words, "videos=[two]"], "own")
    of_all = evaluated(words, "all")
    judged = [*words[:2], "dataset.predictions=all/predictions.csv", *words[3:], "gallery=3"]
    two = evaluated([*judged, "videos=[two]"], "judged")
    assert two["metrics"]["average_precision"] == own["metrics"]["average_precision"]
    assert two["metrics"]["rows"] < of_all["metrics"]["rows"]
    assert not Path("judged/gallery.html").exists()  # there are no pictures
    with pytest.raises(ConfigError, match="the dataset has no three; it has one, two"):
        evaluated([*judged, "videos=[three]"], "out")


def test_three_ways_agree_on_crops(words, data):
    assert agrees_three_ways(of_crops(words, data), data) > 0.8


def test_three_ways_agree_on_equal_and_on_sure_scores(words, data, coarse):
    agrees_three_ways(words, data)
    scores = [float(line["score"]) for line in lines_of(Path("own/predictions.csv"))]
    assert len(set(scores)) < len(scores) / 4
    sure = {score for score in scores if np.float32(score) == 1}
    assert len(sure) > 1, "float64 tells apart what float32 does not"


def test_every_row_of_the_truth_is_predicted_in_its_own_terms(words, data):
    evaluated(words)
    said = [
        (
            line["video_id"],
            *(float(line[name]) for name in list(line)[1:6]),
            line["label"],
            line["entity_id"],
        )
        for line in lines_of(Path("out/predictions.csv"))
    ]
    in_order = sorted(truth_rows(), key=lambda row: (*row[:2], row[-1]))
    assert said == [(*row[:6], "SPEAKING_AUDIBLE", row[7]) for row in in_order]
    rows = lines_of(Path("out/frames.csv"))
    predicted = [line["score"] for line in lines_of(Path("out/predictions.csv"))]
    assert [row["score"] for row in rows] == predicted


def test_a_calibration_changes_no_ranking(words):
    before = evaluated(words, "before")
    fit = [word for word in words if word != "plots=false"]
    main(["calibrate", *fit, "output=c.json"])
    assert json.loads(Path("c.json").read_text())["rows"] == len(truth_rows())
    after = evaluated([*words, "scorer.calibration=c.json"], "after")
    assert after["metrics"]["nll"] < before["metrics"]["nll"]
    assert Path("after/predictions.csv").read_text() == Path("before/predictions.csv").read_text()


def test_scores_of_videos_are_kept_for_these_labels_alone(words, data, monkeypatch):
    from asdkit.plugins.scorers.lip_motion import LipMotion

    calls = []
    score = LipMotion.score
    monkeypatch.setattr(
        LipMotion, "score", lambda self, clips: calls.append(len(clips)) or score(self, clips)
    )
    lines: list[str] = []
    first = evaluated(words, "first", lines.append)
    assert lines[0].endswith("faces given, scored by scorer=lip_motion")
    assert len(calls) == 6
    assert evaluated([*words, "segments.on=0.7"], "second")["cost"] == first["cost"]
    assert len(calls) == 6
    plain = [*words[:3], "faces=labelled", *words[4:], "foreign_sound=false"]
    evaluated(plain, "third")
    assert len(calls) > 6, "the same faces on the 25 fps grid are others"
    calls.clear()
    moved = Path("moved.csv")
    moved.write_text((data / "truth.csv").read_text().replace(",0.2,", ",0.21,"))
    evaluated([words[0], f"dataset.truth={moved}", *words[2:]], "fourth")
    assert len(calls) == 6


def test_it_is_repeated_and_compared(words, capsys):
    main(["evaluate", *words, "output=first"])
    main(["repeat", "first"])
    assert "The same as before" in capsys.readouterr().out
    assert (
        Path("first-again/predictions.csv").read_text() == Path("first/predictions.csv").read_text()
    )
    evaluated([*words[:3], "faces=labelled", *words[4:]], "plain")
    table = compare([Path("first"), Path("plain")])
    column = table.heads.index("protocol")
    assert {row[column] for row in table.rows} == {"ava", "none"}
    assert any(note.startswith("The protocol differs") for note in table.notes)
    alike = compare([Path("first"), Path("first-again")])
    assert not any("protocol" in note for note in alike.notes)
    main(["evaluate", *words, "output=first", "overwrite=true"])  # predictions.csv is its own


def test_the_whole_of_a_face_is_one_clip(words, monkeypatch):
    """A scorer that reads them gets the labels' own rate, others the frames of the grid."""
    from asdkit.plugins.scorers.lip_motion import LipMotion

    clips = []
    score = LipMotion.score

    def noted(self, given):
        clips.extend(given)
        return score(self, [one.on_grid() for one in given])

    monkeypatch.setattr(LipMotion, "score", noted)
    monkeypatch.setattr(LipMotion, "reads_labelled_clips", True, raising=False)
    evaluated(words)
    assert {type(clip) for clip in clips} == {LabelledClip}
    assert [(len(clip), clip.fps) for clip in clips] == [
        *((70, 25.0), (1, 25.0), (70, 25.0)),
        *((70, 30.0), (1, 30.0), (70, 30.0)),
    ]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["protocol=roth"], "protocol must be none, ava or columbia"),
        (["protocol=columbia"], "dataset=ava has no protocol=columbia; it has protocol=ava"),
        (["writers=[json]"], "protocol=ava knows faces by their labels"),
        (
            ["scorer=lr_asd", "scorer.window_seconds=[1,2]"],
            r"protocol=ava scores with scorer.window_seconds=\[60\], but got \[1, 2\]",
        ),
        (["protocol=columbia", "faces=labelled"], "protocol=columbia finds the faces"),
    ],
)
def test_what_does_not_go_together(words, more, says):
    with pytest.raises(ConfigError, match=says) as caught:
        evaluated([*words, *more])
    assert caught.value.hint or "must be" in says


def test_datasets_without_a_protocol_refuse_one(options):
    with pytest.raises(ConfigError, match="dataset=dialogue has no protocol=ava, and no other"):
        evaluated([*options, "protocol=ava"])


@pytest.mark.parametrize(("protocol", "windows"), [("ava", [60]), ("columbia", [1, 2, 3, 4, 5, 6])])
def test_windows_are_those_of_the_protocol(protocol, windows):
    words = ["dataset=ava", "dataset.truth=t", "dataset.videos=v", "scorer=lr_asd"]
    plan = make_dataset_plan(EVALUATE, compose_app(EVALUATE, [*words, f"protocol={protocol}"]))
    assert plan.settings["scorer"]["window_seconds"] == windows
    assert plan.options.faces == ("labelled" if protocol == "ava" else "found")


def test_a_dataset_must_keep_its_word():
    video = LabelledVideo("one", None)
    assert "no Published" in refusal(PluginError, under, "ava", "dataset=mine", video)


def test_rows_pooled_of_what_ranks_them():
    def judged(**more):
        zeros = np.zeros(2)
        return Judged(
            np.array(["a", "b"]), zeros, zeros > 0, np.float32([[0, 1], [0, -np.inf]]), zeros > 0,
            zeros == 0, zeros, np.int64([1, 1]), **more,
        )  # fmt: skip

    both = Judged.pooled([judged(ranked_by=[0.5, 0.25]), judged()])
    assert both.score.tolist() == [0.5, 0.25, 1, -np.inf]
    assert Judged.pooled([judged(), judged()]).ranked_by is None
    with pytest.raises(ValueError, match=r"Judged.ranked_by must not be nan"):
        judged(ranked_by=[np.nan, 0])


def test_crops_that_are_missing(words, data, tmp_path):
    import shutil

    shutil.copytree(data / "crops", tmp_path / "crops")
    for path in (tmp_path / "crops/clips_videos/two/two:left").glob("1.*.jpg"):
        path.unlink()
    with pytest.raises(InputError, match=r"two:left holds no crop near 1\.0"):
        evaluated(of_crops(words, tmp_path))


def test_columbia_is_evaluated_by_its_script(options, folder):
    """The face on the left speaks, so the label of its person does, whatever asdkit decides."""
    Path("labels").mkdir()
    for person, x in (("bell", 4), ("sick", 52), ("abbas", 52)):
        lines = [f"{k}\t{x}\t10\t42\t{int((x < 48) == (k < 48))}\n" for k in range(85)]
        Path("labels", f"{person}.txt").write_text("".join(lines))
    panel = ["dataset=columbia", "dataset.labels=labels", f"dataset.video={folder / 'one.mp4'}"]
    words = [*panel, *options[1:], "foreign_sound=false"]
    found = evaluated([*words, "protocol=columbia"], "out")
    assert found["metrics"]["rows"] == 170
    assert sorted(found["metrics"]["per_person"]) == ["bell", "sick"]
    assert found["measure"]["value"] > 0.6
    rows = lines_of(Path("out/frames.csv"))
    assert all((float(row["score"]) > 0) == (row["decided"] == "1") for row in rows)
    assert not Path("out/predictions.csv").exists()
    plain = evaluated(words, "plain")
    assert sorted(plain["metrics"]["per_person"]) == ["abbas", "bell", "sick"]
    assert plain["cost"] == found["cost"], "the same scores, kept from the first"
    # Who never speaks counts as 0 in the script, and is left out without the protocol.
    Path("labels/lieb.txt").write_text("".join(f"{k}\t4\t10\t42\t0\n" for k in range(85)))
    third = evaluated([*words, "protocol=columbia"], "third")
    assert third["measure"]["value"] == pytest.approx(found["measure"]["value"] * 2 / 3)
    left_out = evaluated(words, "third_plain")["metrics"]
    each = [one["f1"] for one in left_out["per_person"].values() if one["positives"]]
    assert left_out["f1_per_person_mean"] == pytest.approx(sum(each) / 3)


@pytest.mark.parametrize("name", ["random", "rare", "all_positive"])
def test_the_rules_used_here_are_the_official_ones(shared, name):
    folder = shared("reference/ava")
    found = 100 * by_the_rules(folder / f"{name}_truth.csv", folder / f"{name}_predictions.csv")
    expected = json.loads((folder / "expected.json").read_text())[name]
    assert found == pytest.approx(expected, abs=1e-6)
