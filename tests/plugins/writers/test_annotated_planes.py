"""The annotated video, of sources that are stored in all ways: colours, and what is left alone."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter
from by_hand import result_of, track
from synth import write_video

from asdkit.core.component import Context
from asdkit.core.errors import InputError
from asdkit.core.media.encode import Look, Mp4Writer
from asdkit.core.media.probe import probe
from asdkit.plugins.writers import annotated
from asdkit.plugins.writers import source as source_pass
from asdkit.plugins.writers.annotated import SPEAKING, AnnotatedConfig

SIZE = (160, 120)
BOX = (40, 50, 120, 110)


def scene(number: int, width: int, height: int) -> np.ndarray:
    """Slow gradients that move, in colours that no codec finds hard."""
    rows = np.linspace(60, 180, height)[:, None]
    columns = np.linspace(90, 160, width)[None] + 2 * number
    planes = (rows + 0 * columns, columns + 0 * rows, 240 - rows + 0 * columns)
    return np.stack(planes, axis=2).clip(0, 255).astype(np.uint8)


def annotate(source: Path, folder: Path, frames: list[int], threads: int = 1) -> Path:
    """Annotate with a face in these grid frames."""
    media = probe(source, allow_silent=True)
    speaks = [(0.0, 1.0)]
    tracks = [track(k, frame, [BOX], 1, speaks) for k, frame in enumerate(frames)]
    writer = annotated.build(AnnotatedConfig(8), Context(threads=threads))
    (path,) = writer.write(result_of(media, *tracks), folder)
    return path


def images(path: Path) -> list[np.ndarray]:
    """The pictures in RGB, by the matrix that the file states, BT.601 if none."""
    convert = VideoReformatter()
    with av.open(str(path)) as container:
        look = Look.of(container.streams.video[0])
        frames = container.decode(video=0)
        return [look.rgb(frame, frame.width, frame.height, convert).astype(int) for frame in frames]


def check(source: Path, path: Path, frames: int) -> None:
    """A box in its colour, and all else as in the source."""
    before, after = images(source), images(path)
    assert len(before) == len(after) == frames
    for old, new in zip(before, after, strict=True):
        line = np.concatenate([new[60:100, 40], new[60:100, 120], new[110, 50:110]])
        np.testing.assert_allclose(np.median(line, axis=0), SPEAKING, atol=6)
        rest = np.abs(new - old)[60:100, 50:110]
        assert np.median(rest) <= 2
        assert np.quantile(rest, 0.99) <= 9
        np.testing.assert_allclose(new[:20], old[:20], atol=12)


@pytest.mark.parametrize("look", [Look(1, 1, 1), Look(6, 6, 6), Look(5, 5, 6), Look(9, 9, 14)])
def test_each_matrix(look, tmp_path):
    source = tmp_path / "a.mp4"
    with Mp4Writer(source, 25, look=look, crf=4) as video:
        for k in range(4):
            video.add(scene(k, *SIZE), Fraction(k, 25), Fraction(k + 1, 25))
    check(source, annotate(source, tmp_path, [0, 1, 2, 3]), 4)


@pytest.mark.parametrize(
    ("name", "pixels", "codec"),
    [
        ("a.mkv", "yuv420p", "ffv1"),
        ("a.mkv", "yuv422p", "ffv1"),
        ("a.mkv", "yuv444p", "ffv1"),
        ("a.mkv", "yuv420p10le", "ffv1"),
        ("a.mkv", "yuva420p", "ffv1"),
        ("a.mkv", "bgr0", "ffv1"),
        ("a.mkv", "rgb24", "libx264rgb"),
        ("a.mp4", "yuvj420p", "libx264"),
        ("a.avi", "yuvj422p", "mjpeg"),
    ],
)
def test_each_way_to_store_pictures(name, pixels, codec, tmp_path):
    source = write_video(
        tmp_path / name, frames=4, size=SIZE, image=scene, pixels=pixels, codec=codec, options={}
    )
    check(source, annotate(source, tmp_path, [0, 1, 2, 3]), 4)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_box_does_not_stay_in_later_pictures(threads, tmp_path):
    """The decoder predicts pictures from the one that is drawn on."""
    source = write_video(
        tmp_path / "a.mp4",
        frames=8,
        size=SIZE,
        image=lambda _, width, height: scene(0, width, height),
        options={"preset": "fast", "crf": "10"},
        keyframe_every=100,
    )
    path = annotate(source, tmp_path, [0, 4], threads)
    for number, (old, new) in enumerate(zip(images(source), images(path), strict=True)):
        changed = np.abs(new - old).max(axis=2) > 30
        assert changed.any() == (number in (0, 4))


def test_one_thread_is_one_in_all(tmp_path, monkeypatch):
    begun = []
    monkeypatch.setattr(source_pass, "ahead", lambda *call: begun.append(call) or call[0])
    source = write_video(tmp_path / "a.mp4", frames=4, size=SIZE, image=scene)
    annotate(source, tmp_path, [0], threads=1)
    assert begun == []
    annotate(source, tmp_path, [0], threads=2)
    assert len(begun) == 1


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_of_the_decoder_ends_it(threads, tmp_path, monkeypatch):
    source = write_video(tmp_path / "a.mp4", frames=30, size=SIZE, image=scene)
    media = probe(source, allow_silent=True)
    real = source_pass._pictures

    def failing(*call):
        for number, picture in enumerate(real(*call)):
            if number == 9:
                raise InputError("it was deleted")
            yield picture

    monkeypatch.setattr(source_pass, "_pictures", failing)
    folder = tmp_path / "out"
    folder.mkdir()
    writer = annotated.build(AnnotatedConfig(), Context(threads=threads))
    with pytest.raises(InputError, match="it was deleted"):
        writer.write(result_of(media), folder)
    assert list(folder.iterdir()) == []
    assert "asdkit-ahead" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("threads", [1, 2])
def test_a_stop_ends_the_decoding_beside_it(threads, tmp_path, monkeypatch):
    def stop(*call: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(annotated, "draw_face", stop)
    source = write_video(tmp_path / "a.mp4", frames=30, size=SIZE, image=scene)
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(KeyboardInterrupt):
        annotate(source, folder, [3], threads)
    assert list(folder.iterdir()) == []
    assert "asdkit-ahead" not in {thread.name for thread in threading.enumerate()}
