"""Pictures are upright, of one size and of ordinary range, whatever is stored."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from by_hand import result_of
from synth import number_of, numbered, write_video

from asdkit.core.component import Context
from asdkit.core.media.colours import TRANSFERS, tone_table
from asdkit.core.media.container import Media, Reading
from asdkit.core.media.encode import Look, Mp4Writer
from asdkit.core.media.picture import frames
from asdkit.core.media.probe import probe
from asdkit.plugins.writers import annotated
from asdkit.plugins.writers.annotated import AnnotatedConfig

MATRICES = [(1, 0, 0, 1), (-1, 0, 0, 1), (1, 0, 0, -1), (-1, 0, 0, -1)]
MATRICES += [(0, 1, 1, 0), (0, 1, -1, 0), (0, -1, 1, 0), (0, -1, -1, 0)]
SIZE = (96, 64)


def silent(path: Path, **reading: object) -> Media:
    return probe(path, reading=Reading(**reading), allow_silent=True)


def annotate(media: Media, folder: Path, **settings: object) -> list[av.VideoFrame]:
    writer = annotated.build(AnnotatedConfig(), Context(threads=1))
    (path,) = writer.write(result_of(media, **settings), folder)
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def number_in(frame: av.VideoFrame) -> int:
    return number_of(frame.to_ndarray(format="rgb24"))


# Display matrices


def stored_for(upright: np.ndarray, a: int, b: int, c: int, d: int) -> np.ndarray:
    """What has to be stored so that x' = a x + c y, y' = b x + d y shows a picture upright."""
    height, width = upright.shape[:2]
    y, x = np.mgrid[: width if b else height, : height if b else width]
    to_x, to_y = a * x + c * y, b * x + d * y
    return upright[to_y - to_y.min(), to_x - to_x.min()]


def with_matrix(path: Path, matrix: Sequence[int], scale: int = 1 << 16) -> Path:
    """A video of four numbered pictures, upright only by its display matrix (ISO 14496-12)."""
    height, width = stored_for(numbered(0, *SIZE), *matrix).shape[:2]
    write_video(
        path,
        frames=4,
        size=(width, height),
        image=lambda number, *_: stored_for(numbered(number, *SIZE), *matrix),
    )
    data = bytearray(path.read_bytes())
    begin = data.index(b"tkhd") + 4 + 40
    for place, value in zip((0, 1, 3, 4), matrix, strict=True):
        at = begin + 4 * place
        data[at : at + 4] = (value * scale).to_bytes(4, "big", signed=True)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_all_eight_display_matrices_are_heeded(tmp_path, matrix, suffix):
    media = silent(with_matrix(tmp_path / f"clip{suffix}", matrix))
    assert (media.info.width, media.info.height) == SIZE
    images = [frame.image for frame in frames(media)]
    assert [number_of(image) for image in images] == [0, 1, 2, 3]
    assert all(image.flags.c_contiguous for image in images)
    written = annotate(media, tmp_path)
    assert [(frame.width, frame.height, frame.rotation) for frame in written] == [(*SIZE, 0)] * 4
    assert [number_in(frame) for frame in written] == [0, 1, 2, 3]
    assert not list(media.notes)


def test_a_matrix_that_scales_turns_all_the_same(tmp_path):
    media = silent(with_matrix(tmp_path / "clip.mp4", (0, 1, 1, 0), 3 << 14))
    assert [number_of(frame.image) for frame in frames(media)] == [0, 1, 2, 3]


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize(("name", "said"), [("clip.mkv", 0), ("clip.mp4", 0), ("clip.mp4", 90)])
def test_the_turn_may_be_given(tmp_path, degrees, name, said):
    """Clockwise, from what is stored, whatever the file says."""

    def image(number: int, *_: int) -> np.ndarray:
        stored = np.rot90(numbered(number, *SIZE), degrees // 90)
        return np.rot90(stored, -said // 90)  # as `write_video` turns it back

    height, width = image(0).shape[:2]
    path = write_video(tmp_path / name, frames=3, size=(width, height), rotation=said, image=image)
    media = silent(path, rotate=str(degrees))
    assert (media.info.width, media.info.height) == SIZE
    assert [number_of(frame.image) for frame in frames(media)] == [0, 1, 2]
    assert any(f"clockwise by {degrees} degrees" in note for note in media.notes)
    written = annotate(media, tmp_path, rotate=str(degrees))
    assert [number_in(frame) for frame in written] == [0, 1, 2]


def test_a_quarter_turn_turns_the_shape_of_pixels(tmp_path):
    path = tmp_path / "clip.mp4"
    with Mp4Writer(path, 25, look=Look(pixel_aspect=Fraction(2))) as video:
        video.add(numbered(0, *SIZE), Fraction(0), Fraction(1, 25))
    assert silent(path).info.pixel_aspect == 2
    assert silent(path, rotate="90").info.pixel_aspect == 0.5
    assert silent(path, rotate="180").info.pixel_aspect == 2


# Sizes that change


def spliced(path: Path, codec: str, sizes: Sequence[tuple[int, int]], **options: str) -> Path:
    """Ten pictures of each size, one after the other, in one stream as WebRTC writes it."""
    with av.open(str(path), "w") as container:
        stream = None
        for part, (width, height) in enumerate(sizes):
            encoder = av.CodecContext.create(codec, "w")
            encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
            encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
            encoder.options = options
            if stream is None:
                stream = container.add_stream(codec, rate=25)
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
                stream.codec_context.options = options
            for number in range(11):
                frame = None
                if number < 10:
                    image = numbered(10 * part + number, width, height)
                    frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                    frame.pts, frame.time_base = 10 * part + number, Fraction(1, 25)
                for packet in encoder.encode(frame):
                    packet.stream = stream
                    packet.time_base = Fraction(1, 25)
                    container.mux(packet)
    return path


REAL_TIME = {"deadline": "realtime", "cpu-used": "8", "crf": "10", "b": "1M"}
H264 = {"preset": "ultrafast", "tune": "zerolatency", "crf": "16"}


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("clip.webm", "libvpx", REAL_TIME),
        ("clip.mkv", "libvpx-vp9", {**REAL_TIME, "lag-in-frames": "0"}),
        ("clip.ts", "libx264", H264),
        ("clip.avi", "mjpeg", {"strict": "-1", "qmin": "2", "qmax": "3"}),
    ],
)
@pytest.mark.parametrize("sizes", [[(96, 64), (192, 128)], [(96, 64), (192, 128), (48, 32)]])
def test_the_largest_size_is_that_of_the_video(tmp_path, name, codec, options, sizes):
    media = silent(spliced(tmp_path / name, codec, sizes, **options))
    assert (media.info.width, media.info.height) == (192, 128)
    images = [frame.image for frame in frames(media)]
    assert {image.shape for image in images} == {(128, 192, 3)}
    assert [number_of(image) for image in images] == list(range(10 * len(sizes)))
    assert any("brought to that of the largest, 192x128" in note for note in media.notes)
    written = annotate(media, tmp_path)
    assert {(frame.width, frame.height) for frame in written} == {(192, 128)}
    assert [number_in(frame) for frame in written] == list(range(10 * len(sizes)))


def test_mpeg_2_may_change_its_size(tmp_path):
    """FFmpeg's decoder drops the picture before a change."""
    path = spliced(tmp_path / "clip.ts", "mpeg2video", [(96, 64), (192, 128)], b="4M")
    images = [frame.image for frame in frames(silent(path))]
    assert {image.shape for image in images} == {(128, 192, 3)}
    assert [number_of(image) for image in images] == [*range(9), 8, *range(10, 20)]


def test_a_picture_of_another_shape_keeps_it_between_bars(tmp_path):
    path = spliced(tmp_path / "clip.webm", "libvpx", [(96, 64), (256, 128)], **REAL_TIME)
    media = silent(path)
    first, *_, last = [frame.image for frame in frames(media)]
    assert first.shape == last.shape == (128, 256, 3)
    assert number_of(first[:, 32:224]) == 0
    assert not first[:, :31].any()
    assert not first[:, 225:].any()
    assert number_of(last) == 19


# High dynamic range


def in_pq(grey: float, white_nit: float) -> float:
    """The PQ signal (SMPTE ST 2084) of an ordinary grey, both from 0 to 1."""
    power = (grey**2.4 * white_nit / 10_000) ** (2610 / 16384)
    return float(((3424 + 2413 * 32 * power) / (4096 + 2392 * 32 * power)) ** (2523 / 32))


def in_hlg(grey: float, white_nit: float) -> float:
    """The HLG signal (ARIB STD-B67) of an ordinary grey, both from 0 to 1."""
    scene = (grey**2.4 * white_nit / 1000) ** (1 / 1.2)
    if scene <= 1 / 12:
        return float((3 * scene) ** 0.5)
    return float(0.17883277 * np.log(12 * scene - 0.28466892) + 0.55991073)


GREYS = (0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.7)


@pytest.mark.parametrize(("transfer", "signal"), [(16, in_pq), (18, in_hlg)])
def test_tone_tables_give_ordinary_greys_back(transfer, signal):
    table = tone_table(transfer)
    assert table.shape == (256,)
    assert (np.diff(table.astype(int)) >= 0).all()
    for grey in GREYS:
        assert table[round(255 * signal(grey, 203))] / 255 == pytest.approx(grey, abs=0.02)
    white = table[round(255 * signal(1.0, 203))]
    assert 215 < white < 240
    assert table[round(255 * signal(1.0, 1000))] > white + 10  # there is room above white


@pytest.mark.parametrize(("transfer", "signal"), [(16, in_pq), (18, in_hlg)])
def test_high_dynamic_range_is_tone_mapped_and_said(tmp_path, transfer, signal):
    """Ten bits, BT.2020, as phones and broadcasters write it."""
    path = tmp_path / "clip.mkv"
    image = np.empty((64, 7 * 16, 3))
    image[:] = np.repeat([signal(grey, 203) for grey in GREYS], 16)[None, :, None]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = image.shape[1], 64, "yuv420p10le"
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc = 9, 9, transfer
        context.color_range = 1
        luma = np.round(64 + 876 * image[..., 0]).astype(np.uint16)
        chroma = np.full(luma.size // 2, 512, np.uint16)
        frame = av.VideoFrame(image.shape[1], 64, "yuv420p10le")
        for plane, values in zip(
            frame.planes, (luma, chroma[: luma.size // 4], chroma[luma.size // 4 :]), strict=True
        ):
            rows = values.reshape(plane.height, plane.width)
            room = np.zeros((plane.height, plane.line_size // 2), np.uint16)
            room[:, : plane.width] = rows
            plane.update(room)
        for number in range(3):
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    media = silent(path)
    assert any(f"tone mapped from {TRANSFERS[transfer]}" in note for note in media.notes)
    for frame in frames(media):
        middle = frame.image[32, 8::16].astype(float) / 255
        assert middle == pytest.approx(np.repeat(GREYS, 3).reshape(7, 3), abs=0.03)
    annotate(media, tmp_path)
    with av.open(str(tmp_path / "annotated.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc) == (9, 9, transfer)


def test_colours_of_bt_2020_are_those_that_were_stored(tmp_path):
    """A colour whose code by BT.2020 would be another by BT.709."""
    path = tmp_path / "clip.mkv"
    red, green, blue = signal = [in_pq(grey, 203) for grey in (0.6, 0.3, 0.2)]
    y = 0.2627 * red + 0.678 * green + 0.0593 * blue
    cb, cr = (blue - y) / 1.8814, (red - y) / 1.4746
    values = [round(16 + 219 * y), round(128 + 224 * cb), round(128 + 224 * cr)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv444p"
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc = 9, 9, 16
        context.color_range = 1
        frame = av.VideoFrame(*SIZE, "yuv444p")
        for plane, value in zip(frame.planes, values, strict=True):
            plane.update(np.full((plane.height, plane.line_size), value, np.uint8))
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    (frame,) = frames(silent(path))
    wanted = tone_table(16)[[round(255 * value) for value in signal]].astype(int)
    assert np.abs(frame.image[32, 48] - wanted).max() <= 6


def test_frames_are_given_back_as_soon_as_they_are_done_with(tmp_path):
    """Those of 4K are 12 MB each, and the garbage collector may wait for hundreds."""
    video = write_video(tmp_path / "long.mp4", frames=60)

    def alive() -> int:
        return sum(type(one) is av.VideoFrame for one in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = alive()  # other tests may still hold some
        for _ in frames(silent(video)):
            pass
        kept = alive() - before
    finally:
        gc.enable()
    assert kept < 10
