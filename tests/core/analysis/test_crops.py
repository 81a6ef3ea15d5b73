"""Smoothing and crops, as the reference makes them."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import medfilt

from asdkit.core.analysis.crops import Smoother, centre_and_half_size, crop, face

GREY = 110


def smoothed_in_pieces(boxes: np.ndarray, cuts: list[int]) -> np.ndarray:
    smoother = Smoother()
    rows = [smoother.add(part) for part in np.split(boxes, cuts)]
    return np.concatenate([*rows, smoother.finish()])


@settings(max_examples=50)
@given(st.data())
def test_smoothing_in_pieces_is_smoothing_at_once(data):
    n = data.draw(st.integers(1, 40))
    seed = data.draw(st.integers(0, 99))
    cuts = sorted(data.draw(st.lists(st.integers(0, n), max_size=5)))
    corners = np.random.default_rng(seed).uniform(0, 500, (n, 2))
    boxes = np.concatenate([corners, corners + np.array([40, 60])], 1)
    rows = smoothed_in_pieces(boxes, cuts)
    padded = np.pad(centre_and_half_size(boxes), ((6, 6), (0, 0)), mode="edge")
    want = np.stack([medfilt(column, 13)[6:-6] for column in padded.T], 1)
    assert rows == pytest.approx(want)


def test_the_square_reaches_further_down_and_to_the_sides_than_up():
    image = np.zeros((400, 400, 3), np.uint8)
    image[150:280, 130:270] = 200  # y from y - s to y + 1.8 s, x from x - 1.4 s to x + 1.4 s
    square = crop(image, x=200, y=200, half_size=50, crop_scale=0.4)
    assert square.shape == (224, 224, 3)
    assert (square[:160] == 200).all()
    assert crop(image, 200, 199, 50, 0.4)[0].max() < 200


@pytest.mark.parametrize(("x", "y", "side"), [(0, 50, "left"), (99, 50, "right"), (50, 0, "top")])
def test_outside_the_picture_is_grey(x, y, side):
    image = np.full((100, 100, 3), 255, np.uint8)
    square = crop(image, x, y, half_size=30, crop_scale=0.4)
    edge = {"left": square[:, 0], "right": square[:, -1], "top": square[0]}[side]
    assert (edge == GREY).all()


@settings(max_examples=100)
@given(
    x=st.floats(-100, 300),
    y=st.floats(-100, 300),
    half=st.floats(0, 400),
    scale=st.floats(0, 1),
    height=st.integers(1, 120),
    width=st.integers(1, 120),
)
def test_any_face_gives_a_crop_of_the_padded_picture(x, y, half, scale, height, width):
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    got = face(image, x, y, half, scale)
    assert got.shape == (112, 112)
    assert got.dtype == np.uint8
    # Only the middle of the square is looked at, and it is that of the whole square.
    middle = slice(56, 168)
    whole = crop(image, x, y, half, scale)[middle, middle]
    grey = whole @ np.array([0.2989, 0.587, 0.114])
    assert np.abs(got - np.floor(grey)).max() <= 1


def test_a_square_far_larger_than_the_picture_is_not_made_whole(monkeypatch):
    """What it shows is the same, to a pixel of the crop at its edges."""
    image = np.full((60, 90, 3), 250, np.uint8)
    whole = crop(image, 45, 30, 200, 0.4)
    monkeypatch.setattr("asdkit.core.analysis.crops._MOST_PADDED_PX", 0)
    quick = crop(image, 45, 30, 200, 0.4)
    assert quick.shape == whole.shape
    differs = (np.abs(quick.astype(int) - whole) > 20).any(2)
    assert differs.mean() < 0.01
    assert (quick == 250).any()
    assert crop(image, 45, 30, 1e7, 0.4).shape == (224, 224, 3)
    assert (crop(image, 1e8, 30, 1e7, 0.4)[:, :100] == GREY).all()


def test_meets_the_reference(shared):
    """Tracks, smoothing and crops of the real clip, against the reference's figures."""
    import json

    from asdkit.core.media.picture import frames
    from asdkit.core.media.probe import probe
    from asdkit.core.types import Detections
    from asdkit.plugins.trackers.iou import IouConfig, IouTracker

    reference = np.load(shared("reference/dialogue.pipeline.npz"))
    rows = json.loads(shared("reference/dialogue.detections.json").read_text())
    pictures = [f.image for f in frames(probe(shared("clips/dialogue.mp4")))]
    tracker = IouTracker(IouConfig())
    pieces = []
    for shot in ((0, 150), (150, 225)):
        for index in range(*shot):
            array = np.array(rows[index]).reshape(-1, 5)
            pieces += tracker.update(index, Detections(array[:, :4], array[:, 4]))
        pieces += tracker.flush()
    boxes: dict[int, list[np.ndarray]] = {}
    first = {}
    for piece in pieces:
        boxes.setdefault(piece.track, []).append(piece.boxes)
        first.setdefault(piece.track, piece.first_frame)
    tracks = {number: np.concatenate(parts) for number, parts in boxes.items()}
    assert len(tracks) == 3
    for i in range(3):
        number = next(
            n
            for n, track in tracks.items()
            if first[n] == reference[f"track{i}_frame"][0]
            and np.allclose(track[0], reference[f"track{i}_bbox"][0], atol=1e-6)
        )
        assert tracks[number] == pytest.approx(reference[f"track{i}_bbox"], abs=1e-6)
        rows_ = smoothed_in_pieces(tracks[number], [])
        inner = slice(6, -6)
        for column, name in enumerate("xys"):
            want = reference[f"track{i}_{name}"]
            assert rows_[inner, column] == pytest.approx(want[inner], abs=1e-6)
        whole = reference[f"track{i}_crop224_bgr_first_middle_last"][1]
        middle = len(rows_) // 2
        got = crop(pictures[first[number] + middle], *rows_[middle], 0.4)[..., ::-1]
        assert (got == whole).all()
        sums = [
            zlib.crc32(crop(pictures[first[number] + k], *rows_[k], 0.4)[..., ::-1].tobytes())
            for k in range(6, len(rows_) - 6)
        ]
        assert sums == list(reference[f"track{i}_crop224_crc32_per_frame"][inner])
