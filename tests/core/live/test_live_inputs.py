"""What a live session reads: files, pipes, addresses and devices."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import pytest
from listening import numbers, options, pictures, reasons, sounds, taken, write_talk
from refusing import refusal
from streams import Piece, RtmpServer, RtspServer, Sender, free_port, pieces_of, to_pipe, to_udp
from synth import clicks, write_video

from asdkit.core.errors import AsdError, ConfigError, InputError
from asdkit.core.live import reading
from asdkit.core.live.addresses import address_of
from asdkit.core.live.arrivals import Arrived
from asdkit.core.live.opening import Opened
from asdkit.core.live.options import CaptureConfig
from asdkit.core.live.reading import Decoding, paced
from asdkit.core.live.sources import open_input
from asdkit.core.notes import Notes

ALL = list(range(60))


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_talk(tmp_path_factory.mktemp("talk"))


def test_what_pauses_without_being_interrupted_goes_on(
    talk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a camera, which FFmpeg waits for; what comes at once may have been held back."""
    now_s = [0.0]

    class Pausing:
        def demux(self, tracks: Any) -> Iterator[Any]:
            for number, packet in enumerate(file.demux(tracks)):
                now_s[0] += 11 if number == 20 else 0.04
                yield packet

    monkeypatch.setattr(reading, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    notes = Notes()
    decoding = Decoding(address_of("camera"), options("camera"), notes)
    with av.open(str(talk)) as file:
        source: Any = Opened(Pausing(), file.streams.video[0], None)  # type: ignore[arg-type]
        got = numbers([*decoding.read(source, 10)])
    assert decoding.reason == reading.ENDED
    first = next(later for before, later in pairwise(got) if later > before + 1)
    assert first >= 20 + 25
    assert got == [*range(got.index(first)), *range(first, 60)]
    assert list(notes) == []


@pytest.mark.parametrize("pace", ["fast", "real"])
def test_a_file(talk: Path, pace: str) -> None:
    source = open_input(options(talk, pace=pace), Notes())
    assert (source.name, source.size, source.fps) == ("talk", (96, 64), 25)
    assert (source.live, source.has_sound, source.pixel_aspect) == (pace == "real", True, 1)
    items = taken(source)
    assert numbers(items) == ALL
    assert reasons(items) == []
    times = [picture.time_s for picture in pictures(items)]
    assert {after - before for before, after in pairwise(times)} == {Fraction(1, 25)}
    heard_s = sum(Fraction(i.frame.samples, i.frame.sample_rate) for i in sounds(items))
    assert abs(heard_s - Fraction(60, 25)) < Fraction(1, 10)
    arrivals = [item.at_s for item in items]
    assert arrivals == sorted(arrivals)


def test_a_file_is_played_at_its_own_pace() -> None:
    clock = [0.0]

    def wait(seconds: float) -> None:
        clock[0] += seconds

    def picture(time_s: float | None) -> Arrived:
        time = None if time_s is None else Fraction(str(time_s))
        return Arrived(av.VideoFrame(16, 16), time, 0.0)

    sound = Arrived(av.AudioFrame(), Fraction(9), 0.0)
    items = [picture(7.0), sound, picture(7.5), picture(None), picture(8.25), picture(1000.0)]
    items += [picture(1000.5), picture(3.0), picture(3.25)]
    played = list(paced(iter(items), lambda: clock[0], wait))
    # What leaps, on or back, is played on at once.
    assert [item.at_s for item in played] == [0, 0, 0.5, 0.5, 1.25, 1.25, 1.75, 1.75, 2.0]
    assert [item.frame for item in played] == [item.frame for item in items]


def test_closing_ends_a_file(talk: Path) -> None:
    for pace in ("fast", "real"):
        assert len(taken(open_input(options(talk, pace=pace), Notes()), lambda _: True)) == 1


def test_without_its_sound(talk: Path) -> None:
    source = open_input(options(talk, pace="fast", sound="none"), Notes())
    assert not source.has_sound
    assert sounds(taken(source)) == []


def test_udp_brings_every_picture_that_was_sent(talk: Path) -> None:
    port = free_port()
    with Sender(pieces_of(talk), to_udp(port)):
        source = open_input(options(f"udp://127.0.0.1:{port}"), Notes())
        assert (source.live, source.has_sound, source.fps) == (True, True, 25)
        items = taken(source, lambda got: len(pictures(got)) == 58)
    assert numbers(items) == ALL[:58]  # the demuxer waits for the beginning of the next one
    assert sounds(items)
    assert reasons(items) == []


def test_joining_midway_begins_with_a_whole_picture(talk: Path) -> None:
    port = free_port()
    with Sender(pieces_of(talk)[17:], to_udp(port)):
        source = open_input(options(f"udp://127.0.0.1:{port}"), Notes())
        got = numbers(taken(source, lambda got: len(pictures(got)) == 20))
    assert got[0] % 12 == 0
    assert got == list(range(got[0], got[0] + 20))


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """Makes standard input a pipe, and gives the end to write to."""
    with ExitStack() as stack:

        def pipe() -> int:
            read, write = os.pipe()
            monkeypatch.setattr("sys.stdin", stack.enter_context(os.fdopen(read)))
            return write

        yield pipe


@pytest.mark.parametrize("suffix", [".ts", ".mkv"])
def test_a_pipe(suffix: str, tmp_path: Path, piped: Callable[[], int]) -> None:
    path = write_video(tmp_path / f"a{suffix}", frames=20)
    data = path.read_bytes()
    pieces = [Piece(0.0, data[k : k + 1000]) for k in range(0, len(data), 1000)]
    with Sender(pieces, to_pipe(piped()), speed=0):
        source = open_input(options("-", allow_silent=True), Notes())
        assert (source.name, source.live, source.has_sound) == ("pipe", True, False)
        items = taken(source)
    assert numbers(items) == list(range(20))
    assert reasons(items) == []


def test_closing_ends_a_pipe_that_is_silent(talk: Path, piped: Callable[[], int]) -> None:
    end = piped()
    data = b"".join(piece.data for piece in pieces_of(talk))
    threading.Thread(target=os.write, args=(end, data), daemon=True).start()
    before = set(threading.enumerate())
    source = open_input(options("-"), Notes())
    (reader,) = {t for t in set(threading.enumerate()) - before if t.name == "asdkit-live"}
    threading.Timer(0.1, source.close).start()
    taken(source)
    reader.join(30)
    assert not reader.is_alive()
    os.close(end)


def test_pipes_without_a_stream_are_refused(
    piped: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    os.close(piped())
    assert "nothing came through it" in refusal(InputError, open_input, options("-"), Notes())
    end = piped()
    os.write(end, b"#EXTM3U\nhttp://127.0.0.1:9/a.ts\n")
    os.close(end)
    assert "cannot be opened" in refusal(InputError, open_input, options("-"), Notes())
    monkeypatch.setattr("sys.stdin", None)
    assert "nothing is piped in" in refusal(InputError, open_input, options("-"), Notes())


def test_rtsp(talk: Path) -> None:
    with RtspServer(pieces_of(talk)) as server:
        source = open_input(options(server.url), Notes())
        items = taken(source)
    assert numbers(items)[:59] == ALL[:59]
    assert reasons(items) == ["broke off: its sender ended it"]
    assert [line.split()[0] for line in server.asked[:4]] == [
        "OPTIONS",
        "DESCRIBE",
        "SETUP",
        "PLAY",
    ]


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="PyAV cannot serve RTMP, the command can")
def test_rtmp(talk: Path, tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", frames=40, sounds=[(0.0, clicks([0.5], 1.6))])
    with RtmpServer(path) as server:
        items = taken(open_input(options(server.url), Notes()))
    assert numbers(items)[:35] == list(range(35))
    assert sounds(items)


@pytest.mark.parametrize("scheme", ["rtsp", "rtmp"])
def test_a_refused_connection_shows_no_secret(scheme: str) -> None:
    port = free_port(socket.SOCK_STREAM)
    given = f"{scheme}://hidden1:hidden2@127.0.0.1:{port}/hidden3?hidden4"
    with pytest.raises(InputError) as caught:
        open_input(options(given), Notes())
    assert "Connection refused" in str(caught.value)
    assert "hidden" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.slow
def test_udp_that_nobody_sends_to() -> None:
    given = f"udp://127.0.0.1:{free_port()}"
    given_up = options(given, live={"stall_s": 0.5})
    text = refusal(InputError, open_input, given_up, Notes())
    assert f"{given} cannot be opened: nothing came for 2.5 s" in text


def test_a_protocol_that_ffmpeg_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(*_: Any, **__: Any) -> None:
        raise av.error.ProtocolNotFoundError(1, "Protocol not found", "srt://u:hidden@h:5")

    monkeypatch.setattr("av.open", lacking)
    text = refusal(InputError, open_input, options("srt://u:hidden@h:5"), Notes())
    assert "built without srt" in text
    assert "ffmpeg -i ADDRESS -c copy -f mpegts - | asd live -" in text
    assert "hidden" not in text


def test_what_is_not_there_is_refused(talk: Path, tmp_path: Path) -> None:
    silent = write_video(tmp_path / "silent.ts", frames=30)
    port = free_port()
    for others, words in (
        ({}, "no sound that can be decoded"),
        ({"allow_silent": True, "video_track": 1}, "no video track 1"),
        ({"sound_track": 0}, "no sound track 0"),
        ({"allow_silent": True, "max_pixels": 100}, "max_pixels=6144"),
    ):
        with Sender(pieces_of(silent), to_udp(port)):
            given = options(f"udp://127.0.0.1:{port}", **others)
            assert words in refusal(InputError, open_input, given, Notes())
    assert "No such file" in refusal(InputError, open_input, options(tmp_path / "no"), Notes())
    for given, meant in (("cammera", "camera"), ("/dev/video98", "v4l2:/dev/video98")):
        text = refusal(InputError, open_input, options(given), Notes())
        assert text == f"{given} is no file. Did you mean {meant}?"


@pytest.mark.parametrize(
    ("source", "others", "words"),
    [
        ("camera", {"pace": "fast"}, "pace=fast takes a file"),
        ("talk.ts", {"pace": "fast", "sound": "microphone"}, "pace=fast takes a file with its own"),
        ("talk.ts", {"capture": CaptureConfig(fps=30)}, "name a camera"),
        ("udp://h:5", {"program": 1}, "video_track"),
        ("camera", {"sound": "talk.wav"}, "-c copy BOTH.mkv"),
    ],
)
def test_options_that_do_not_fit(source: str, others: dict[str, Any], words: str) -> None:
    assert words in refusal(ConfigError, open_input, options(source, **others), Notes())


def test_a_camera_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("av.formats_available", {"video4linux2,v4l2"})
    monkeypatch.setattr("asdkit.core.live.opening._DEVICES", tmp_path)
    asked = options("v4l2:/dev/video98")
    assert "knows of no camera" in refusal(InputError, open_input, asked, Notes())
    (tmp_path / "video2").touch()
    there = f"There are v4l2:{tmp_path / 'video2'}"
    assert there in refusal(InputError, open_input, asked, Notes())


class _Devices:
    """Stands for `av.open`: a camera and a microphone, made of a file."""

    def __init__(self, path: Path) -> None:
        self._path, self._open, self.asked = path, av.open, []

    def __call__(self, name: str, **asked: Any) -> Any:
        self.asked.append((name, asked))
        return self._open(str(self._path))


def test_a_camera_and_a_microphone(talk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    devices = _Devices(talk)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("av.formats_available", {"video4linux2,v4l2", "alsa"})
    monkeypatch.setattr("av.open", devices)
    capture = CaptureConfig(size="96x64", fps=25, format="mjpeg")
    source = open_input(options("camera:1", sound="microphone", capture=capture), Notes())
    assert (source.name, source.has_sound) == ("v4l2_dev_video1", True)
    items = taken(source)
    assert numbers(items) == ALL
    assert {picture.stream for picture in pictures(items)} == {0}
    assert {sound.stream for sound in sounds(items)} == {1}
    (camera, asked), (microphone, heard) = devices.asked
    assert (camera, asked["format"]) == ("/dev/video1", "v4l2")
    assert asked["container_options"] == {
        "format_whitelist": "video4linux2,v4l2",
        "video_size": "96x64",
        "framerate": "25",
        "input_format": "mjpeg",
    }
    assert (microphone, heard["format"]) == ("default", "alsa")
    assert heard["container_options"] == {"format_whitelist": "alsa"}


@pytest.mark.skipif("alsa" not in av.formats_available, reason="this FFmpeg reads no ALSA")
def test_a_sound_device(talk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    conf = tmp_path / "alsa.conf"
    conf.write_text("pcm.quiet { type null }\n")
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(conf))
    source = open_input(options(talk, sound="alsa:quiet"), Notes())
    items = taken(source, lambda got: len(pictures(got)) >= 3 and len(sounds(got)) >= 3)
    assert source.has_sound
    assert {sound.stream for sound in sounds(items)} == {1}


def test_a_file_that_is_gone(talk: Path, tmp_path: Path) -> None:
    path = tmp_path / "gone.ts"
    path.write_bytes(talk.read_bytes())
    source = open_input(options(path, pace="fast"), Notes())
    path.unlink()
    assert "cannot be read any more" in refusal(InputError, list, source)


def test_devices_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("av.formats_available", {"alsa", "mov,mp4"})
    text = refusal(InputError, open_input, options("avfoundation:0"), Notes())
    assert "built without avfoundation. It reads: alsa" in text
    monkeypatch.setattr("av.formats_available", {"video4linux2,v4l2"})
    text = refusal(AsdError, open_input, options("v4l2:/dev/nothing"), Notes())
    assert "cannot be opened" in text
