"""Faces to train on: crops of a dataset, and faces cut from videos once and kept."""

from __future__ import annotations

import errno
import os
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from judging import make
from learning import arrays_of
from refusing import refusal
from scipy.io import wavfile
from synth import write_video

from asdkit.core.analysis.crops import face as crop_of
from asdkit.core.errors import ConfigError, InputError, OutputError
from asdkit.core.evaluation.checked_dataset import videos_of
from asdkit.core.files import claim
from asdkit.core.labels import LabelledFace, LabelledVideo
from asdkit.core.matching import Label
from asdkit.core.progress import silent
from asdkit.core.types import CLIP_FRAMES, Clip
from asdkit.plugins.datasets.ava import judge_boxes
from asdkit.training.augment import Augment
from asdkit.training.batches import Batches
from asdkit.training.examples import examples_of
from asdkit.training.faces import VideoFaces, usual_plan
from asdkit.training.kept_faces import ROW, KeptFace, Recorder, rows_of
from asdkit.training.loader import Loader

FRAMES = 40
RAMP = (np.arange(FRAMES / 25 * 16_000) - 12_000).astype(np.int16)
"""A sound of which each sample is another one."""


def picture(number: int, width: int, height: int) -> np.ndarray:
    """One that is smooth, so that codecs and resizing change little, and changes slowly."""
    rows, columns = np.indices((height, width))
    return np.stack([rows + columns, rows * 2, columns + 2 * number], 2).astype(np.uint8)


def video_with_faces(folder: Path, name: str = "talk", faces: int = 2) -> LabelledVideo:
    """A video of faces that stay where they are, from frames 5 and 10 on."""
    path = write_video(
        folder / f"{name}.mkv",
        frames=FRAMES,
        size=(160, 120),
        image=picture,
        sounds=[(0.0, RAMP)],
        sound_rate=16_000,
    )
    boxes = np.array([[20, 30, 60, 70], [100, 40, 130, 80]], float)
    given = tuple(LabelledFace(5 * (k + 1), np.tile(boxes[k], (25, 1))) for k in range(faces))
    labels = [
        Label(f"face {k}", (5 * (k + 1) + place) / 25, place % 2 == 0, boxes[k])
        for place in range(25)
        for k in range(faces)
    ]
    labels.sort(key=lambda label: label.time_s)
    return LabelledVideo(
        name, path, lambda result: judge_boxes(labels, result, iou_threshold=0.5), given
    )


class Cutting(VideoFaces):
    """Faces in a folder of their own, with what is said of them."""

    def __init__(self, folder: Path, limit_bytes: float = 1e9) -> None:
        self.said: list[str] = []
        plan = usual_plan(["device=cpu"])
        super().__init__(plan, limit_bytes, self.said.append, folder / "faces")


def kept(folder: Path) -> list[Path]:
    return sorted((folder / "faces").glob("*.faces"))


def test_labelled_faces_of_a_video_are_cut_as_an_evaluation_cuts_them(tmp_path):
    video = video_with_faces(tmp_path)
    one, other = examples_of([video], Cutting(tmp_path))
    assert [one.person, other.person] == ["face 0", "face 1"]
    assert one.labels.tolist() == [1, 0] * 12 + [1]
    clip = other.part(3, 20).read()
    assert clip.faces.shape == (17, 112, 112)
    for place in (0, 16):
        image = picture(10 + 3 + place, 160, 120)
        expected = crop_of(image, 115, 60, 20, 0.4)
        assert np.abs(clip.faces[place].astype(int) - expected).max() <= 4, "the codec's"
    begin = 13 * 640
    assert np.array_equal(clip.sound, RAMP[begin : begin + 17 * 640])
    assert clip.sound_before == RAMP[begin - 1]
    assert np.array_equal(clip.sound_after, RAMP[begin + 17 * 640 :][:240])
    whole = one.read()
    assert len(whole) == 25
    assert whole.sound_before == 0, "as at the begin of any track"


def test_faces_are_cut_once_whatever_is_trained(tmp_path):
    video = video_with_faces(tmp_path)
    first, again = Cutting(tmp_path), Cutting(tmp_path)
    clips = [one.read() for one in examples_of([video], first)]
    same = [one.read() for one in examples_of([video], again)]
    assert first.said == ["talk: 2 faces in 50 frames, cut"]
    assert again.said == ["talk: 2 faces in 50 frames, kept from an earlier training"]
    assert all(np.array_equal(a.faces, b.faces) for a, b in zip(clips, same, strict=True))
    assert len(kept(tmp_path)) == 1
    other = video_with_faces(tmp_path, faces=1)
    examples_of([other], again)
    assert again.said[-1] == "talk: 1 faces in 25 frames, cut", "other boxes"


def test_kept_faces_that_are_not_whole_are_cut_again(tmp_path):
    video = video_with_faces(tmp_path)
    (one, _) = examples_of([video], Cutting(tmp_path))
    (path,) = kept(tmp_path)
    os.truncate(path, ROW.itemsize * 10)
    text = refusal(InputError, one.read)
    assert f"The faces kept in {path} are not there any more, or not whole" in text
    again = Cutting(tmp_path)
    (one, _) = examples_of([video], again)
    assert again.said == ["talk: 2 faces in 50 frames, cut"]
    assert len(one.read()) == 25


def test_faces_that_are_too_many_to_be_kept_are_told_before_any_is_cut(tmp_path):
    videos = [video_with_faces(tmp_path, name) for name in ("a", "b")]
    few = Cutting(tmp_path, 99 * ROW.itemsize)
    text = refusal(ConfigError, examples_of, videos, few)
    assert text.startswith("The faces of these videos take 0.00143 GB, once they are cut")
    assert "Set cache_gb=1 or more" in text
    assert not few.said
    examples_of(videos, Cutting(tmp_path, 100 * ROW.itemsize))


def test_the_faces_of_earlier_trainings_make_room(tmp_path):
    videos = [video_with_faces(tmp_path, name) for name in ("a", "b", "c")]
    for number, video in enumerate(videos[:2]):
        examples_of([video], Cutting(tmp_path))
        for path in kept(tmp_path):
            if path.stat().st_mtime > 1e9:
                os.utime(path, (number, number))
    examples_of(videos[2:], Cutting(tmp_path, 100 * ROW.itemsize))
    assert len(kept(tmp_path)) == 2
    last = Cutting(tmp_path)
    examples_of(videos, last)
    assert [line.rpartition(", ")[2] for line in last.said] == [
        "cut",
        "kept from an earlier training",
        "kept from an earlier training",
    ], "the oldest was removed"


def test_room_is_needed_for_the_faces_of_both_datasets_of_a_training(tmp_path):
    cutting = Cutting(tmp_path, 99 * ROW.itemsize)
    examples_of([video_with_faces(tmp_path, "a")], cutting)
    text = refusal(ConfigError, examples_of, [video_with_faces(tmp_path, "b")], cutting)
    assert "cache_gb" in text
    assert len(cutting.said) == 1


def test_trainings_that_need_the_same_faces_wait_for_each_other(tmp_path):
    video, one, other = video_with_faces(tmp_path), Cutting(tmp_path), Cutting(tmp_path)
    (tmp_path / "faces").mkdir()
    held = claim(tmp_path / "faces/.cutting.lock")
    stages = []

    def tell(stage: str, done: int, total: int) -> None:
        stages.append(stage)
        if held.is_locked:
            held.release()
            other(video, silent)

    found = one(video, tell)
    assert stages == ["waiting for another training that cuts faces"]
    assert other.said == ["talk: 2 faces in 50 frames, cut"]
    assert len(kept(tmp_path)) == 1
    assert len(found.faces) == 2


def test_a_cache_that_cannot_be_written_to_is_told(tmp_path):
    video = video_with_faces(tmp_path)
    (tmp_path / "faces").write_text("a file")
    text = refusal(OutputError, Cutting(tmp_path), video, silent)
    assert text.startswith(f"Cannot write {tmp_path / 'faces'}")
    assert "ASDKIT_CACHE" in text


def test_a_full_disk_is_told_as_that_and_not_as_a_scorers_fault(tmp_path, monkeypatch):
    def full(recorder, clip):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Recorder, "_written", full)
    text = refusal(OutputError, Cutting(tmp_path), video_with_faces(tmp_path), silent)
    assert text.startswith("Cannot keep faces: No space left on device. Make room, or set ASDKIT")
    assert not kept(tmp_path)


def test_a_cutting_that_fails_leaves_nothing(tmp_path):
    video = video_with_faces(tmp_path)

    def stop(stage: str, done: int, total: int) -> None:
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Cutting(tmp_path)(video, stop)
    assert [path.name for path in (tmp_path / "faces").iterdir()] == [".cutting.lock"]


def test_faces_are_found_where_a_dataset_gives_none(tmp_path, shared, monkeypatch):
    """Two people side by side; the left one speaks first."""
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(shared("weights")))
    for path in shared("clips").glob("dialogue_small.*"):
        (tmp_path / path.name).symlink_to(path)
    cutting = VideoFaces(usual_plan(["detector=yunet"]), 1e9, folder=tmp_path / "faces")
    found = examples_of(make("dialogue", folder=tmp_path).videos(), cutting)
    assert [(one.person, len(one)) for one in found] == [("left", 150), ("right", 150)]
    left, right = (np.flatnonzero(one.labels == 1) for one in found)
    assert left.max() < right.min()
    assert found[0].read().faces.std() > 20


def clip_from(first: int, frames: int) -> Clip:
    """A clip whose frames and samples are numbered from `first` on."""
    faces = np.broadcast_to(
        (np.arange(first, first + frames) % 251)[:, None, None], (frames, 112, 112)
    )
    samples = np.arange(first * 640 - 1, (first + frames) * 640 + 240) % 30_000
    sound = samples.astype(np.int16)
    return Clip(faces.astype(np.uint8), sound[1:-240], int(sound[0]), sound[-240:])


def test_faces_longer_than_a_clip_are_read_across_the_seam(tmp_path):
    """The clips of two tracks take turns in the file."""
    file = BytesIO()
    recorder = Recorder(file)
    one = [clip_from(0, CLIP_FRAMES), clip_from(CLIP_FRAMES, 100)]
    other = [clip_from(7000, CLIP_FRAMES), clip_from(7000 + CLIP_FRAMES, 30)]
    scores = [recorder.score([a, b]) for a, b in zip(one, other, strict=True)]
    (tmp_path / "a.faces").write_bytes(file.getvalue())
    assert recorder.rows == 2 * CLIP_FRAMES + 130
    for number, first in ((0, 0), (1, 7000)):
        logits = np.concatenate([of_both[number].logits for of_both in scores])
        face = KeptFace.of(tmp_path / "a.faces", rows_of(logits))
        assert len(face.pieces) == 2
        for start, stop in ((0, 20), (1490, 1520), (1500, 1510), (1499, 1500)):
            found, expected = face.clip(start, stop), clip_from(first + start, stop - start)
            assert np.array_equal(found.faces, expected.faces)
            assert np.array_equal(found.sound, expected.sound)
            assert found.sound_before == expected.sound_before
            assert np.array_equal(found.sound_after, expected.sound_after)


def test_rows_are_told_exactly_in_files_of_any_size():
    numbers = np.array([0, 65_535, 65_536, 16_777_217, 2**31 + 1])
    logits = np.stack(np.divmod(numbers, 1 << 16), 1).astype(np.float32)
    assert rows_of(logits).tolist() == numbers.tolist()


def test_crops_of_a_dataset_are_read_in_parts(tmp_path):
    seam = CLIP_FRAMES
    clips = [clip_from(0, seam), clip_from(seam, 100)]
    face = LabelledFace(50, np.tile([10.0, 10, 30, 30], (seam + 100, 1)), lambda: clips)
    video = LabelledVideo("talk", None, faces=(face,))
    (found,) = Cutting(tmp_path)(video, silent).faces
    assert found.first_frame == 50
    for start, stop in ((0, 20), (1490, 1520), (1500, 1510), (1570, 1600)):
        part, expected = found.clip(start, stop), clip_from(start, stop - start)
        assert np.array_equal(part.faces, expected.faces)
        assert np.array_equal(part.sound, expected.sound)
        assert part.sound_before == expected.sound_before
        assert np.array_equal(part.sound_after, expected.sound_after)
    assert not (tmp_path / "faces").exists(), "they are not kept a second time"


def test_a_crop_that_is_missing_is_told_by_the_process_that_misses_it(tmp_path):
    """Faces of crops, and the functions that read them, travel to worker processes."""
    pictures, sounds = tmp_path / "clips_videos/talk/talk_l", tmp_path / "clips_audios/talk"
    pictures.mkdir(parents=True)
    sounds.mkdir(parents=True)
    wavfile.write(sounds / "talk_l.wav", 16_000, RAMP)
    lines = ["video_id,frame_timestamp,entity_box_x1,entity_box_y1,entity_box_x2,entity_box_y2"]
    lines[0] += ",label,entity_id"
    for number in range(FRAMES):
        time_s = f"{number / 25:.2f}"
        cv2.imwrite(str(pictures / f"{time_s}.jpg"), np.full((40, 40, 3), 6 * number, np.uint8))
        speaks = ["NOT_SPEAKING", "SPEAKING_AUDIBLE"][number % 2]
        lines.append(f"talk,{time_s},0.2,0.2,0.4,0.6,{speaks},talk_l")
    (tmp_path / "truth.csv").write_text("\n".join(lines))
    dataset = make("ava", truth=tmp_path / "truth.csv", crops=tmp_path)
    examples = examples_of(videos_of("dataset=ava (asdkit)", dataset), Cutting(tmp_path))
    batches = Batches(examples, arrays_of, 100, Augment.none, 0)
    with Loader(batches, workers=1) as loader:
        (batch,) = loader.epoch(1)
        assert batch.labels.tolist() == [[0, 1] * (FRAMES // 2)]
        faces, sound = batch.inputs
        assert faces[0, :, 50, 50].tolist() == pytest.approx(range(0, 6 * FRAMES, 6), abs=2)
        assert np.array_equal(sound[0], RAMP)
        for path in sorted(pictures.glob("*.jpg"))[10:]:
            path.unlink()
        text = refusal(InputError, lambda: list(loader.epoch(2)))
    assert "holds no crop near" in text
