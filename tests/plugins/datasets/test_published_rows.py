"""AVA's published evaluation of one video: rates, clips and rows."""

from __future__ import annotations

import numpy as np
import pytest
from by_hand import result, track
from judging import make
from synth import clicks, number_of, write_video
from test_ava import SILENT, SPEAKS, ava_truth, crops

from asdkit.core.ava_csv import AvaRows
from asdkit.core.labels import LabelledFace, Published
from asdkit.plugins.datasets.published_rows import judge_rows, rate_of


def rows_of(times, faces=None, speaks=None) -> AvaRows:
    n = len(times)
    label = np.where(np.zeros(n, bool) if speaks is None else speaks, SPEAKS, SILENT)
    return AvaRows(
        np.arange(n),
        np.full(n, "movie"),
        np.array(times, float),
        np.tile([0.1, 0.2, 0.3, 0.6], (n, 1)),
        label,
        np.full(n, "a") if faces is None else np.array(faces),
    )


@pytest.mark.parametrize(
    ("fps", "told"),
    [(25, 25), (24, 24), (30, 30), (30000 / 1001, 30), (50, 50), (27.3, 27.3), (12.5, 12.5)],
)
def test_the_rate_of_labels_with_two_decimals(fps, told):
    times = [round(7.03 + k / fps, 2) for k in range(120)]
    gap = [round(30 + k / fps, 2) for k in range(120)]  # the same face again, later
    assert rate_of(rows_of([*gap, *times])) == pytest.approx(told, rel=2e-3)


def test_the_rate_of_single_labels():
    assert rate_of(rows_of([1.0, 2.0], faces=["a", "b"])) == 25
    assert rate_of(rows_of([1.0])) == 25


def test_the_clip_of_a_face_in_a_video(tmp_path):
    """At 30 fps each label shows its own picture, the box alone; sound from first to last label."""
    sound = clicks([1.0], 3.0, 16_000)
    path = tmp_path / "movie.mkv"
    write_video(path, fps=30, frames=90, sounds=[(0, sound)], sound_rate=16_000)
    text = "".join(f"movie,{10 + k / 30:.2f},0,0,1,1,{SPEAKS},movie:1\n" for k in range(29, 60))
    (tmp_path / "truth.csv").write_text(text)
    dataset = make("ava", truth=tmp_path / "truth.csv", videos=tmp_path, offset_s=10)
    (video,) = dataset.videos()
    (face,) = video.published.faces
    (clip,) = face.clips()
    assert clip.fps == 30
    pictures = np.repeat(clip.faces[..., None], 3, axis=3)
    assert [number_of(picture) for picture in pictures] == list(range(29, 60))
    assert np.array_equal(clip.sound, sound[int(0.97 * 16_000) : int(1.97 * 16_000)])
    assert (face.first_frame, len(face.boxes)) == (24, 31)
    assert video.published.source == path
    assert dataset.protocol == "ava"


def test_the_clip_of_a_box_beyond_the_picture(tmp_path):
    write_video(tmp_path / "movie.mkv", frames=3)
    times = [f"movie,{k / 25},{box},{SPEAKS},movie:{k}\n" for k, box in enumerate(
        ("-0.5,0.9,0.5,1.5", "0.5,0.5,0.5,0.5", "1.2,1.2,1.4,1.4")
    )]  # fmt: skip
    (tmp_path / "truth.csv").write_text("".join(times))
    (video,) = make("ava", truth=tmp_path / "truth.csv", videos=tmp_path).videos()
    clips = [face.clips()[0] for face in video.published.faces]
    assert [clip.faces.shape for clip in clips] == [(1, 112, 112)] * 3
    assert [len(clip.sound) for clip in clips] == [640] * 3  # of a single label: one frame


def test_the_clip_of_stored_crops(tmp_path):
    """With a gap between labels it is one clip, of the labels one after the other."""
    crops(tmp_path, "movie_l:1")
    numbers = [*range(20), *range(40, 60)]
    lines = [("movie", round(5 + k / 25, 2), 0.125, SPEAKS, "l:1") for k in numbers]
    (video,) = make("ava", truth=ava_truth(tmp_path, *lines), crops=tmp_path).videos()
    (face,) = video.published.faces
    (clip,) = face.clips()
    assert clip.faces[:, 50, 50].tolist() == pytest.approx(numbers, abs=1)
    assert np.array_equal(clip.sound, np.arange(41 * 640) % 20_000)  # stored beyond that
    assert video.published.source is None


def test_rows_are_judged_by_their_faces(tmp_path):
    rows = rows_of([2.0, 1.0, 1.0, 3.0], ["a", "a", "b", "c"], [True, False, False, False])
    boxes = rows.boxes * 100
    places = [np.array([1, 0]), np.array([2]), np.array([3])]
    logits = np.array([[40, 0], [-1, 39]], np.float32)
    one = track(0, 25, boxes[:2], speaking=((1.04, 1.08),))
    object.__setattr__(one, "logits", np.zeros((2, 2), np.float32))
    object.__setattr__(one, "uncalibrated", logits)
    judged = judge_rows(rows, rows.time_s, boxes, places, result(one, track(1, 25, boxes[2:3])))
    assert judged.score.tolist() == pytest.approx([1, np.exp(-40), 0.5, -np.inf], rel=1e-9)
    assert judged.decided.tolist() == [True, False, False, False]
    assert judged.found.tolist() == [True, True, True, False]
    assert judged.on_screen.tolist() == [1, 2, 2, 1]
    assert judged.truth.tolist() == [True, False, False, False]
    assert set(judged.face_px.round()) == {40}
    with pytest.raises(ValueError, match=r"Published.faces must have clips"):
        Published(lambda _: judged, (LabelledFace(0, boxes),))
