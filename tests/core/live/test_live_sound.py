"""Live sound: heard as far as frames were handed out, placed by clocks that jump, bounded."""

from __future__ import annotations

import wave
from fractions import Fraction

import av
import numpy as np
import pytest
from arriving import STEP, FakeInput, fed, of_file, picture, pictures, ramp, sound, sounds, together
from synth import click_times, clicks

from asdkit.core.live.arrivals import Broken
from asdkit.core.live.feed import Feed
from asdkit.core.live.live_sound import LiveSound
from asdkit.core.live.settings import LiveConfig
from asdkit.core.live.ticks import Tick
from asdkit.core.notes import Notes


def test_only_what_was_handed_out_is_heard():
    heard = LiveSound()
    heard.put(0, ramp(0, 1000), 1.0)
    heard.put(1000, ramp(1000, 2000), 2.0)
    assert not heard.read(0, 2000).any()
    assert heard.hand_out(0, 640) == 1.0
    assert np.array_equal(heard.read(0, 640), ramp(0, 640))
    assert not heard.read(640, 2000).any()
    assert heard.hand_out(640, 1280) == 2.0
    assert np.array_equal(heard.read(-10, 1280)[10:], ramp(0, 1280))
    assert heard.hand_out(1280, 1920) == 2.0
    assert heard.hand_out(2560, 3200) is None


def test_what_comes_too_late_or_twice_is_not_heard():
    heard = LiveSound()
    assert heard.hand_out(0, 640) is None
    heard.put(0, ramp(0, 1000), 1.0)
    heard.put(900, np.full(200, 7, np.int16), 1.0)
    heard.put(-50, ramp(0, 50), 1.0)
    heard.hand_out(640, 1280)
    whole = heard.read(0, 1280)
    assert not whole[:640].any()
    assert np.array_equal(whole[640:1000], ramp(640, 1000))
    assert set(whole[1000:1100]) == {7}
    assert not whole[1100:].any()
    assert heard.reached == 1100


def test_what_was_forgotten_is_gone():
    heard = LiveSound()
    for k in range(100):
        heard.put(640 * k, ramp(640 * k, 640 * (k + 1)), 0.0)
        heard.hand_out(640 * k, 640 * (k + 1))
        heard.forget(640 * (k - 5))
        assert len(heard) <= 640 * 6
    assert np.array_equal(heard.read(640 * 95, 640 * 96), ramp(640 * 95, 640 * 96))
    with pytest.raises(ValueError, match="kept from 60160 on"):
        heard.read(0, 640)


def test_sound_that_no_picture_comes_for_is_bounded():
    got = fed(together(pictures(0, 2), sounds(0, 2_000)))
    assert len(got.feed.sound) <= 16_000 * 10.1
    got = fed(sounds(0, 2_000))
    assert got.ticks == []
    assert len(got.feed.sound) == 0


def test_of_a_block_that_is_too_long_the_newest_is_kept():
    heard = LiveSound()
    heard.put(0, ramp(0, 200_000), 1.0)
    assert (heard.reached, len(heard)) == (200_000, 160_000)
    heard.hand_out(0, 200_000)
    assert np.array_equal(heard.read(40_000, 200_000), ramp(40_000, 200_000))


# Clocks


def jumped(places: tuple[int, int], shift_s: float) -> list:
    """Picture and sound of 8 s whose clocks jump at two places, in grid frames."""
    of_picture, of_sound = places
    return together(
        pictures(0, of_picture),
        pictures(of_picture, 200, shift_s),
        sounds(0, of_sound),
        sounds(of_sound, 200, shift_s),
    )


@pytest.mark.parametrize("shift_s", [3600, -3600, 2**40, -(2**40), 5])
@pytest.mark.parametrize("places", [(100, 100), (100, 110), (110, 100), (100, 101), (101, 100)])
def test_sound_stays_with_the_picture_whichever_jumps_first(places, shift_s):
    got = fed(jumped(places, shift_s))
    assert got.indices == list(range(200))
    assert np.array_equal(got.heard(), ramp(0, 640 * 200))
    assert got.reasons == [f"jumped in time by {float(shift_s):+.1f} s"]
    assert got.feed.counts.silent == 0


@pytest.mark.parametrize("shift_s", [3600, -3600])
def test_sound_that_jumps_alone_goes_on_by_arrival(shift_s):
    items = together(pictures(0, 250), sounds(0, 100), sounds(100, 250, shift_s))
    got = fed(items)
    assert got.indices == list(range(250))
    assert np.array_equal(got.heard()[: 640 * 100], ramp(0, 640 * 100))
    back = got.heard()[640 * 160 :]
    first = int(np.flatnonzero(back)[0])
    off = int(back[first]) - int(ramp(640 * 160 + first, 640 * 160 + first + 1)[0])
    assert abs(off) <= 640


@pytest.mark.parametrize("shift_s", [3600, -3600])
def test_what_jumps_and_is_not_live_goes_on_one_picture_later(shift_s):
    for places in [(100, 100), (100, 102), (102, 100)]:
        got = fed(jumped(places, shift_s), live=False)
        assert got.indices == list(range(200))
        assert np.array_equal(got.heard(), ramp(0, 640 * 200))
        assert [tick.frame.index for tick in got.ticks if tick.begins] == [0, places[0]]


def test_a_clock_that_begins_anew_after_a_break():
    early = together(pictures(0, 100), sounds(0, 100))
    late = together(pictures(100, 200, -4, 10.0), sounds(100, 200, -4, 10.0))
    got = fed([*early, Broken("came back", 13.9), *late])
    assert got.reasons == ["came back"]
    assert got.indices[:100] == list(range(100))
    moved = got.indices[100] - 100
    assert moved == pytest.approx(250, abs=1)
    assert got.indices[100:] == list(range(100 + moved, 200 + moved))
    after = got.heard()[640 * (100 + moved) :]
    assert np.array_equal(after, ramp(640 * 100, 640 * 200))


def test_a_picture_that_is_held_up_while_sound_goes_on_stays_with_it():
    """The pictures of three seconds come all at once, after them."""
    late = [picture(k, k * STEP, max(float(k * STEP), 7.0)) for k in range(100, 300)]
    got = fed(together(pictures(0, 100), late, sounds(0, 300)))
    assert got.indices == list(range(300))
    assert np.array_equal(got.heard(), ramp(0, 640 * 300))


def test_a_stream_that_is_held_up_does_not_get_ahead_for_ever():
    """Once and again all comes three seconds late, at once."""
    items = []
    for k in range(1_000):
        held_s = k // 200 * 8 + 3.0 if k // 25 % 8 in (0, 1, 2) else 0.0
        items.append(picture(k, k * STEP, max(float(k * STEP), held_s)))
    got = fed(sorted(items, key=lambda item: item.at_s), has_sound=False)
    assert got.indices[-1] < 1_000 + 3 * 25


# Another source


def of_another(first: int, stop: int, clock_s: float, drift: float = 1.0, jitter_s: float = 0.0):
    """Pieces of `ramp` on a clock of their own."""
    late = np.random.default_rng(0).uniform(0, jitter_s, stop) if jitter_s else np.zeros(stop)
    arrivals = np.maximum.accumulate((np.arange(stop) + 1) / 25 + late)
    return [
        sound(
            ramp(640 * k, 640 * (k + 1)),
            Fraction(clock_s + k / 25 * drift).limit_denominator(100_000),
            float(arrivals[k]),
            stream=1,
        )
        for k in range(first, stop)
    ]


def off_by(heard: np.ndarray) -> np.ndarray:
    """By how many samples `ramp` is late, where there is sound."""
    places = np.flatnonzero(heard)
    off = places - (heard[places].astype(int) - 1)
    return (off + 15_000) % 30_000 - 15_000


@pytest.mark.parametrize("clock_s", [0.0, 1e6, -5.0])
def test_sound_of_another_source_is_placed_by_arrival(clock_s):
    got = fed(together(pictures(0, 200), of_another(0, 200, clock_s)))
    assert got.indices == list(range(200))
    assert np.abs(off_by(got.heard())).max() <= 16
    assert got.feed.counts.silent <= 1


def test_jitter_of_arrival_does_not_move_it():
    got = fed(together(pictures(0, 500), of_another(0, 500, 77.0, jitter_s=0.08)))
    off = off_by(got.heard())
    assert np.abs(off).max() <= 0.1 * 16_000
    assert len(set(off)) <= 2


def test_a_clock_that_runs_apart_or_jumps_is_set_anew():
    drifting = fed(together(pictures(0, 800), of_another(0, 800, 5.0, drift=1.01)))
    assert np.abs(off_by(drifting.heard())).max() <= 0.15 * 16_000
    items = together(pictures(0, 200), of_another(0, 100, 0.0), of_another(100, 200, 3600.0))
    jumped_once = fed(items)
    assert np.abs(off_by(jumped_once.heard())).max() <= 0.1 * 16_000
    assert jumped_once.feed.counts.silent <= 1


def test_a_file_beside_a_file_begins_with_the_picture():
    items = together(pictures(0, 50, 3), of_another(0, 50, 1_000.0))
    got = fed(items, live=False)
    assert np.array_equal(got.heard(), ramp(0, 640 * 50))


# Odd frames


@pytest.mark.parametrize("live", [True, False])
def test_sound_without_timestamps_follows_itself(live):
    pieces = [sound(ramp(640 * k, 640 * (k + 1)), None, (k + 1) / 25) for k in range(50)]
    got = fed(together(pictures(0, 50), pieces), live=live)
    assert np.abs(off_by(got.heard())).max() <= 16


def test_pictures_and_sound_without_timestamps():
    pieces = [sound(ramp(640 * k, 640 * (k + 1)), None, (k + 1) / 25) for k in range(50)]
    got = fed(together([picture(k, None, k / 25) for k in range(50)], pieces))
    assert got.indices == list(range(50))
    assert np.abs(off_by(got.heard())).max() <= 16


def test_sound_may_change_its_form():
    whole = clicks((0.5, 1.5, 2.5), 3.0, 48_000)
    items = []
    for k in range(75):
        part = whole[1920 * k : 1920 * (k + 1)]
        layout = "stereo" if 25 <= k < 50 else "mono"
        samples = np.repeat(part, 2) if layout == "stereo" else part
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate = 48_000
        items.append(type(picture(0, 0))(frame, k * STEP, float((k + 1) * STEP)))
    got = fed(together(pictures(0, 75), items))
    assert click_times(got.heard()) == pytest.approx([0.5, 1.5, 2.5], abs=1e-3)
    assert got.feed.counts.silent == 0


def test_samples_that_are_no_numbers_are_silence():
    broken = np.full((1, 640), np.nan, np.float32)
    frame = av.AudioFrame.from_ndarray(broken, format="flt", layout="mono")
    frame.sample_rate = 16_000
    bad = type(picture(0, 0))(frame, Fraction(0), 0.04)
    got = fed(together(pictures(0, 10), [bad], sounds(1, 10)))
    assert not got.heard()[:640].any()
    assert np.array_equal(got.heard()[640:], ramp(640, 6400))


def test_sound_that_cannot_be_mixed_is_silence_and_noted(tmp_path):
    path = tmp_path / "s.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(65)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(np.ones((48_000, 65), np.int16).tobytes())
    notes = Notes()
    items = together(pictures(0, 60), of_file(path), sounds(30, 60))
    feed = Feed(FakeInput(items), LiveConfig(), notes=notes, clock=lambda: 0.0)
    assert len([given for given in feed if isinstance(given, Tick)]) == 60
    assert any("65 channels cannot be made mono" in note for note in notes)
    heard = feed.sound.read(0, 640 * 60)
    assert not heard[: 640 * 30].any()
    assert np.array_equal(heard[640 * 32 :], ramp(640 * 32, 640 * 60))
