"""How live sources are named, and what of the names is shown."""

from __future__ import annotations

import pytest
from refusing import refusal

from asdkit.core.errors import InputError
from asdkit.core.live.addresses import address_of


@pytest.mark.parametrize(
    ("given", "kind", "form", "url", "name"),
    [
        ("-", "pipe", None, "", "pipe"),
        ("a/talk.mkv", "file", None, "a/talk.mkv", "talk"),
        ("C:/talk.mkv", "file", None, "C:/talk.mkv", "talk"),
        ("./camera", "file", None, "./camera", "camera"),
        ("v4l2:/dev/video2", "device", "v4l2", "/dev/video2", "v4l2_dev_video2"),
        ("avfoundation:1", "device", "avfoundation", "1", "avfoundation_1"),
        ("dshow:My Cam", "device", "dshow", "video=My Cam", "dshow_My_Cam"),
        ("UDP://127.0.0.1:5000", "network", "mpegts", "udp://127.0.0.1:5000", "udp_127.0.0.1_5000"),
        (
            "udp://@239.0.0.1:5000",
            "network",
            "mpegts",
            "udp://@239.0.0.1:5000",
            "udp_239.0.0.1_5000",
        ),
        ("udp://:5000", "network", "mpegts", "udp://:5000", "udp_0.0.0.0_5000"),
        ("srt://h:9?mode=caller", "network", "mpegts", "srt://h:9?mode=caller", "srt_h_9"),
        ("rtmp://h/app/key", "network", "flv", "rtmp://h/app/key", "rtmp_h"),
        ("rtsps://[::1]:322/a", "network", "rtsp", "rtsps://[::1]:322/a", "rtsps_1_322"),
    ],
)
def test_names_of_pictures(given: str, kind: str, form: str | None, url: str, name: str) -> None:
    address = address_of(given)
    assert (address.kind, address.format, address.url, address.name) == (kind, form, url, name)


@pytest.mark.parametrize(
    ("given", "form", "url"),
    [
        ("alsa:hw:1", "alsa", "hw:1"),
        ("pulse:default", "pulse", "default"),
        ("avfoundation::0", "avfoundation", ":0"),
        ("avfoundation:0", "avfoundation", ":0"),
        ("dshow:My Mic", "dshow", "audio=My Mic"),
    ],
)
def test_names_of_sounds(given: str, form: str, url: str) -> None:
    address = address_of(given, "sound")
    assert (address.format, address.url) == (form, url)


@pytest.mark.parametrize(
    ("system", "camera", "microphone"),
    [
        ("linux", ("v4l2", "/dev/video1"), ("alsa", "default")),
        ("darwin", ("avfoundation", "1"), ("avfoundation", ":0")),
    ],
)
def test_the_systems_own_devices(
    system: str, camera: object, microphone: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", system)
    seen, heard = address_of("camera:1"), address_of("microphone", "sound")
    assert (seen.format, seen.url) == camera
    assert (heard.format, heard.url) == microphone


def test_windows_does_not_number_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    assert "dshow:NAME" in refusal(InputError, address_of, "camera")


@pytest.mark.parametrize(
    ("given", "wanted", "words"),
    [
        ("http://h/a.m3u8", "picture", "asd live -"),
        ("https://h/a", "picture", "asd live -"),
        ("rtps://h/a", "picture", "Did you mean rtsp"),
        ("file:///a.mp4", "picture", "name of the file alone"),
        ("udp://h", "picture", "udp://h:5000"),
        ("rtsp://", "picture", "rtsp://HOST:PORT"),
        ("rtsp://u:pass/word@h/a", "picture", "written with %"),
        ("microphone", "picture", "sound="),
        ("camera:x", "picture", "camera:x names no camera. They are counted: camera, camera:1"),
        ("camera:", "picture", "camera: names no camera"),
        ("camera", "sound", "source="),
        ("alsa:default", "picture", "v4l2"),
        ("v4l2:/dev/video0", "sound", "alsa"),
        ("avfoundation::0", "picture", "avfoundation:0"),
    ],
)
def test_refused(given: str, wanted: str, words: str) -> None:
    assert words in refusal(InputError, address_of, given, wanted)


@pytest.mark.parametrize("scheme", ["rtsp", "rtsps", "rtmp", "rtmps", "srt", "udp"])
def test_no_secret_is_shown(scheme: str) -> None:
    given = f"{scheme}://hidden1:hidden2@h.example:1935/hidden3?key=hidden4#hidden5"
    address = address_of(given)
    assert address.url == given
    assert address.shown == f"{scheme}://h.example:1935"
    assert "hidden" not in address.name + repr(address)


@pytest.mark.parametrize("given", ["http://hidden1:hidden2@h/hidden3", "udp://hidden1:hidden2@h"])
def test_refusals_show_no_secret(given: str) -> None:
    assert "hidden" not in refusal(InputError, address_of, given)
