"""Pixels that are not square: faces are seen as they are, boxes tell of what is stored."""

from __future__ import annotations

import json
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from synth import write_video

import asdkit
from asdkit.core.media.encode import Look, Mp4Writer
from asdkit.core.media.picture import frames
from asdkit.core.media.probe import probe

BOX = [20.0, 24.0, 40.0, 64.0]


def oblong(path, pictures, aspect):
    """A video of pictures (h, w, 3) whose pixels are so much wider than high."""
    with Mp4Writer(path, Fraction(25), look=Look(pixel_aspect=aspect)) as video:
        for k, image in enumerate(pictures):
            video.add(image, Fraction(k, 25), Fraction(k + 1, 25))
    return path


def run(path, folder, *words):
    return asdkit.run(path, [f"output={folder}", "scorer=lip_motion", "allow_silent=true", *words])


@pytest.mark.parametrize("aspect", [Fraction(2), Fraction(8, 9)])
def test_boxes_of_a_file_are_in_stored_pixels_and_drawn_there(tmp_path, aspect):
    source = oblong(tmp_path / "a.mp4", [np.full((96, 80, 3), 90, np.uint8)] * 20, aspect)
    assert probe(source, allow_silent=True).info.pixel_aspect == pytest.approx(float(aspect))
    (tmp_path / "boxes.json").write_text(json.dumps([[[*BOX, 1.0]]] * 20))
    words = ["detector=boxes", f"detector.path={tmp_path}/boxes.json", "writers=[json,annotated]"]
    found = run(source, tmp_path / "out", *words)
    assert [track.boxes[5].tolist() for track in found.tracks] == [BOX]
    assert json.loads((tmp_path / "out/result.json").read_text())["tracks"][0]["boxes"][5] == BOX
    with av.open(str(tmp_path / "out/annotated.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (80, 96)
        assert stream.sample_aspect_ratio == aspect
        image = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)][5]
    edges = np.abs(image.astype(int) - 90).max(2) > 60
    columns = np.nonzero(edges[45:60])[1]
    assert set(columns) <= {*range(17, 24), *range(37, 44)}


def test_faces_of_an_anamorphic_clip(shared, tmp_path, monkeypatch):
    """The same clip in half as many columns: the same faces, in half the width."""
    weights = shared("weights/face_detection_yunet_2023mar.onnx")
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(weights.parent))
    pictures = []
    for frame in frames(probe(shared("clips/dialogue_small.mp4")), end_s=1.0):
        pictures.append(frame.image)
    narrow = [cv2.resize(image, (320, 360), interpolation=cv2.INTER_AREA) for image in pictures]
    wide = run(oblong(tmp_path / "a.mp4", pictures, Fraction(1)), tmp_path / "a", "writers=[]")
    squeezed = run(oblong(tmp_path / "b.mp4", narrow, Fraction(2)), tmp_path / "b", "writers=[]")
    assert len(wide.tracks) == len(squeezed.tracks) == 2
    for one, other in zip(wide.tracks, squeezed.tracks, strict=True):
        assert len(one) == len(other)
        assert np.abs(one.boxes - other.boxes * (2, 1, 2, 1)).max() < 8


def test_a_box_outside_the_picture_is_told_of(tmp_path):
    """A file made of another size of the video; nothing is written."""
    source = write_video(tmp_path / "a.mkv", frames=20)
    (tmp_path / "boxes.json").write_text(json.dumps([[], [[500, 20, 540, 60, 1.0]]]))
    words = ["detector=boxes", f"detector.path={tmp_path}/boxes.json"]
    with pytest.raises(asdkit.AsdError) as caught:
        run(source, tmp_path / "out", *words)
    said = str(caught.value)
    assert said.startswith("detector=boxes (asdkit ")
    assert "frame 1 has a face at [500.0, 20.0, 540.0, 60.0]" in said
    assert "outside the picture of 96x64" in said
    assert not (tmp_path / "out").exists()


def test_where_no_face_is_found_it_is_said_how_large_one_has_to_be(shared, tmp_path, monkeypatch):
    weights = shared("weights/face_detection_yunet_2023mar.onnx")
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(weights.parent))
    source = write_video(tmp_path / "a.mkv", frames=3, size=(1920, 320))
    found = run(source, tmp_path / "out", "detector=yunet", "writers=[]")
    (note,) = (note for note in found.video.notes if "No face was found" in note)
    assert "in a picture of 1920x320 detector=yunet (asdkit " in note
    assert "finds faces from about 48 px on; a smaller detector.min_face_px finds smaller" in note
