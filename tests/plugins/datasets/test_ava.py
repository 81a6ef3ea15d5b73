"""AVA-ActiveSpeaker: labelled boxes, crops and predictions."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from by_hand import result, track
from judging import make, rows
from scipy.io import wavfile
from synth import write_video

from asdkit import testing
from asdkit.core.errors import InputError
from asdkit.core.evaluation.metrics import average_precision
from asdkit.core.labels import Judged
from asdkit.core.types import CLIP_FRAMES

HEADER = (
    "video_id,frame_timestamp,entity_box_x1,entity_box_y1,entity_box_x2,entity_box_y2,"
    "label,entity_id\n"
)
SPEAKS, MOUTHS, SILENT = "SPEAKING_AUDIBLE", "SPEAKING_NOT_AUDIBLE", "NOT_SPEAKING"


def ava_truth(folder: Path, *lines: tuple, name: str = "truth.csv") -> Path:
    """Lines (video, time, x1 relative, label, entity); boxes are 0.25 wide and 0.5 high."""
    path = folder / name
    text = "".join(
        f"{video},{time_s},{x},0.25,{x + 0.25},0.75,{label},{video}_{entity}\n"
        for video, time_s, x, label, entity in lines
    )
    path.write_text(HEADER + text)
    return path


def left_and_right(offset_s: float = 0.0) -> list[tuple]:
    """Two faces in 0.2 s of "movie": the left one speaks, unheard at the end."""
    times = [offset_s + k / 25 for k in range(5)]
    left = [("movie", t, 0.125, SPEAKS if k < 3 else MOUTHS, "l:1") for k, t in enumerate(times)]
    return left + [("movie", t, 0.625, SILENT, "r:2") for t in times]


def test_ava_matches_boxes_and_judges(tmp_path):
    write_video(tmp_path / "movie.mkv", frames=10)
    write_video(tmp_path / "other.mkv", frames=10)  # of no label
    truth = ava_truth(tmp_path, *left_and_right())
    (video,) = make("ava", truth=truth, videos=tmp_path).videos()
    assert (video.name, video.path) == ("movie", tmp_path / "movie.mkv")
    # In pixels of 96x64, the left face is 12..36 and 16..48, the right one 60..84.
    moved = [15, 16, 39, 48]  # 21 of 27 shared: 0.78
    far = [72, 16, 96, 48]  # 12 of 36 shared: 0.33
    judged = video.judge(
        result(
            track(0, 0, [moved] * 4, 2.0, speaking=((0, 0.08),)),
            track(1, 0, [far] * 5, 3.0),
            track(2, 1, [[13, 16, 37, 48]], 4.0),  # closer, in one frame
        )
    )
    lost = float("-inf")
    left, right = "movie_l:1", "movie_r:2"
    assert [row for row in rows(judged) if row[0] == left] == [
        (left, 0.0, True, 2, True, True),
        (left, 0.04, True, 4, False, True),
        (left, 0.08, True, 2, False, True),
        (left, 0.12, False, 2, False, True),
        (left, 0.16, False, lost, False, False),
    ]
    assert {row[2:] for row in rows(judged) if row[0] == right} == {(False, lost, False, False)}
    assert judged.on_screen.tolist() == [2] * 10
    assert judged.face_px.tolist() == [32] * 10  # the labelled face's
    assert judged.unlabelled == 1 + 5
    loose = make("ava", truth=truth, videos=tmp_path, iou_threshold=0.3).videos()[0]
    assert loose.judge(result(track(1, 0, [far] * 5))).found.sum() == 5


def test_ava_gives_the_labelled_faces(tmp_path):
    write_video(tmp_path / "movie.mkv", frames=100)
    lines = [("movie", 900 + t, 0.125 + t / 10, SPEAKS, "l:1") for t in (0, 0.05, 0.09, 1, 1.04)]
    videos = make("ava", truth=ava_truth(tmp_path, *lines), videos=tmp_path, offset_s=900).videos()
    first, second = videos[0].faces
    assert (first.first_frame, len(first.boxes)) == (0, 3)
    np.testing.assert_allclose(first.boxes[1], [0.129 * 96, 16, 0.379 * 96, 48])
    assert (second.first_frame, len(second.boxes)) == (25, 2)
    assert first.clips is None
    # A face that stands where the labels say is found in each of them.
    found = [track(k, face.first_frame, face.boxes) for k, face in enumerate(videos[0].faces)]
    judged = videos[0].judge(result(*found))
    assert judged.found.all()
    assert judged.unlabelled == 0


def test_ava_labels_outside_the_video(tmp_path):
    write_video(tmp_path / "movie.mkv", frames=10)
    truth = ava_truth(tmp_path, *left_and_right(900))
    with pytest.raises(
        InputError, match=r"truth.csv has a label at 900.16 s .* lasts 0.40 s"
    ) as caught:
        make("ava", truth=truth, videos=tmp_path).videos()
    assert "dataset.offset_s" in caught.value.hint
    assert len(make("ava", truth=truth, videos=tmp_path, offset_s=900).videos()) == 1
    with pytest.raises(InputError, match=r"a label at -100.00 s"):
        make("ava", truth=truth, videos=tmp_path, offset_s=1000).videos()


def test_ava_files_that_are_missing_or_wrong(tmp_path):
    truth = ava_truth(tmp_path, *left_and_right())
    with pytest.raises(InputError, match=r"holds no video movie\.\*, but .*truth.csv"):
        make("ava", truth=truth, videos=tmp_path).videos()
    with pytest.raises(InputError, match="nowhere"):
        make("ava", truth=truth, videos=tmp_path / "nowhere").videos()
    with pytest.raises(InputError, match=r"missing\.csv"):
        make("ava", truth=tmp_path / "missing.csv", videos=tmp_path).videos()
    again = ava_truth(tmp_path, *left_and_right(), left_and_right()[7])
    with pytest.raises(InputError, match=r"truth.csv:12 labels a face at one moment again"):
        make("ava", truth=again, videos=tmp_path).videos()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "^videos, crops or predictions"),
        ({"videos": "a", "crops": "b"}, "only one of them"),
        ({"videos": "a", "iou_threshold": 0.0}, "iou_threshold"),
        ({"videos": "a", "iou_threshold": 1.1}, "iou_threshold"),
        ({"videos": "a", "max_gap_s": 0.0}, "max_gap_s"),
    ],
)
def test_ava_options_out_of_range(parameters, message):
    with pytest.raises(ValueError, match=message):
        make("ava", truth="truth.csv", **parameters)


def predictions(folder: Path, truth: Path, scores: list[float]) -> Path:
    path = folder / "predictions.csv"
    lines = truth.read_text().splitlines()[1:]
    text = "".join(
        f"{','.join(line.split(',')[:6])},{SPEAKS},{line.split(',')[7]},{score}\n"
        for line, score in zip(lines, scores, strict=True)
    )
    path.write_text(HEADER[:-1] + ",score\n" + text)
    return path


def test_ava_predictions_are_judged_as_they_are(tmp_path):
    truth = ava_truth(tmp_path, *left_and_right())
    scores = [0.75, 1.0, 0.0, 0.5, 0.2, 0.1, 0.1, 0.1, 0.1, "-inf"]
    dataset = make("ava", truth=truth, predictions=predictions(tmp_path, truth, scores))
    (judged,) = dataset.predicted.values()
    assert dataset.videos() == []
    assert judged.truth.tolist() == [True] * 3 + [False] * 7
    np.testing.assert_allclose(judged.probability[:9], scores[:9], atol=1e-7)
    assert judged.decided.tolist() == [True, True, False, True] + [False] * 6
    assert judged.found.tolist() == [True] * 9 + [False]
    assert judged.on_screen.tolist() == [2] * 10
    assert np.isnan(judged.face_px).all()


def test_ava_predictions_beyond_0_to_1_are_logits(tmp_path):
    truth = ava_truth(tmp_path, *left_and_right())
    path = predictions(tmp_path, truth, [-2, 1.5, 0, *[-1] * 7])
    (judged,) = make("ava", truth=truth, predictions=path).predicted.values()
    assert judged.score.tolist() == [-2, 1.5, 0, *[-1] * 7]
    assert judged.decided.tolist() == [False, True, True] + [False] * 7
    with pytest.raises(InputError, match="rows"):
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(lines[:-1]))
        assert make("ava", truth=truth, predictions=path).predicted


@pytest.mark.parametrize("name", ["random", "rare", "all_positive"])
def test_ava_predictions_have_the_official_average_precision(shared, name):
    folder = shared("reference/ava")
    expected = json.loads((folder / "expected.json").read_text())[name]
    truth, path = (folder / f"{name}_{kind}.csv" for kind in ("truth", "predictions"))
    judged = Judged.pooled(list(make("ava", truth=truth, predictions=path).predicted.values()))
    found = 100 * average_precision(judged.score, judged.truth)
    assert found == pytest.approx(expected, abs=1e-6)


def test_ava_without_predictions_has_none(tmp_path):
    assert make("ava", truth=tmp_path, videos=tmp_path).predicted is None


def crops(folder: Path, entity: str, split: str = "", *, rate: int = 16_000, seconds: float = 3):
    """Crops every 1/25 s, as bright as their number, and a sound that counts its samples."""
    pictures = folder / "clips_videos" / split / "movie" / entity
    sounds = folder / "clips_audios" / split / "movie"
    pictures.mkdir(parents=True)
    sounds.mkdir(parents=True, exist_ok=True)
    for k in range(round(seconds * 25)):
        cv2.imwrite(
            str(pictures / f"{5 + k / 25:.2f}.jpg"), np.full((32, 24, 3), k % 250, np.uint8)
        )
    samples = (np.arange(round(seconds * rate)) % 20_000).astype(np.int16)
    wavfile.write(sounds / f"{entity}.wav", rate, samples)
    return folder


@pytest.mark.parametrize(("entity", "split"), [("movie_l:1", ""), ("movie_l_1", "val")])
def test_ava_reads_crops_and_sound(tmp_path, entity, split):
    crops(tmp_path, entity, split)
    lines = [("movie", 5 + k / 25, 0.125, SPEAKS, "l:1") for k in range(75)]
    dataset = make("ava", truth=ava_truth(tmp_path, *lines), crops=tmp_path)
    (video,) = testing.check_dataset(dataset)
    assert video.path is None
    (face,) = video.faces
    assert (face.first_frame, len(face.boxes)) == (125, 75)
    # The crop of 24x32 px is 0.25 of the width and 0.5 of the height of the video: 96x64.
    np.testing.assert_allclose(face.boxes[0], [12, 16, 36, 48])
    (clip,) = face.clips()
    assert clip.faces[:, 50, 50].tolist() == pytest.approx(range(75), abs=1)
    assert np.array_equal(clip.sound, np.arange(48_000) % 20_000)
    assert clip.sound_before == 0
    assert not clip.sound_after.any()
    judged = video.judge(result(track(0, 125, face.boxes, 1.0), size=(0, 0)))
    assert judged.found.all()
    assert set(judged.face_px) == {32}


def test_ava_crops_of_a_long_face_with_a_gap(tmp_path):
    """A stretch that begins 1 s into the sound, and is longer than a clip may be."""
    crops(tmp_path, "movie_l:1", seconds=63)
    times = [0.0, *(k / 25 for k in range(25, 63 * 25))]
    lines = [("movie", 5 + t, 0.125, SPEAKS, "l:1") for t in times]
    dataset = make("ava", truth=ava_truth(tmp_path, *lines), crops=tmp_path, offset_s=5)
    short, long = dataset.videos()[0].faces
    assert (short.first_frame, len(short.boxes)) == (0, 1)
    assert (long.first_frame, len(long.boxes)) == (25, 62 * 25)
    first, second = long.clips()
    assert (len(first), len(second)) == (CLIP_FRAMES, 50)
    seam = 16_000 * 61
    assert first.sound[0] == 16_000
    assert first.sound_before == 0
    assert np.array_equal(first.sound_after, np.arange(seam, seam + 240) % 20_000)
    assert second.sound_before == (seam - 1) % 20_000
    assert second.sound[0] == seam % 20_000
    assert second.faces[0, 0, 0] == pytest.approx(61 * 25 % 250, abs=1)


def test_ava_crops_show_the_nearest_picture(tmp_path):
    """At 12.5 crops a second, each is seen twice."""
    folder = crops(tmp_path, "movie_l:1")
    for path in sorted((folder / "clips_videos/movie/movie_l:1").glob("*.jpg"))[1::2]:
        path.unlink()
    lines = [("movie", 5 + k / 12.5, 0.125, SPEAKS, "l:1") for k in range(10)]
    (video,) = make("ava", truth=ava_truth(tmp_path, *lines), crops=folder).videos()
    (clip,) = video.faces[0].clips()
    assert len(clip) == 19
    assert set(clip.faces[:, 0, 0].tolist()) == set(range(0, 20, 2))


def test_ava_resamples_the_sound_of_crops(tmp_path):
    crops(tmp_path, "movie_l:1", rate=48_000)
    tone = np.sin(2 * np.pi * 440 * np.arange(3 * 48_000) / 48_000) * 10_000
    stereo = np.stack([tone, tone], 1).astype(np.int16)
    wavfile.write(tmp_path / "clips_audios/movie/movie_l:1.wav", 48_000, stereo)
    lines = [("movie", 5 + k / 25, 0.125, SPEAKS, "l:1") for k in range(75)]
    (video,) = make("ava", truth=ava_truth(tmp_path, *lines), crops=tmp_path).videos()
    (clip,) = video.faces[0].clips()
    expected = np.sin(2 * np.pi * 440 * np.arange(48_000) / 16_000) * 10_000
    assert np.abs(clip.sound[500:-500] - expected[500:-500]).max() < 300


def test_ava_crops_that_are_missing_or_wrong(tmp_path):
    folder = tmp_path / "crops"
    lines = [("movie", 5 + k / 25, 0.125, SPEAKS, "l:1") for k in range(50)]
    truth = ava_truth(tmp_path, *lines)
    dataset = make("ava", truth=truth, crops=folder, max_gap_s=0.21)
    with pytest.raises(InputError, match="clips_videos has nothing of the video movie"):
        dataset.videos()
    crops(folder, "movie_r:2")
    with pytest.raises(InputError, match="lacks the crops or the sound of movie_l:1"):
        dataset.videos()
    crops(folder, "movie_l:1")
    (video,) = dataset.videos()
    sound = folder / "clips_audios/movie/movie_l:1.wav"
    sound.write_bytes(b"no sound")
    with pytest.raises(InputError, match=r"movie_l:1.wav is not a video or sound file"):
        video.faces[0].clips()
    sound.unlink()
    with pytest.raises(InputError, match="lacks the crops or the sound of movie_l:1"):
        dataset.videos()
    pictures = sorted((folder / "clips_videos/movie/movie_l:1").glob("*.jpg"))
    for path in pictures[20:]:
        path.unlink()
    with pytest.raises(InputError, match=r"holds no crop near 6.00 s"):
        video.faces[0].clips()
    pictures[0].write_bytes(b"no picture")
    (pictures[0].parent / "zero.jpg").touch()
    with pytest.raises(InputError, match=r"not named by its time: .*zero"):
        video.faces[0].clips()
    for path in pictures[0].parent.glob("*.jpg"):
        path.unlink()
    with pytest.raises(InputError, match="holds no crop"):
        video.faces[0].clips()


def test_ava_crops_of_boxes_without_a_size(tmp_path):
    crops(tmp_path, "movie_l:1")
    truth = ava_truth(tmp_path, ("movie", 5, 0.125, SPEAKS, "l:1"))
    truth.write_text(truth.read_text().replace("0.375", "0.125"))
    with pytest.raises(InputError, match=r"No box of movie in .*truth.csv has a size"):
        make("ava", truth=truth, crops=tmp_path).videos()


def test_ava_crop_that_is_no_picture(tmp_path):
    crops(tmp_path, "movie_l:1")
    for path in (tmp_path / "clips_videos/movie/movie_l:1").glob("*.jpg"):
        path.write_bytes(b"no picture")
    lines = [("movie", 5 + k / 25, 0.125, SPEAKS, "l:1") for k in range(50)]
    with pytest.raises(InputError, match="cannot be read as a picture"):
        make("ava", truth=ava_truth(tmp_path, *lines), crops=tmp_path).videos()
