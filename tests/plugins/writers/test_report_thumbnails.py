"""The pictures of faces in a report, and how little of the video is decoded for them."""

from __future__ import annotations

import base64
from dataclasses import replace
from importlib import import_module

import by_hand
import cv2
import numpy as np
import pytest
from browser import HALF, LEFT, RIGHT, data_in, picture, result_of_two, video_of_two, write_report
from synth import write_video

from asdkit.core.errors import ConfigError, InputError
from asdkit.core.loading import load
from asdkit.core.media.decoder import Decoder
from asdkit.core.media.probe import probe
from asdkit.core.progress import Teller
from asdkit.plugins.writers.report.thumbnails import thumbnails


def image_of(uri: str) -> np.ndarray:
    """(height, width, 3) uint8, RGB."""
    head, data = uri.split(",")
    assert head == "data:image/jpeg;base64"
    found = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    return cv2.cvtColor(found, cv2.COLOR_BGR2RGB)


@pytest.fixture
def decoded(monkeypatch) -> list[int]:
    """A list that gets an entry for each picture that the decoder hands out."""
    count: list[int] = []
    frames = Decoder.frames

    def counted(self, start=None):
        for frame in frames(self, start):
            count.append(1)
            yield frame

    monkeypatch.setattr(Decoder, "frames", counted)
    return count


def test_each_face_has_its_picture_from_one_key_frame(tmp_path, decoded):
    video = video_of_two(tmp_path / "talk.mp4")
    made = result_of_two(video)
    decoded.clear()
    found = thumbnails(made.media, made.tracks, 48)
    assert len(decoded) == 1
    for number, colour in ((0, (220, 40, 40)), (1, (40, 60, 220))):
        image = image_of(found[number])
        assert image.shape == (48, 48, 3)
        assert np.abs(image[20:28, 20:28].mean((0, 1)) - colour).max() < 25
        assert np.abs(image[1, 1].astype(int) - 90).max() < 40  # what is around the face


def test_key_frames_do_where_there_are_any(tmp_path, decoded):
    video = write_video(tmp_path / "talk.mp4", frames=100, keyframe_every=10)
    media = probe(video, allow_silent=True)
    tracks = [by_hand.track(k, 20 * k, [[8, 8, 56, 56]] * 20) for k in range(5)]
    decoded.clear()
    assert set(thumbnails(media, tracks, 32)) == set(range(5))
    assert len(decoded) == 5


def test_a_track_between_key_frames_is_decoded_up_to(tmp_path, decoded):
    def flash(number, width, height):
        return np.full((height, width, 3), 250 if 60 <= number < 70 else 20, np.uint8)

    video = write_video(tmp_path / "talk.mp4", frames=100, keyframe_every=100, image=flash)
    media = probe(video, allow_silent=True)
    decoded.clear()
    found = thumbnails(media, [by_hand.track(0, 60, [[8, 8, 56, 56]] * 10)], 32)
    assert image_of(found[0]).mean() > 220
    assert len(decoded) <= 70


def test_decoding_ahead_has_an_end(tmp_path, decoded, monkeypatch):
    monkeypatch.setattr(import_module(thumbnails.__module__), "_LEAST_AHEAD", 20)
    video = write_video(tmp_path / "talk.mp4", frames=100, keyframe_every=100)
    media = probe(video, allow_silent=True)
    tracks = [by_hand.track(k, 30 + 10 * k, [[8, 8, 56, 56]] * 5) for k in range(6)]
    decoded.clear()
    assert thumbnails(media, tracks, 32) == {}
    assert len(decoded) <= 20 + 2 * len(tracks)


def test_turned_pictures_are_upright(tmp_path):
    video = write_video(
        tmp_path / "talk.mp4", frames=10, size=(320, 180), rotation=90, image=lambda *_: picture()
    )
    media = probe(video, allow_silent=True)
    found = thumbnails(media, [by_hand.track(0, 0, [by_hand.square(*LEFT, HALF)] * 10)], 32)
    assert np.abs(image_of(found[0])[12:20, 12:20].mean((0, 1)) - (220, 40, 40)).max() < 25


def test_of_pixels_that_are_not_square_a_square_is_cut(tmp_path):
    video = video_of_two(tmp_path / "talk.mp4", 10)
    made = result_of_two(video)
    wide = replace(made.media, info=replace(made.media.info, pixel_aspect=2.0))
    image = image_of(thumbnails(wide, made.tracks, 60)[0]).astype(int)
    is_red = image[..., 0] - image[..., 2] > 90
    # The face is 60 by 60 stored pixels, so it is shown twice as wide as high.
    assert is_red[30].sum() == pytest.approx(2 * is_red[:, 30].sum(), rel=0.15)


def test_boxes_beyond_the_picture_have_pictures_too(tmp_path):
    made = result_of_two(video_of_two(tmp_path / "talk.mp4", 10))
    boxes = ([-500, -500, -400, -400], [310, 170, 900, 900], [5, 5, 5, 5], [-900, -900, 900, 900])
    tracks = [by_hand.track(k, 0, [box] * 10) for k, box in enumerate(boxes)]
    found = thumbnails(made.media, tracks, 32)
    assert [image_of(found[k]).shape for k in range(4)] == [(32, 32, 3)] * 4


def test_a_face_at_the_edge_is_not_distorted(tmp_path):
    made = result_of_two(video_of_two(tmp_path / "talk.mp4", 10))
    box = by_hand.square(*RIGHT, HALF)
    box[2] = 320.0  # it reaches to the right edge
    (found,) = thumbnails(made.media, [by_hand.track(0, 0, [box] * 10)], 64).values()
    image = image_of(found).astype(int)
    is_blue = image[..., 2] - image[..., 0] > 90
    assert is_blue.any(0).sum() == pytest.approx(is_blue.any(1).sum(), abs=3)


def test_a_video_that_changes_meanwhile_costs_pictures_alone(tmp_path, monkeypatch):
    made = result_of_two(video_of_two(tmp_path / "talk.mp4"))
    (tmp_path / "talk.mp4").unlink()
    with pytest.raises(InputError):
        next(Decoder(made.media.picture).frames())
    text = write_report(made, tmp_path / "out").read_text("utf-8")
    assert [len(person["tracks"]) for person in data_in(text)["people"]] == [1, 1]


def test_looking_for_pictures_is_told_of_and_can_be_ended(tmp_path, decoded):
    video = write_video(tmp_path / "talk.mp4", frames=100, keyframe_every=100)
    media = probe(video, allow_silent=True)
    tracks = [by_hand.track(0, 0, [[8, 8, 56, 56]] * 5), by_hand.track(1, 80, [[8, 8, 56, 56]] * 9)]

    def tell(stage, done, total):
        told.append((done, total))
        if len(told) > 20:
            raise InputError("enough")

    told: list[tuple[int, int]] = []
    decoded.clear()
    with pytest.raises(InputError, match="enough"), Teller(tell).stage("writing report.html"):
        thumbnails(media, tracks, 32)
    assert told[:3] == [(0, 0), (0, 2), (1, 2)] and set(told[3:]) == {(1, 2)}
    assert len(decoded) < 30


def test_thumbnails_can_be_left_out(tmp_path, decoded):
    made = result_of_two(video_of_two(tmp_path / "talk.mp4"))
    decoded.clear()
    text = write_report(made, tmp_path / "out", thumbnails=0).read_text("utf-8")
    assert decoded == []
    assert data_in(text)["people"][0]["tracks"][0]["thumbnail"] is None


@pytest.mark.parametrize("side", [15, -1, 513])
def test_sides_out_of_range_are_refused(side):
    with pytest.raises(ConfigError, match="thumbnails must be 0 or from 16 to 512"):
        load("writer", "report", thumbnails=side)
