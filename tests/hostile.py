"""Inputs that are odd, damaged or hostile, for tests/test_hostile.py. None of them needs a network
or is known to harm anything but a careless reader.

`media` makes files to be given to `asd run`, `texts` files of other kinds with the words that make
the command read them.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from synth import clicks, steady, write_video

SECONDS = 2
FRAMES = 25 * SECONDS
SIZE = (96, 64)
SOUND = [(0.0, clicks([0.5, 1.0, 1.5], float(SECONDS)))]
FACE = [20.0, 10.0, 60.0, 50.0, 0.9]
BOXES = json.dumps([[FACE]] * FRAMES)

CONTAINERS = {
    "whole.mp4": {},
    "whole.mov": {},
    "whole.mkv": {},
    "whole.webm": {},
    "whole.avi": {},
    "whole.mpg": {},
    "whole.ts": {},
    "whole.flv": {"codec": "flv", "sound_codec": "aac"},
    "whole.ogg": {"codec": "libtheora", "sound_codec": "libvorbis", "sound_rate": 44_100},
    "whole.wmv": {"codec": "wmv2", "sound_codec": "wmav2"},
    "whole.gif": {"codec": "gif", "pixels": "rgb8", "sounds": ()},
    "whole.apng": {"codec": "apng", "pixels": "rgb24", "sounds": ()},
    "whole.webp": {"codec": "libwebp_anim", "pixels": "yuv420p", "sounds": ()},
}
"""What `write_video` is told for a file of each container."""


def whole(folder: Path, name: str) -> Path:
    """An undamaged file of 2 s in the container that its name says."""
    how = {"sounds": SOUND, "image": steady, **CONTAINERS[name]}
    return write_video(folder / name, frames=FRAMES, size=SIZE, **how)


def dv(folder: Path) -> Path:
    """Raw DV, whose picture has one size alone."""
    rate = {"sound_codec": "pcm_s16le", "sound_rate": 48_000, "codec": "dvvideo"}
    sounds = [(0.0, np.repeat(clicks([0.5], 1.0, 48_000)[:, None], 2, axis=1))]
    return write_video(
        folder / "whole.dv", frames=25, size=(720, 576), pixels="yuv420p", sounds=sounds, **rate
    )


def fragmented(folder: Path) -> Path:
    """An MP4 in fragments, as cameras and streams write it."""
    source, path = whole(folder, "whole.mp4"), folder / "fragmented.mp4"
    flags = {"movflags": "frag_keyframe+empty_moov"}
    with av.open(str(source)) as old, av.open(str(path), "w", container_options=flags) as new:
        twins = {stream.index: new.add_stream_from_template(stream) for stream in old.streams}
        for packet in old.demux():
            if packet.dts is not None:
                packet.stream = twins[packet.stream.index]
                new.mux(packet)
    return path


def containers(folder: Path) -> dict[str, Path]:
    """An undamaged file of each container that FFmpeg here writes."""
    found: dict[str, Path] = {}
    makers: dict[str, Callable[[Path], Path]] = {
        name.removeprefix("whole."): (lambda where, name=name: whole(where, name))
        for name in CONTAINERS
    }
    makers |= {"dv": dv, "fragmented": fragmented}
    for name, make in makers.items():
        try:
            found[name] = make(folder)
        except (av.FFmpegError, ValueError):  # no encoder of this kind is built in
            continue
    return found


def cut(source: Path, path: Path, part: float) -> None:
    """The first part of a file."""
    data = source.read_bytes()
    path.write_bytes(data[: round(part * len(data))])


def flipped(source: Path, path: Path, bits: int) -> None:
    """A file with some bits the other way round, the same ones each time."""
    data = bytearray(source.read_bytes())
    for place in np.random.default_rng(bits).integers(0, 8 * len(data), bits):
        data[place // 8] ^= 1 << int(place % 8)
    path.write_bytes(bytes(data))


def damaged(source: Path, folder: Path, name: str) -> dict[str, Path]:
    """A file cut at 10, 50 and 90 %, and with 1, 10 and 100 bits flipped."""
    found = {}
    for percent in (10, 50, 90):
        found[f"{name}_cut_{percent}"] = folder / f"{name}_cut_{percent}{source.suffix}"
        cut(source, found[f"{name}_cut_{percent}"], percent / 100)
    for bits in (1, 10, 100):
        found[f"{name}_flipped_{bits}"] = folder / f"{name}_flipped_{bits}{source.suffix}"
        flipped(source, found[f"{name}_flipped_{bits}"], bits)
    return found


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int) -> bytes:
    """A PNG that says a size and holds a single row."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    row = zlib.compress(bytes(1 + min(width, 64)))
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + _chunk(b"IHDR", head) + _chunk(b"IDAT", row) + _chunk(b"IEND", b"")


def gif(width: int, height: int) -> bytes:
    """A GIF whose canvas has a size, with one small picture on it."""
    canvas = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    return canvas + b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00;"


def lists(second: Path, port: int) -> dict[str, tuple[str, str]]:
    """Files that name other files or addresses: (name of the file, text), by what they are.

    Args:
        second: A clip that none of them may make anyone open.
        port: Of a server of the test's own on this machine.
    """
    address = f"http://127.0.0.1:{port}/second.mp4"
    hls = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{}\n#EXT-X-ENDLIST\n"
    dash = (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT2S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011">'
        '<Period><AdaptationSet mimeType="video/mp4"><Representation id="0" bandwidth="1">'
        "<BaseURL>{}</BaseURL></Representation></AdaptationSet></Period></MPD>"
    )
    return {
        "hls": ("list.m3u8", hls.format(second.name)),
        "hls_absolute": ("list_absolute.m3u8", hls.format(second)),
        "hls_as_mp4": ("hls.mp4", hls.format(second.name)),
        "hls_as_mkv": ("hls.mkv", hls.format(second)),
        "hls_file_url": ("hls_url.m3u8", hls.format(f"file:{second}")),
        "hls_address": ("hls_address.m3u8", hls.format(address)),
        "concat": ("concat.txt", f"ffconcat version 1.0\nfile '{second.name}'\n"),
        "concat_as_mp4": ("concat.mp4", f"ffconcat version 1.0\nfile '{second.name}'\n"),
        "concat_absolute": ("concat.avi", f"ffconcat version 1.0\nfile '{second}'\n"),
        "concat_address": ("concat.mkv", f"ffconcat version 1.0\nfile '{address}'\n"),
        "dash": ("list.mpd", dash.format(second.name)),
        "dash_as_mp4": ("dash.mp4", dash.format(second.name)),
        "dash_address": ("dash_address.mpd", dash.format(address)),
        "sdp": ("call.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
                f"m=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n"),
        "sdp_as_mp4": ("call.mp4", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nt=0 0\n"
                       f"m=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n"),
        "pls": ("list.pls", f"[playlist]\nNumberOfEntries=1\nFile1={second}\n"),
        "asx": ("list.asx", f'<asx version="3.0"><entry><ref href="{address}"/></entry></asx>'),
        "smil": ("list.smil", f'<smil><body><video src="{second.name}"/></body></smil>'),
        "rtsp_text": ("moved.mov", f"RTSPtext\r\nrtsp://127.0.0.1:{port}/second\r\n"),
        "quicktime_reference": ("qt.mov", f"SMILtext<?xml version='1.0'?><embed src='{address}'/>"),
        "url_file": ("link.url", f"[InternetShortcut]\nURL={address}\n"),
        "tee_name": ("tee.ffmeta", f";FFMETADATA1\ntitle={second}\n"),
        "cue": ("list.cue", f'FILE "{second.name}" WAVE\n TRACK 01 AUDIO\n INDEX 01 00:00:00\n'),
        "imf": ("cpl.xml", '<?xml version="1.0"?><CompositionPlaylist '
                'xmlns="http://www.smpte-ra.org/schemas/2067-3/2016"></CompositionPlaylist>'),
        "vobsub": ("second.idx", f"# VobSub index file, v7\nsize: 720x576\nid: en, index: 0\n"
                   f"# {second}\ntimestamp: 00:00:00:000, filepos: 000000000\n"),
    }  # fmt: skip


def odd_names(folder: Path, clip: bytes) -> dict[str, str]:
    """The clip under names that mean something to somebody, by what is odd about them."""
    names = {
        "pattern": "frame%03d.mp4",
        "pattern_image": "frame%03d.png",
        "glob": "clip*[0-9]?.mp4",
        "colon": "concat:second.mp4",
        "scheme": "http:second.mp4",
        "pipe_letter": "a|b.mp4",
        "percent": "100%.mp4",
        "dots": "...mp4",
        "two_dots": "..mp4",
        "hidden": ".mp4",
        "no_suffix": "clip",
        "spaces": "  clip  .mp4",
        "newline": "a\nb.mp4",
        "quotes": "a'b\"c.mp4",
        "dollar": "${oc.env:HOME}.mp4",
        "question_marks": "???",
        "equals": "a=b.mp4",
        "comma": "a,b.mp4",
        "backslash": "a\\b.mp4",
        "right_to_left": "\u202e4pm.mp4",
        "long": "n" * 250 + ".mp4",
        "formula": "=1+1.mp4",
        "null": "null",
    }
    for name in names.values():
        (folder / name).write_bytes(clip)
    return names


def no_media(folder: Path) -> dict[str, str]:
    """Files that are no videos, by what they are."""
    contents: dict[str, bytes] = {
        "empty.mp4": b"",
        "one_byte.mp4": b"\0",
        "zeros.mp4": bytes(100_000),
        "random.mp4": np.random.default_rng(1).bytes(100_000),
        "text.mp4": b"This is not a film.\n" * 100,
        "page.mp4": b"<!DOCTYPE html><html><body>Not found</body></html>",
        "archive.mp4": b"PK\x03\x04" + bytes(1000),
        "pickle.mp4": b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00]\x94.",
        "script.sh": b"#!/bin/sh\necho no\n",
        "words.srt": b"1\n00:00:00,000 --> 00:00:01,000\nhello\n",
        "table.csv": b"a,b\n1,2\n",
        "vector.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="/etc/hosts"/></svg>',
        "head_only.mp4": b"\0\0\0\x18ftypisom\0\0\0\0isommp42",
        "size_too_large.mp4": b"\xff\xff\xff\xffftypisom" + bytes(100),
        "ebml_only.mkv": bytes.fromhex("1A45DFA3") + bytes(64),
        "riff_only.avi": b"RIFF\xff\xff\xff\x7fAVI LIST",
        "huge.png": png(60_000, 60_000),
        "huge_number.png": png(0x7FFFFFFF, 0x7FFFFFFF),
        "huge.gif": gif(16_000, 16_000),
        "huger.gif": gif(65_535, 65_535),
        "small.png": png(64, 64),
        "no_size.png": png(0, 0),
        "module.mod": b"M.K." + bytes(2000),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name.replace(".", "_"): name for name in contents}


def odd_media(folder: Path) -> dict[str, Path]:
    """Valid files at the edges of what there is, by what is odd about them."""
    quiet = [(0.0, np.zeros(44_100, np.int16))]
    loud = [(0.0, np.full(44_100, 32_767, np.int16))]

    def video(name: str, **how: object) -> Path:
        given: dict[str, object] = {"frames": 25, "size": SIZE, "sounds": SOUND, **how}
        return write_video(folder / name, **given)  # type: ignore[arg-type]

    hour = [Fraction(k, 25) for k in range(10)] + [3600 + Fraction(k, 25) for k in range(10)]
    day = [Fraction(k, 25) for k in range(10)] + [86_400 + Fraction(k, 25) for k in range(10)]
    makers: dict[str, Callable[[], Path]] = {
        "one_frame": lambda: video("one.mp4", frames=1),
        "two_frames": lambda: video("two.mkv", frames=2),
        "one_fps": lambda: video("slow.mp4", fps=1, frames=3),
        "high_fps": lambda: video("fast.mp4", fps=120, frames=120),
        "tiny": lambda: video("tiny.mkv", size=(16, 16), frames=5),
        "odd_size": lambda: video("odd.mkv", size=(33, 17), frames=5),
        "one_pixel_high": lambda: video("flat.mkv", size=(64, 2), frames=5),
        "wide": lambda: video("wide.mkv", size=(8000, 4000), frames=2),
        "grey": lambda: video("grey.mkv", pixels="gray", frames=5),
        "twelve_bits": lambda: video("deep.mkv", pixels="yuv444p12le", frames=5),
        "alpha": lambda: video("alpha.mkv", pixels="bgra", frames=5),
        "no_sound": lambda: video("silent.mp4", sounds=()),
        "only_sound": lambda: video("sound.mp4", frames=0),
        "digital_silence": lambda: video("quiet.mp4", sounds=quiet),
        "full_scale": lambda: video("loud.mp4", sounds=loud),
        "sound_late": lambda: video("late.mkv", sounds=[(0.9, SOUND[0][1])]),
        "sound_much_later": lambda: video("later.mkv", sounds=[(50.0, SOUND[0][1])]),
        "sound_8_khz": lambda: video("rate8.mkv", sounds=SOUND, sound_rate=8_000),
        "sound_96_khz": lambda: video("rate96.mkv", sounds=SOUND, sound_rate=96_000),
        "picture_starts_late": lambda: video("offset.mkv", starts_s=1.0),
        "picture_starts_an_hour_late": lambda: video("hour.mkv", starts_s=3600.0),
        "leap_of_an_hour": lambda: video("leap.mkv", times=hour, tick=Fraction(1, 25)),
        "leap_of_a_day": lambda: video("day.mkv", times=day, tick=Fraction(1, 25)),
    }
    found: dict[str, Path] = {}
    for name, make in makers.items():
        found[name] = make()
    found["float_sound_that_is_no_number"] = _no_numbers(folder / "nan.mkv")
    found["many_channels"] = _many_channels(folder / "channels.mkv", 24)
    return found


def _no_numbers(path: Path) -> Path:
    samples = np.full((1, 44_100), np.nan, np.float32)
    samples[0, ::3] = np.inf
    return _with_sound(path, samples, "flt", "mono", "pcm_f32le")


def _many_channels(path: Path, channels: int) -> Path:
    samples = np.zeros((1, channels * 44_100), np.int16)
    samples[0, 3::channels] = SOUND[0][1][:44_100]
    return _with_sound(path, samples, "s16", f"{channels}c", "pcm_s16le")


def _with_sound(path: Path, samples: np.ndarray, form: str, layout: str, codec: str) -> Path:
    """A second of a picture with sound in some form."""
    with av.open(str(path), "w") as container:
        picture = container.add_stream("ffv1", rate=25)
        picture.width, picture.height = SIZE
        picture.pix_fmt = "yuv420p"
        sound = container.add_stream(codec, rate=44_100)
        sound.layout = layout
        image = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
        for number in range(25):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(picture.encode(frame))
        heard = av.AudioFrame.from_ndarray(samples, format=form, layout=layout)
        heard.sample_rate, heard.pts, heard.time_base = 44_100, 0, Fraction(1, 44_100)
        container.mux(sound.encode(heard))
        for stream in (picture, sound):
            container.mux(stream.encode(None))
    return path


DEEP = "[" * 100_000
BIG = "1" + "0" * 400


def texts() -> dict[str, tuple[str, list[str]]]:
    """Texts that other readers are given: (text, words after `asd run clip.mp4`), by name.

    The text stands in the file `given`.
    """
    boxes = ["detector=boxes", "detector.path=given"]
    scenes = ["cutter=csv", "cutter.path=given"]
    calibration = ["scorer.calibration=given"]
    bad = {
        "empty": "",
        "nul": "\0\0\0",
        "deep": DEEP,
        "big_integer": BIG,
        "not_a_number": "NaN",
        "object": '{"a": 1}',
        "words": "hello",
        "interpolation": "${oc.env:HOME}",
    }
    box_lists = {
        "box_of_no_number": "[[[NaN, 1, 2, 3, 0.5]]]",
        "box_infinite": "[[[-Infinity, 1, Infinity, 3, 0.5]]]",
        "box_huge": f"[[[0, 0, {10**30}, {10**30}, 0.5]]]",
        "box_far_away": "[[[1e9, 1e9, 1.1e9, 1.1e9, 0.5]]]",
        "box_wide": "[[[-1e6, 10, 1e6, 50, 0.5]]]",
        "box_reversed": "[[[60, 50, 20, 10, 0.5]]]",
        "box_of_texts": '[[["a", "b", "c", "d", "e"]]]',
        "box_big_integer": f"[[[{BIG}, 1, 2, 3, 1]]]",
        "box_null": "[[null]]",
        "box_frame_null": "[null]",
        "boxes_of_5000_faces": json.dumps([[FACE] * 5000] * 3),
        "boxes_csv_negative_frame": "frame,x1,y1,x2,y2,score\n-1,1,1,2,2,1\n",
        "boxes_csv_big_frame": f"frame,x1,y1,x2,y2,score\n{BIG},1,1,2,2,1\n",
        "boxes_csv_half_a_row": "frame,x1,y1,x2,y2,score\n0,1\n",
    }
    scene_lists = {
        "scenes_infinite": "Start Frame,End Frame\ninf,nan\n",
        "scenes_big": f"Start Frame,End Frame\n{BIG},{BIG}\n",
        "scenes_negative": "Start Frame,End Frame\n-5,-1\n",
        "scenes_times": "Start Time (seconds),End Time (seconds)\nnan,inf\n",
    }
    found = {f"boxes_{name}": (text, boxes) for name, text in bad.items()}
    found |= {f"scenes_{name}": (text, scenes) for name, text in bad.items()}
    found |= {f"calibration_{name}": (text, calibration) for name, text in bad.items()}
    found |= {name: (text, boxes) for name, text in box_lists.items()}
    found |= {name: (text, scenes) for name, text in scene_lists.items()}
    schema = '"schema": "asdkit.calibration/1", "scorer": "lip_motion"'
    for name, value in (("nan", "NaN"), ("big", BIG), ("text", '"warm"'), ("null", "null")):
        text = f'{{{schema}, "temperature": {value}, "bias": 0}}'
        found[f"calibration_of_{name}"] = (text, calibration)
    return found


def results() -> dict[str, str]:
    """Texts of a result.json that `asd repeat` is given, by name."""
    whole = {
        "schema": "asdkit.result/2",
        "video": {"path": "clip.mp4"},
        "settings": {"video": "clip.mp4", "scorer": {"name": "lip_motion"}},
        "tracks": [],
        "provenance": {"folder": "."},
    }
    leak = {**whole, "settings": {"video": "${oc.env:HOME}", "output": "${oc.env:PATH}"}}
    return {
        "repeat_empty": "",
        "repeat_deep": DEEP,
        "repeat_big": BIG,
        "repeat_list": "[]",
        "repeat_null": "null",
        "repeat_half": json.dumps(whole),
        "repeat_of_old": json.dumps({**whole, "schema": "asdkit.result/1"}),
        "repeat_settings_list": json.dumps({**whole, "settings": [1, 2]}),
        "repeat_settings_text": json.dumps({**whole, "settings": "all"}),
        "repeat_provenance_null": json.dumps({**whole, "provenance": None}),
        "repeat_interpolation": json.dumps(leak),
        "repeat_nan": json.dumps({**whole, "settings": {"video": float("nan")}}),
    }
