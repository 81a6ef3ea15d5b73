"""Live sources that stall, break off, come back, are damaged or change."""

from __future__ import annotations

import threading
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest
from listening import numbers, options, pictures, reasons, sounds, taken, write_talk
from streams import (
    RtspServer,
    Sender,
    cut,
    free_port,
    joined,
    pieces_of,
    to_udp,
    with_garbage,
)
from synth import clicks, write_video

from asdkit.core.live.arrivals import Arrived, Broken, Input
from asdkit.core.live.sources import open_input
from asdkit.core.notes import Notes


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_talk(tmp_path_factory.mktemp("talk"))


def _received(pieces: Any, enough: int, **others: Any) -> list[Arrived | Broken]:
    """What is received by UDP until there are so many pictures."""
    port = free_port()
    with Sender(pieces, to_udp(port)):
        source = open_input(options(f"udp://127.0.0.1:{port}", **others), Notes())
        return taken(source, lambda got: len(pictures(got)) >= enough)


def _steps(items: list[Arrived | Broken]) -> list[Fraction]:
    times = [item.time_s for item in pictures(items)]
    return [after - before for before, after in pairwise(times)]


def test_a_stall(talk: Path) -> None:
    port = free_port()
    with Sender(pieces_of(talk), to_udp(port), held_s=1.6) as sender:

        def enough(got: list[Arrived | Broken]) -> bool:
            if reasons(got):
                sender.go_on()
            return len(pictures(got)) >= 50

        given = options(f"udp://127.0.0.1:{port}", live={"stall_s": 0.5})
        items = taken(open_input(given, Notes()), enough)
    assert numbers(items) == list(range(50))
    assert reasons(items)[:2] == ["stalled: no picture came for 0.5 s", "came back"]
    stall = next(item for item in items if isinstance(item, Broken))
    assert stall.ends_stretch
    assert items.index(stall) > 20


def test_lost_bytes_lose_pictures_and_end_nothing(talk: Path) -> None:
    items = _received(cut(pieces_of(talk), 0.9, 0.3), 46)
    first, *_, last = pictures(items)
    assert numbers([last]) == [(last.time_s - first.time_s) * 25]  # in time, and whole again
    assert reasons(items) == []


def test_another_encoder_is_opened_anew(talk: Path, tmp_path: Path) -> None:
    other = write_video(tmp_path / "other.ts", frames=250, codec="mpeg2video", keyframe_every=5)
    pieces = joined(pieces_of(talk), pieces_of(other))
    items = _received(pieces, 70, live={"stall_s": 0.5, "reconnect_s": None})
    assert "broke off: its picture could not be decoded any more" in reasons(items)
    assert reasons(items)[-1] == "came back"


def test_garbage_ends_nothing(talk: Path) -> None:
    items = _received(with_garbage(pieces_of(talk), 0.9, 0.4), 35)
    assert reasons(items) == []
    assert numbers(list(pictures(items)[:15])) == list(range(15))


def test_pure_garbage_for_longer_than_ffmpeg_looks_ends_nothing(talk: Path) -> None:
    pieces = pieces_of(talk)
    noise = [piece._replace(data=bytes([7]) * 30_000) for piece in pieces[20:26]]
    items = _received(pieces[:20] + noise + pieces[26:], 40)
    assert reasons(items) == []


def test_timestamps_that_leap(talk: Path) -> None:
    items = _received(pieces_of(talk, leap=(1.0, 5.0)), 50)
    assert numbers(items) == list(range(50))
    assert sorted(set(_steps(items))) == [Fraction(1, 25), Fraction(1, 25) + 5]


def test_sound_that_is_lost(talk: Path) -> None:
    items = _received(pieces_of(talk, silent_from_s=1.0), 50)
    assert numbers(items) == list(range(50))
    assert sounds(items)
    begun = pictures(items)[0].time_s
    assert all(item.time_s - begun < Fraction("1.2") for item in sounds(items))


def test_a_picture_that_is_lost_is_a_stall(talk: Path) -> None:
    port = free_port()
    with Sender(pieces_of(talk, blind_from_s=1.0), to_udp(port)):
        given = options(f"udp://127.0.0.1:{port}", live={"stall_s": 0.5})
        items = taken(open_input(given, Notes()), lambda got: bool(reasons(got)))
    assert reasons(items) == ["stalled: no picture came for 0.5 s"]


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("wide") / "wide.ts"
    sounds = [(0.0, clicks([0.5], 1.2, rate=48_000))]
    return write_video(path, frames=30, size=(160, 96), sounds=sounds, sound_rate=48_000)


def test_a_change_of_size(talk: Path, wide: Path) -> None:
    port = free_port()
    pieces = joined(pieces_of(talk)[:40], pieces_of(wide))
    sizes = []
    with Sender(pieces, to_udp(port)):
        source = open_input(options(f"udp://127.0.0.1:{port}"), Notes())
        sizes.append(source.size)
        items = taken(source, lambda got: len(pictures(got)) >= 55)
        sizes.append(source.size)
    assert sizes == [(96, 64), (160, 96)]
    changed = next(i for i in items if isinstance(i, Broken) and "size" in i.reason)
    assert (changed.reason, changed.ends_stretch) == ("changed its size to 160x96", True)
    after = items[items.index(changed) :]
    assert {(i.frame.width, i.frame.height) for i in pictures(after)} == {(160, 96)}
    sound = next(i for i in items if isinstance(i, Broken) and "sound" in i.reason)
    assert (sound.reason, sound.ends_stretch) == ("changed its sound to 48000 Hz, mono", False)


def test_pictures_that_become_too_large_are_left_out(talk: Path, wide: Path) -> None:
    pieces = joined(pieces_of(talk)[:40], pieces_of(wide), pieces_of(talk))
    items = _received(pieces, 60, max_pixels=10_000)
    told = [reason for reason in reasons(items) if "size" in reason]
    assert told == [
        "changed its size to 160x96, more than max_pixels=10000",
        "changed its size to 96x64",
    ]
    assert {(i.frame.width, i.frame.height) for i in pictures(items)} == {(96, 64)}


def test_a_stream_that_breaks_off_is_opened_again(talk: Path) -> None:
    with RtspServer(pieces_of(talk)[:40], times=2) as server:
        source = open_input(options(server.url, live={"reconnect_s": None}), Notes())
        items = taken(source, lambda got: len(reasons(got)) == 3)
    first, back, last = (item for item in items if isinstance(item, Broken))
    assert (first.reason, first.ends_stretch) == ("broke off: its sender ended it", True)
    assert (back.reason, back.ends_stretch) == ("came back", False)
    assert last.reason == first.reason
    before, after = items[: items.index(first)], items[items.index(back) :]
    assert numbers(after) == numbers(before) == list(range(len(pictures(before))))


def test_a_stream_that_does_not_come_back(talk: Path) -> None:
    with RtspServer(pieces_of(talk)[:30]) as server:
        source = open_input(options(server.url, live={"reconnect_s": 1}), Notes())
        items = taken(source)
    assert reasons(items) == ["broke off: its sender ended it", "did not come back within 1 s"]
    assert items[-1] is not pictures(items)[-1]


def test_closing_ends_the_attempts(talk: Path) -> None:
    before = set(threading.enumerate())
    with RtspServer(pieces_of(talk)[:30]) as server:
        source = open_input(options(server.url, live={"reconnect_s": None}), Notes())
        readers = [t for t in set(threading.enumerate()) - before if t.name == "asdkit-live"]
        taken(source, lambda got: bool(reasons(got)))
    assert len(readers) == 1
    readers[0].join(30)
    assert not readers[0].is_alive()


@pytest.mark.slow
def test_udp_that_falls_silent_has_broken_off(talk: Path) -> None:
    port = free_port()
    with Sender(pieces_of(talk)[:40], to_udp(port)):
        given = options(f"udp://127.0.0.1:{port}", live={"stall_s": 0.5})
        items = taken(open_input(given, Notes()))
    assert reasons(items) == [
        "stalled: no picture came for 0.5 s",
        "broke off: nothing came for 2.5 s",
    ]


class _Empty:
    """An open container that ends before its first packet."""

    def __init__(self, container: Any) -> None:
        self._container = container

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def __enter__(self) -> _Empty:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def demux(self, _: Any) -> Any:
        return iter(())


def test_a_camera_that_is_unplugged_and_a_microphone_that_goes_on(
    talk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, cameras = av.open, []

    def opened(name: str, **_: Any) -> Any:
        if name == "default":
            return real(str(talk))
        cameras.append(name)
        if len(cameras) == 2:
            raise av.error.OSError(19, "No such device", name)
        return _Empty(real(str(talk))) if len(cameras) == 3 else real(str(talk))

    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("av.formats_available", {"video4linux2,v4l2", "alsa"})
    monkeypatch.setattr("av.open", opened)
    live = {"reconnect_s": 60}
    source: Input = open_input(options("camera", sound="alsa:default", live=live), Notes())
    items = taken(source, lambda got: len(pictures(got)) >= 80)
    assert len(cameras) == 4
    mine = [reason for reason in reasons(items) if "sound" not in reason]
    assert mine == ["broke off: its sender ended it", "came back"]
    lost = [i for i in items if isinstance(i, Broken) and "sound" in i.reason]
    assert lost
    assert not lost[0].ends_stretch
    assert lost[0].reason == "lost its sound, which broke off: its sender ended it"
