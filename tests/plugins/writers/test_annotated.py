"""The annotated video: what is drawn where, and that all else is as in the source."""

from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter
from by_hand import result_of, track
from hypothesis import given, settings
from hypothesis import strategies as st
from synth import click_times, clicks, number_of, write_video

import asdkit
from asdkit.core.component import Context
from asdkit.core.errors import ConfigError, InputError
from asdkit.core.loading import load
from asdkit.core.media.encode import Look, Mp4Writer
from asdkit.core.media.planes import Canvas
from asdkit.core.media.probe import probe
from asdkit.core.result import Result
from asdkit.core.types import Track
from asdkit.plugins.writers import annotated
from asdkit.plugins.writers.annotated import SILENT, SPEAKING, AnnotatedConfig, AnnotatedWriter
from asdkit.plugins.writers.drawing import draw_face

GREY = 128
SIZE = (480, 360)
VARIABLE = [Fraction(n, 1000) for n in (0, 40, 55, 150, 151, 400, 1000, 1033, 1500, 1540)]


def drawn_on(image: np.ndarray, *call: object) -> np.ndarray:
    """A picture of even size with a face drawn on it."""
    frame = Look().coded(image, VideoReformatter())
    draw_face(Canvas(frame, Look().conversion), *call)
    return Look().rgb(frame, frame.width, frame.height, VideoReformatter())


def grey(number: int, width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), GREY, np.uint8)


def noise(number: int, width: int, height: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)


def result(video: Path, *tracks: Track, sound: Path | None = None, **options) -> Result:
    """A result as a run over this video gives it."""
    return result_of(probe(video, sound, allow_silent=True), *tracks, **options)


def annotate(folder: Path, what: Result, **config) -> Path:
    writer = annotated.build(AnnotatedConfig(**config), Context(threads=1))
    (path,) = writer.write(what, folder)
    assert path == folder / "annotated.mp4"
    assert not list(folder.glob(".*"))
    return path


def seen(path: Path) -> list[tuple[Fraction, np.ndarray]]:
    """The pictures, upright, and their times from the first one."""
    with av.open(str(path)) as container:
        frames = [
            (
                frame.pts * frame.time_base,
                np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90)),
            )
            for frame in container.decode(video=0)
        ]
    return [(time - frames[0][0], image) for time, image in frames]


def heard(path: Path) -> list[float]:
    """The times of the clicks, in seconds from the first picture."""
    pieces = []
    with av.open(str(path)) as container:
        picture = container.streams.video[0]
        zero = picture.start_time * picture.time_base
        for frame in container.decode(audio=0):
            rate = frame.sample_rate
            samples = frame.to_ndarray().astype(float).reshape(frame.layout.nb_channels, -1)[0]
            pieces.append((round((frame.pts * frame.time_base - zero) * rate), samples))
    begin = min(at for at, _ in pieces)
    sound = np.zeros(max(at + len(samples) for at, samples in pieces) - begin)
    for at, samples in pieces:
        sound[at - begin : at - begin + len(samples)] = samples
    loud = np.round(sound / np.abs(sound).max() * 24_000).astype(np.int16)
    return [time + begin / rate for time in click_times(loud, rate)]


def codecs(path: Path) -> list[str]:
    with av.open(str(path)) as container:
        return [stream.codec_context.codec.canonical_name for stream in container.streams]


def like(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Where a picture has a colour, as far as coding keeps it."""
    return np.abs(image.astype(int) - colour).max(axis=2) < 45


def outline(image: np.ndarray, colour: tuple[int, int, int]) -> tuple[float, float, float]:
    """x1 and x2 of the middle of a box's lines, and y2 of its lowest pixels."""
    found = like(image, colour)
    columns = np.flatnonzero(found.mean(axis=0) > 0.4)
    rows = np.flatnonzero(found.mean(axis=1) > 0.2)
    split = np.flatnonzero(np.diff(columns) > 3)[0] + 1
    return columns[:split].mean(), columns[split:].mean(), rows[-1]


# --- the picture and the sound stay


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("25.mp4", {"fps": 25}),
        ("30.mp4", {"fps": 30}),
        ("29.97.mkv", {"fps": Fraction(30_000, 1001)}),
        ("23.976.ts", {"fps": Fraction(24_000, 1001)}),
        ("50.mp4", {"fps": 50, "starts_s": 1.4}),
        ("avi.avi", {"fps": 15}),
        ("variable.mkv", {"times": VARIABLE, "tick": Fraction(1, 1000)}),
        ("variable.mp4", {"times": VARIABLE, "tick": Fraction(1, 1000)}),
    ],
)
def test_every_picture_keeps_its_time(name, more, tmp_path):
    source = write_video(tmp_path / name, frames=40, **more)
    path = annotate(tmp_path, result(source))
    assert codecs(path) == ["h264"]
    before, after = seen(source), seen(path)
    assert [time for time, _ in after] == [time for time, _ in before]
    assert [number_of(image) for _, image in after] == list(range(len(before)))


@pytest.mark.parametrize("size", [(95, 63), (95, 64), (96, 63)])
def test_odd_sizes_become_even(size, tmp_path):
    source = write_video(tmp_path / "a.mkv", frames=5, size=size)
    for number, (_, image) in enumerate(seen(annotate(tmp_path, result(source)))):
        assert image.shape == (64, 96, 3)
        assert number_of(image[: size[1], : size[0]]) == number


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_turned_picture_is_upright(rotation, tmp_path):
    source = write_video(tmp_path / "a.mp4", frames=5, rotation=rotation, size=(96, 64))
    path = annotate(tmp_path, result(source))
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    for number, frame in enumerate(frames):
        assert (frame.width, frame.height, frame.rotation) == (96, 64, 0)
        assert number_of(frame.to_ndarray(format="rgb24")) == number


@pytest.mark.parametrize(
    ("name", "codec", "wanted"),
    [
        ("a.mp4", "aac", "aac"),
        ("a.mkv", "pcm_s16le", "aac"),
        ("a.mpg", "mp2", "aac"),
        ("a.mkv", "flac", "flac"),
    ],
)
@pytest.mark.parametrize("starts_s", [0.0, 0.4])
def test_sound_keeps_its_time(name, codec, wanted, starts_s, tmp_path):
    """The picture may begin later than the sound."""
    source = write_video(
        tmp_path / name,
        frames=75,
        starts_s=starts_s,
        sounds=[(0.0, clicks([1.0, 2.0, 3.0], 3.5))],
        sound_codec=codec,
    )
    path = annotate(tmp_path, result(source))
    assert codecs(path) == ["h264", wanted]
    assert heard(path) == pytest.approx(heard(source), abs=0.003)
    assert heard(path)[0] == pytest.approx(1.0 - starts_s, abs=0.03)


@pytest.mark.parametrize("fps", [25, 30])
@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
@pytest.mark.parametrize(("start_s", "end_s"), [(1.2, None), (0.0, 2.0), (3.0, 4.4)])
def test_a_part_is_cut_out(fps, codec, start_s, end_s, tmp_path):
    times = [0.5 + k for k in range(5)]
    source = write_video(
        tmp_path / "a.mkv",
        fps=fps,
        frames=5 * fps,
        sounds=[(0.0, clicks(times, 5.0))],
        sound_codec=codec,
    )
    path = annotate(tmp_path, result(source, start_s=start_s, end_s=end_s))
    end = 5.0 if end_s is None else end_s
    wanted = [k for k in range(5 * fps) if start_s <= k / fps < end]
    pictures = seen(path)
    assert [number_of(image) for _, image in pictures] == wanted
    np.testing.assert_allclose(
        [float(time) for time, _ in pictures], [(k - wanted[0]) / fps for k in wanted], atol=0.001
    )
    assert heard(path) == pytest.approx(
        [time - start_s for time in times if start_s <= time < end], abs=0.003
    )


def test_a_part_between_two_pictures_shows_the_first(tmp_path):
    times = [Fraction(0), Fraction(1), Fraction(4)]
    source = write_video(tmp_path / "a.mkv", times=times, tick=Fraction(1, 1000))
    path = annotate(tmp_path, result(source, start_s=2.0, end_s=3.0))
    ((_, image),) = seen(path)
    assert number_of(image) == 1
    with av.open(str(path)) as container:
        assert container.duration == pytest.approx(1_000_000, rel=0.01)


@pytest.mark.parametrize(("start_s", "end_s"), [(0.039, 0.041), (0.079, 0.081), (1.99, 1.999)])
def test_no_part_is_too_short(start_s, end_s, tmp_path):
    source = write_video(tmp_path / "a.mkv", fps=24, frames=48)
    path = annotate(tmp_path, result(source, start_s=start_s, end_s=end_s))
    ((_, image),) = seen(path)
    assert number_of(image) == int(start_s * 24)


def test_a_part_after_the_end_is_an_error(tmp_path):
    source = write_video(tmp_path / "a.mp4", frames=10)
    with pytest.raises(InputError, match="no picture from 3 s on"):
        annotate(tmp_path, result(source, start_s=3.0))
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_a_part_may_end_never(tmp_path):
    source = write_video(tmp_path / "a.mp4", frames=10)
    assert len(seen(annotate(tmp_path, result(source, end_s=float("inf"))))) == 10


def test_sound_of_another_file(tmp_path):
    source = write_video(tmp_path / "a.mp4", frames=75, starts_s=0.4)
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(clicks([0.5, 2.5], 3.0, 16_000).tobytes())
    path = annotate(tmp_path, result(source, sound=tmp_path / "a.wav"))
    assert codecs(path) == ["h264", "aac"]
    assert heard(path) == pytest.approx([0.5, 2.5], abs=0.003)


def test_no_sound_is_no_trouble(tmp_path):
    path = annotate(tmp_path, result(write_video(tmp_path / "a.mp4", frames=5)))
    assert codecs(path) == ["h264"]


def bars(number: int, width: int, height: int) -> np.ndarray:
    colours = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 200)]
    return np.tile(np.repeat(np.array(colours, np.uint8), width // 4, axis=0), (height, 1, 1))


def coded(path: Path) -> tuple[list[int], np.ndarray]:
    """How colours are described, and the planes of the first picture."""
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        frame = next(container.decode(video=0))
        return [context.colorspace, context.color_primaries, context.color_trc], frame.to_ndarray()


@pytest.mark.parametrize("look", [None, Look(), Look(5, 5, 6), Look(9, 9, 16)])
def test_colours_stay(look, tmp_path):
    """Whether the source says what they mean or not, their code is the same."""
    source = tmp_path / "a.mp4"
    if look is None:
        write_video(source, frames=5, image=bars)
    else:
        with Mp4Writer(source, 25, look=look) as video:
            video.add(bars(0, 96, 64), Fraction(0), Fraction(1, 25))
    before, planes_before = coded(source)
    after, planes_after = coded(annotate(tmp_path, result(source)))
    assert after == before
    assert look is None or before == [look.matrix, look.primaries, look.transfer]
    difference = np.abs(planes_after.astype(int) - planes_before)
    assert np.median(difference) <= 1
    assert (difference > 6).mean() < 0.05


def test_colours_of_full_range_stay(tmp_path):
    source = write_video(tmp_path / "a.mp4", frames=3, image=bars, pixels="yuvj420p")
    with av.open(str(source)) as container:
        assert next(container.decode(video=0)).format.name == "yuvj420p"
    path = annotate(tmp_path, result(source))
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        assert frame.format.name == "yuv420p"
        image = Look(2, 2, 2).rgb(frame, 96, 64, VideoReformatter())
    middle = np.arange(12, 96, 24)
    np.testing.assert_allclose(
        image[32, middle].astype(int) - bars(0, 96, 64)[32, middle], 0, atol=8
    )


def test_pixels_keep_their_shape(tmp_path):
    source = tmp_path / "a.mp4"
    with Mp4Writer(source, 25, look=Look(pixel_aspect=Fraction(16, 15))) as video:
        video.add(bars(0, 96, 64), Fraction(0), Fraction(1, 25))
    with av.open(str(annotate(tmp_path, result(source)))) as container:
        assert container.streams.video[0].codec_context.sample_aspect_ratio == Fraction(16, 15)


# --- what is drawn


def test_boxes_are_green_for_speakers_and_red_for_others(tmp_path):
    source = write_video(tmp_path / "a.mkv", frames=20, size=SIZE, image=grey)
    left, right = (60, 100, 180, 300), (300, 100, 420, 300)
    tracks = [
        track(0, 0, [left] * 20, -5, [(0.0, 0.8)]),  # its score is another matter
        track(1, 5, [right] * 10, 5),
    ]
    for number, (_, image) in enumerate(seen(annotate(tmp_path, result(source, *tracks)))):
        green, red = like(image, SPEAKING), like(image, SILENT)
        assert green[200, 60] and green[200, 180] and green[300, 120]
        assert not red[:, :240].any()
        assert red[200, 300] == red[200, 420] == red[300, 360] == (5 <= number < 15)
        assert red.any() == (5 <= number < 15)
        inside = image[110:290, 70:170].astype(int)
        np.testing.assert_allclose(inside, GREY, atol=12)


@pytest.mark.parametrize(
    ("scores", "wanted"),
    [
        ([-1, -1, -1, -1, 9, -1, -1, -1, -1, -1], "--+++++---"),
        ([1, -3, 1, 1, 1, 1, 1, 1, 1, -5], "-++++++---"),
        ([0, 0, 0], "+++"),
        ([-1], "-"),
        ([3, -4], "--"),
    ],
)
def test_by_score_the_colour_follows_the_mean_of_five_frames(scores, wanted, monkeypatch, tmp_path):
    drawn = []
    monkeypatch.setattr(annotated, "draw_face", lambda *call: drawn.append(call[1:]))
    source = write_video(tmp_path / "a.mp4", frames=len(scores))
    face = track(7, 0, [(1, 2, 3, 4)] * len(scores), scores)
    annotate(tmp_path, result(source, face), colour="score")
    assert "".join("+" if colour == SPEAKING else "-" for _, _, colour in drawn) == wanted
    for number, (box, text, _) in enumerate(drawn):
        mean = np.mean(scores[max(0, number - 2) : number + 3])
        assert text == f"#7  {mean:.2f}"
        assert tuple(box) == (1, 2, 3, 4)


def test_boxes_move_between_grid_frames(monkeypatch, tmp_path):
    calls = []
    monkeypatch.setattr(annotated, "draw_face", lambda *call: calls.append(call[1]))
    boxes = [(10.0 * k, 0.0, 10.0 * k + 40, 50.0) for k in range(10)]
    source = write_video(tmp_path / "a.mp4", fps=50, frames=40)
    annotate(tmp_path, result(source, track(0, 4, boxes, 1)))
    # From half a grid frame before the track to half a one after it.
    lefts = [0.0, *np.arange(0, 90.1, 5)]
    assert [box[0] for box in calls] == pytest.approx(lefts)
    assert {box[2] - box[0] for box in calls} == {40.0}


@pytest.mark.parametrize("start_s", [0.0, 0.6])
@pytest.mark.parametrize("fps", [30, 12])
def test_boxes_are_at_their_time(fps, start_s, tmp_path):
    """A face that moves 4 pixels a grid frame, to the right."""
    frames = 2 * fps
    source = write_video(tmp_path / "a.mkv", fps=fps, frames=frames, size=SIZE, image=grey)
    boxes = [(20 + 4 * k, 120, 140 + 4 * k, 300) for k in range(50)]
    face = track(0, 0, boxes, speaking=[(0.0, 2.0)])
    path = annotate(tmp_path, result(source, face, start_s=start_s))
    pictures = seen(path)
    assert len(pictures) == frames - round(start_s * fps)
    for time, image in pictures:
        x1, x2, bottom = outline(image, SPEAKING)
        moved = 100 * min(float(time) + start_s, 49 / 25)
        assert (x1, x2) == pytest.approx((20 + moved, 140 + moved), abs=1.5)
        assert bottom == pytest.approx(300, abs=2)


def test_many_tracks_come_and_go(monkeypatch, tmp_path):
    drawn = []
    monkeypatch.setattr(annotated, "draw_face", lambda *call: drawn.append(call[2]))
    source = write_video(tmp_path / "a.mp4", frames=50)
    tracks = [track(k, 10 * (4 - k), [(0, 0, 9, 9)] * 15, k) for k in range(5)]
    annotate(tmp_path, result(source, *tracks))
    wanted = []
    for frame in range(50):
        there = sorted((t for t in tracks if frame in t.frames), key=lambda t: t.first_frame)
        wanted += [f"#{t.id}  {t.probabilities[0]:.2f}" for t in there]
    assert drawn == wanted


@settings(max_examples=40)
@given(
    size=st.sampled_from([(96, 160), (240, 320), (640, 360)]),
    corner=st.tuples(st.floats(-0.5, 1.2), st.floats(-0.5, 1.2)),
    shape=st.tuples(st.floats(0, 1.5), st.floats(0, 1.5)),
)
def test_the_label_is_whole_wherever_the_face_is(size, corner, shape):
    def ink(box) -> int:
        image = np.full((*size, 3), GREY, np.uint8)
        image = drawn_on(image, np.array(box), "#12  -3.45", SILENT)
        return int((image.min(axis=2) > 200).sum())

    height, width = size
    x, y = corner[0] * width, corner[1] * height
    box = (x, y, x + shape[0] * width, y + shape[1] * height)
    whole = ink((0, height / 2, width / 2, height))
    assert whole > 10
    assert ink(box) == pytest.approx(whole, rel=0.1)  # colours are shared by two pixels


@pytest.mark.parametrize(("height", "width"), [(8, 8), (1, 1), (20, 400), (400, 20)])
def test_a_picture_smaller_than_the_label_is_no_trouble(height, width):
    image = np.zeros((height, width, 3), np.uint8)
    image = drawn_on(image, np.array([0.0, 0, width, height]), "#0  1.00", SPEAKING)
    assert like(image, SPEAKING).any()


@pytest.mark.parametrize(("height", "width"), [(720, 1280), (1080, 1920), (1920, 1080)])
def test_lines_and_letters_grow_with_the_picture(height, width):
    def measures(scale: int) -> tuple[int, int]:
        image = np.full((height * scale, width * scale, 3), GREY, np.uint8)
        box = np.array([0.2 * width, 0.4 * height, 0.6 * width, 0.9 * height]) * scale
        image = drawn_on(image, box, "#0  1.00", SPEAKING)
        found = like(image, SPEAKING)
        line = found[round(0.7 * height * scale), : width * scale // 2].sum()
        label = found[: round(box[1]), round(box[0]) + 5 * scale].sum()
        return int(line), int(label)

    (line, label), (line2, label2) = measures(1), measures(2)
    assert line >= 3
    assert label >= 0.03 * min(height, width)
    assert line2 == pytest.approx(2 * line, abs=3)
    assert label2 == pytest.approx(2 * label, rel=0.1)


# --- errors


def test_nothing_is_left_when_it_fails(monkeypatch, tmp_path):
    calls = []

    def fail(*call) -> None:
        calls.append(call)
        if len(calls) == 30:
            raise RuntimeError("in the middle")

    monkeypatch.setattr(annotated, "draw_face", fail)
    source = write_video(tmp_path / "a.mp4", frames=60, sounds=[(0.0, clicks([1.0], 2.0))])
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(RuntimeError, match="in the middle"):
        annotate(folder, result(source, track(0, 0, [(0, 0, 9, 9)] * 60, 1)))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("crf", [-1, 52])
def test_quality_out_of_range(crf):
    with pytest.raises(ValueError, match=f"crf must be from 0 to 51, got {crf}"):
        AnnotatedConfig(crf)
    with pytest.raises(ConfigError, match="crf must be from 0 to 51"):
        load("writer", "annotated", crf=crf)


def test_quality_is_heeded(tmp_path):
    source = write_video(tmp_path / "a.mp4", frames=10, size=SIZE, image=noise)
    sizes = [annotate(tmp_path, result(source), crf=crf).stat().st_size for crf in (0, 50)]
    assert sizes[0] > 2 * sizes[1]


def test_a_real_clip(shared, tmp_path):
    source = shared("clips/dialogue_30fps.mp4")
    path = annotate(tmp_path, result(source, start_s=1.0, end_s=2.0))
    assert codecs(path) == ["h264", "aac"]
    assert [time for time, _ in seen(path)] == [Fraction(k, 30) for k in range(30)]


def test_threads_are_those_of_the_run(tmp_path, monkeypatch):
    video = write_video(
        tmp_path / "clip.mp4",
        frames=10,
        size=(64, 48),
        image=grey,
        sounds=[(0.0, clicks([0.1], 0.4))],
    )
    boxes = tmp_path / "boxes.json"
    boxes.write_text(str([[[10, 5, 50, 45, 1.0]]] * 10))
    built = []
    real = AnnotatedWriter.__init__

    def init(self, config, threads):
        built.append(threads)
        real(self, config, threads)

    monkeypatch.setattr(AnnotatedWriter, "__init__", init)
    words = ["detector=boxes", f"detector.path={boxes}", "scorer=lip_motion", "cutter=none"]
    asdkit.run(video, [*words, "threads=1", "writers=[annotated]", f"output={tmp_path / 'out'}"])
    assert built == [1]
