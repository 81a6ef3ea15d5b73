"""From what arrives to the grid: the same as of a file, gaps, and sound that is waited for."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from arriving import (
    STEP,
    FakeInput,
    fed,
    of_file,
    picture,
    pictures,
    ramp,
    sound,
    sounds,
    together,
)
from av.video.frame import VideoFrame
from synth import number_of, numbered, write_video

from asdkit.core.errors import InputError
from asdkit.core.live.arrivals import Broken
from asdkit.core.live.feed import Feed
from asdkit.core.live.settings import LiveConfig
from asdkit.core.live.ticks import Gap, Notice
from asdkit.core.media.container import Reading
from asdkit.core.media.picture import frames
from asdkit.core.media.probe import probe
from asdkit.core.media.sound import Sound


def noise(samples: int) -> np.ndarray:
    """(n,) int16."""
    return np.random.default_rng(samples).integers(-3_000, 3_000, samples).astype(np.int16)


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("clip.ts", {"starts_s": 1.0}),
        ("clip.mp4", {"fps": Fraction(30000, 1001)}),
        ("clip.mkv", {"fps": 50, "sound_rate": 48_000}),
        ("clip.mkv", {"fps": 10, "sound_rate": 16_000}),
    ],
)
def test_a_clean_stream_gives_the_frames_and_the_sound_of_the_file(tmp_path, name, options, live):
    rate = options.get("sound_rate", 44_100)
    path = write_video(
        tmp_path / name,
        frames=60,
        sounds=[(options.get("starts_s", 0.0), noise(6 * rate))],
        **options,
    )
    media = probe(path)
    got = fed(of_file(path), live=live, fps=media.info.fps)
    whole = list(frames(media))
    assert got.indices == [frame.index for frame in whole]
    for tick, frame in zip(got.ticks, whole, strict=True):
        assert np.array_equal(tick.frame.image, frame.image)
    with Sound(media) as file_sound:
        assert np.array_equal(got.heard(), file_sound.read(0, 640 * len(whole)))
    assert got.words == []
    assert [tick.begins for tick in got.ticks] == [True] + [False] * (len(whole) - 1)
    assert got.feed.counts.frames == len(whole)
    assert got.feed.counts.silent == 0


@pytest.mark.skipif(not hasattr(VideoFrame, "color_trc"), reason="this PyAV does not tell")
def test_high_dynamic_range_is_tone_mapped_as_in_a_file(tmp_path):
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p10le"
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc = 9, 9, 16
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(numbered(number), format="rgb24")
            frame = frame.reformat(format="yuv420p10le")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    media = probe(path, allow_silent=True)
    assert media.transfer == 16
    got = fed(of_file(path), has_sound=False)
    for tick, frame in zip(got.ticks, frames(media), strict=True):
        assert np.array_equal(tick.frame.image, frame.image)


def test_a_real_clip_gives_the_same_as_its_file(shared):
    path = shared("clips/lbax4n.mpg")
    media = probe(path)
    got = fed(of_file(path), live=False, fps=media.info.fps)
    whole = list(frames(media))
    assert got.indices == [frame.index for frame in whole]
    assert all(
        np.array_equal(tick.frame.image, frame.image)
        for tick, frame in zip(got.ticks, whole, strict=True)
    )
    with Sound(media) as file_sound:
        assert np.array_equal(got.heard(), file_sound.read(0, 640 * len(whole)))


def test_stereo_is_mixed_as_in_a_file_but_comes_at_once(tmp_path):
    both = np.stack([noise(88_200), noise(88_201)[:88_200]], axis=1)
    path = write_video(tmp_path / "clip.mkv", sounds=[(0.0, both)])
    with Sound(probe(path)) as file_sound:
        whole = file_sound.read(0, 640 * 48)
    items = of_file(path)
    got = fed(items)
    assert np.array_equal(got.heard()[: len(whole)], whole)
    # No frame waits much longer than the packets of sound do.
    assert max(tick.at_s - tick.frame.index / 25 for tick in got.ticks) < 0.15


def test_where_stereo_cancels_out_one_channel_is_taken_in_blocks_of_a_frame(tmp_path):
    left = noise(88_200)
    left[44_100:] = 0
    path = write_video(tmp_path / "clip.mkv", sounds=[(0.0, np.stack([left, -left], axis=1))])
    got = fed(of_file(path))
    with Sound(probe(path)) as file_sound:
        whole = file_sound.read(0, 640 * 50)
    assert np.array_equal(got.heard()[:15_000], whole[:15_000])
    assert got.heard()[:15_000].std() > 900


def test_the_same_arrives_earlier_or_later_and_the_ticks_are_the_same():
    items = together(pictures(0, 60), sounds(0, 60))
    jitter = np.random.default_rng(0).uniform(0, 0.3, len(items))
    late = [
        picture_like(item, item.at_s + by) for item, by in zip(items, np.sort(jitter), strict=True)
    ]
    got, other = fed(items), fed(late)
    assert got.indices == other.indices == list(range(60))
    assert np.array_equal(got.heard(), other.heard())
    assert np.array_equal(got.heard(), ramp(0, 640 * 60))


def picture_like(item, at_s):
    return type(item)(item.frame, item.time_s, at_s, item.stream)


# Sound


def test_a_tick_comes_once_its_sound_has_come_and_nothing_later_is_heard():
    items = together(pictures(0, 30), sounds(0, 30, late_s=0.4))
    feed = Feed(FakeInput(items), LiveConfig(), clock=lambda: 0.0)
    for index in range(25):
        tick = next(given for given in feed if given is not None)
        assert tick.frame.index == index
        assert tick.at_s == pytest.approx((index + 1) / 25 + 0.4)
        heard = feed.sound.read(0, 640 * (index + 2))
        assert np.array_equal(heard[:-640], ramp(0, 640 * (index + 1)))
        assert not heard[-640:].any()


def test_without_sound_no_tick_waits():
    got = fed(pictures(0, 30), has_sound=False)
    assert got.indices == list(range(30))
    # All but the last come as soon as the picture after them does.
    assert [tick.at_s for tick in got.ticks] == [pytest.approx(k / 25) for k in range(30)]
    assert got.feed.counts.silent == 0
    assert got.words == []


def test_sound_that_is_lost_becomes_silence_and_comes_back():
    items = together(pictures(0, 250), sounds(0, 50), sounds(150, 250))
    got = fed(items)
    assert got.indices == list(range(250))
    assert got.reasons == ["brings no sound: silence stands for it", "brings sound again"]
    assert all(isinstance(word, Notice) for word in got.words)
    heard = got.heard()
    assert np.array_equal(heard[: 640 * 50], ramp(0, 640 * 50))
    assert not heard[640 * 50 : 640 * 150].any()
    back = 640 * 152
    assert np.array_equal(heard[back:], ramp(back, 640 * 250))
    assert 100 <= got.feed.counts.silent <= 102
    # A second after its picture, by the clock of the stream.
    waited = [tick.at_s for tick in got.ticks if tick.frame.index == 50]
    assert waited == [pytest.approx(50 / 25)]


def test_sound_that_comes_too_late_is_thrown_away():
    items = together(pictures(0, 150), sounds(0, 110, late_s=1.5))
    got = fed(items)
    assert got.indices == list(range(150))
    assert got.reasons == ["brings no sound: silence stands for it"]
    heard = got.heard()
    assert np.array_equal(np.flatnonzero(heard), np.flatnonzero(heard == ramp(0, 640 * 150)))
    assert got.feed.counts.silent >= 110


def test_a_source_that_says_it_has_no_sound_may_have_some():
    got = fed(together(pictures(0, 50), sounds(0, 50)), has_sound=False)
    assert np.array_equal(got.heard()[640:], ramp(640, 640 * 50))


def test_sound_before_the_first_picture_is_kept_until_that_is_there():
    before = [sound(ramp(640 * k, 640 * (k + 1)), k * STEP, float(k + 1) / 25) for k in range(400)]
    late = [picture(k, k * STEP, float(k * STEP)) for k in range(300, 400)]
    got = fed(together(late, before))
    assert got.indices == list(range(100))
    assert np.array_equal(got.heard(), ramp(640 * 300, 640 * 400))


# Gaps


def test_a_gap_ends_the_stretch_and_time_goes_on():
    items = together(pictures(0, 25), pictures(75, 100), sounds(0, 100))
    got = fed(items)
    assert got.indices == [*range(25), *range(75, 100)]
    assert [tick.frame.index for tick in got.ticks if tick.begins] == [0, 75]
    (gap,) = got.words
    assert isinstance(gap, Gap)
    assert (gap.end, gap.reason, gap.at_s) == (25, "sent no picture for 2.0 s", 3.0)
    assert [number_of(tick.frame.image) for tick in got.ticks] == got.indices
    assert np.array_equal(got.heard(), ramp(0, 640 * 100))
    assert got.feed.counts.breaks == 1


def test_a_short_pause_is_held():
    items = together(pictures(0, 25), pictures(36, 50), sounds(0, 50))
    got = fed(items)
    assert got.indices == list(range(50))
    assert len({id(tick.frame.picture) for tick in got.ticks[24:30]}) == 1
    assert got.words == []


def test_slow_pictures_are_no_gaps():
    items = [picture(k, k) for k in range(5)]
    got = fed(items, fps=1.0, has_sound=False)
    assert got.indices == list(range(125))
    assert got.words == []
    # A picture that is held belongs to each of its grid frames at that frame's time.
    assert [tick.at_s for tick in got.ticks[:13]] == [pytest.approx(k / 25) for k in range(13)]


def test_a_break_hands_out_what_has_come():
    items = together(pictures(0, 25), sounds(0, 20))
    items += [Broken("stalled: nothing came for 2.0 s", 3.0), Broken("came back", 9.0)]
    items += together(pictures(250, 275, -10), sounds(250, 275, -10))
    got = fed(items)
    assert got.indices == [*range(25), *range(250, 275)]
    assert [tick.frame.index for tick in got.ticks if tick.begins] == [0, 250]
    stalled, back = got.words
    assert (stalled.end, stalled.reason, stalled.at_s) == (25, items[45].reason, 3.0)
    assert back == Notice("came back", 9.0)
    assert got.feed.counts.silent == 5
    assert got.feed.counts.breaks == 1
    heard = got.heard()
    assert np.array_equal(heard[: 640 * 20], ramp(0, 640 * 20))
    assert np.array_equal(heard[640 * 251 :], ramp(640 * 251, 640 * 275))


def test_a_break_that_ends_no_stretch_is_told_of():
    items = [*pictures(0, 10), Broken("lost 3 packets", 0.4, ends_stretch=False)]
    got = fed([*items, *pictures(10, 20)], has_sound=False)
    assert got.indices == list(range(20))
    assert got.words == [Notice("lost 3 packets", 0.4)]


def test_pictures_of_another_size_begin_a_stretch_and_are_fitted():
    items = pictures(0, 10) + [
        picture(k, k * STEP, size=(160, 120) if k < 20 else (96, 64)) for k in range(10, 30)
    ]
    got = fed(items, has_sound=False)
    assert got.indices == list(range(30))
    assert {tick.frame.image.shape for tick in got.ticks} == {(64, 96, 3)}
    assert got.reasons == ["changed its size to 160x120", "changed its size to 96x64"]
    assert [tick.frame.index for tick in got.ticks if tick.begins] == [0, 10, 20]


def test_a_stretch_may_begin_between_two_grid_frames():
    for change in (22, 23, 24, 25):
        items = [
            picture(k, Fraction(k, 50), size=(96, 64) if k < change else (160, 120))
            for k in range(60)
        ]
        got = fed(items, fps=50.0, has_sound=False)
        assert got.indices == list(range(30))


def test_pictures_are_turned_as_asked():
    source, turned = FakeInput(pictures(0, 3), has_sound=False), Reading(rotate="90")
    image = next(Feed(source, LiveConfig(), turned, clock=lambda: 0.0)).frame.image
    assert image.shape == (96, 64, 3)
    assert number_of(np.rot90(image)) == 0


def test_pictures_that_are_too_large_end_it_when_all_before_is_handed_out():
    items = [*pictures(0, 5), picture(5, 5 * STEP, size=(320, 240))]
    reading = Reading(max_pixels=10_000)
    feed = Feed(FakeInput(items, has_sound=False), LiveConfig(), reading, clock=lambda: 0.0)
    assert [next(feed).frame.index for _ in range(5)] == list(range(5))
    with pytest.raises(InputError, match="fake holds pictures of 320x240 pixels") as caught:
        next(feed)
    assert "max_pixels=76800" in caught.value.hint
    with pytest.raises(StopIteration):
        next(feed)


def test_an_input_that_fails_has_handed_out_what_came():
    def failing():
        yield from pictures(0, 5)
        raise InputError("The camera is gone")

    feed = Feed(FakeInput(failing()), LiveConfig(), clock=lambda: 0.0)
    assert [next(feed).frame.index for _ in range(5)] == list(range(5))
    with pytest.raises(InputError, match="The camera is gone"):
        next(feed)


def test_none_comes_while_nothing_else_does():
    silent = [None, *pictures(0, 2), None, None]
    assert [given is None for given in fed(silent, has_sound=False).given] == [
        *(True, False, True, True, False)
    ]
    # Sound without pictures is nothing to hand out.
    assert fed(sounds(0, 100)).given.count(None) >= 14


def test_nothing_at_all_gives_nothing():
    assert fed([]).given == []
    assert fed([Broken("broke off: no answer", 1.0)]).given == [Notice("broke off: no answer", 1.0)]


def test_what_waits_for_sound_is_bounded():
    """A clock that jumps with every picture, and no sound that would tell how much time passed."""
    waiting = []

    def arriving():
        for k in range(900):
            waiting.append(len(feed._waiting))
            yield picture(k % 7, -20 * k, 0.0, size=(16, 16))

    feed = Feed(FakeInput(arriving(), live=False, fps=1_000.0), LiveConfig(), clock=lambda: 0.0)
    given = list(feed)
    assert 250 <= max(waiting) <= 260
    reasons = [one.reason for one in given if isinstance(one, Gap | Notice)]
    assert len(reasons) == 899
    assert set(reasons) == {"jumped in time by -20.0 s"}
