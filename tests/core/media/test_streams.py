"""Of several tracks the right ones are read, what is left is said, and no other file is opened."""

from __future__ import annotations

import os
import struct
from dataclasses import replace

import av
import numpy as np
import pytest
from av.stream import Disposition
from by_hand import result_of
from containers import (
    changed,
    remuxed,
    scrambled,
    tracks,
    two_programmes,
    with_protection,
)
from PIL import Image
from synth import clicks, number_of, numbered, write_video
from watching import first, heard, read

from asdkit.core.component import Context
from asdkit.core.errors import InputError
from asdkit.core.media.container import Reading
from asdkit.core.media.picture import frames
from asdkit.core.media.probe import probe, sound_of
from asdkit.core.media.programs import programs_of
from asdkit.plugins.writers import annotated

DEFAULT, OTHER = Disposition.default, Disposition(0)
KEY = "00112233445566778899aabbccddeeff"
CENC = {
    "encryption_scheme": "cenc-aes-ctr",
    "encryption_key": KEY,
    "encryption_kid": KEY,
}


def later(number: int, width: int, height: int) -> np.ndarray:
    """Pictures of another video than `numbered` makes."""
    return numbered(number + 1000, width, height)


@pytest.fixture
def parts(tmp_path):
    """Streams to put together, each alone in its file."""
    stereo = clicks([1.5], 2.0).reshape(-1, 1).repeat(2, axis=1)
    grey = {"codec": "mjpeg", "pixels": "yuvj420p", "size": (300, 300)}
    folder = tmp_path / "parts"
    folder.mkdir()
    return {
        "picture": write_video(folder / "a.mkv", codec="libx264"),
        "other": write_video(folder / "b.mkv", codec="libx264", size=(48, 32), image=later),
        "still": write_video(folder / "c.mkv", frames=1, **grey),
        "early": write_video(
            folder / "d.mkv", frames=0, sounds=[(0.0, clicks([0.5], 2.0))], sound_codec="aac"
        ),
        "late": write_video(folder / "e.mkv", frames=0, sounds=[(0.0, stereo)], sound_codec="aac"),
    }


# Tracks


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov", ".nut"])
@pytest.mark.parametrize("still_first", [True, False])
def test_the_picture_that_moves_is_taken(tmp_path, parts, suffix, still_first):
    pictures = [(parts["still"], DEFAULT), (parts["picture"], OTHER)]
    pictures = pictures if still_first else pictures[::-1]
    path = tracks(tmp_path / f"clip{suffix}", *pictures, (parts["early"], DEFAULT))
    media = read(path)
    assert (media.info.width, media.info.height) == (96, 64)
    assert media.info.duration_s == pytest.approx(2.0, abs=0.05)
    assert first(media) == 0
    (said,) = media.notes
    taken = int(still_first)
    assert f"video track {taken} is taken" in said
    assert "mjpeg 300x300" in said
    assert "h264 96x64" in said
    assert "video_track=N takes another" in said
    still = read(path, video_track=1 - taken)
    assert (still.info.width, still.info.height) == (300, 300)
    assert not list(still.notes)


def test_of_two_pictures_that_move_the_one_asked_for_is_taken(tmp_path, parts):
    path = tracks(
        tmp_path / "clip.mkv",
        (parts["picture"], DEFAULT),
        (parts["other"], OTHER),
        (parts["early"], DEFAULT),
    )
    media = read(path)
    assert first(media) == 0
    assert "video track 0 is taken; it holds 0 (h264 96x64 default), 1 (h264 48x32)" in next(
        iter(media.notes)
    )
    media = read(path, video_track=1)
    assert first(media) == 1000
    assert (media.info.width, media.info.height) == (48, 32)
    assert heard(media) == pytest.approx([0.5], abs=0.005)


def test_the_sound_asked_for_is_taken(tmp_path, parts):
    path = tracks(
        tmp_path / "clip.mkv",
        (parts["picture"], DEFAULT),
        (parts["early"], DEFAULT),
        (parts["late"], OTHER),
    )
    media = read(path)
    assert heard(media) == pytest.approx([0.5], abs=0.005)
    assert "sound track 0 is taken; it holds 0 (aac mono default), 1 (aac stereo)" in next(
        iter(media.notes)
    )
    media = read(path, sound_track=1)
    assert heard(media) == pytest.approx([1.5], abs=0.005)
    assert not list(media.notes)
    media = read(parts["picture"], path, sound_track=1)
    assert heard(media) == pytest.approx([1.5], abs=0.03)  # what a coder puts in front counts


def undecodable(name: bytes, content: bytes) -> bytes:
    """Sound in a codec that nobody decodes: the format of the samples is not known."""
    if name == b"stsd":
        return content.replace(b"mp4a", b"apac").replace(b"esds", b"free")
    return content


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_sound_that_can_be_decoded_is_taken(tmp_path, parts, suffix):
    path = tracks(
        tmp_path / f"clip{suffix}",
        (parts["picture"], DEFAULT),
        (parts["early"], DEFAULT),
        (parts["late"], OTHER),
    )
    if suffix == ".mkv":
        path.write_bytes(path.read_bytes().replace(b"A_AAC", b"A_XYZ", 1))
    else:
        changed(path, 1, undecodable)
    media = read(path)
    assert heard(media) == pytest.approx([1.5], abs=0.005)
    (said,) = media.notes
    assert "sound track 1 is taken, not track 0, which cannot be decoded" in said
    with pytest.raises(InputError, match=r"sound track 0 .* \(sound_track=0\) cannot be decoded"):
        read(path, sound_track=0)


def test_sound_that_is_damaged_throughout_gives_way(tmp_path, parts):
    loud = np.random.default_rng(0).integers(-9_000, 9_000, 60_000).astype(np.int16)
    noise = write_video(tmp_path / "f.mkv", frames=0, sounds=[(0.0, loud)], sound_codec="aac")
    path = tracks(
        tmp_path / "clip.mkv", (parts["picture"], DEFAULT), (noise, DEFAULT), (parts["late"], OTHER)
    )
    data = path.read_bytes()
    with av.open(str(path)) as source:
        packets = [bytes(packet) for packet in source.demux(source.streams[1]) if packet.size]
    for packet in packets:
        data = data.replace(packet, b"\xff" * len(packet))
    path.write_bytes(data)
    media = read(path)
    assert heard(media) == pytest.approx([1.5], abs=0.005)
    assert "holds nothing that can be decoded" in next(iter(media.notes))


def test_a_track_that_is_not_there(tmp_path, parts):
    path = tracks(tmp_path / "clip.mkv", (parts["picture"], DEFAULT), (parts["early"], DEFAULT))
    with pytest.raises(InputError, match=r"no video track 1.*0 \(h264 96x64 default\)"):
        read(path, video_track=1)
    with pytest.raises(InputError, match=r"no sound track 3.*0 \(aac mono default\)"):
        read(path, sound_track=3)
    with pytest.raises(InputError, match=r"no sound track 0.*none"):
        read(parts["picture"], sound_track=0)
    with pytest.raises(InputError, match=r"no programme 1.*none"):
        read(path, program=1)


@pytest.mark.parametrize(("options", "click_s"), [({}, 0.5), ({"sound_track": 1}, 1.5)])
def test_the_annotated_video_has_the_sound_of_the_run(tmp_path, parts, caplog, options, click_s):
    path = tracks(
        tmp_path / "clip.mkv",
        (parts["still"], DEFAULT),
        (parts["picture"], OTHER),
        (parts["early"], DEFAULT),
        (parts["late"], OTHER),
    )
    media = read(path, **options)
    result = result_of(media, **options)
    result = replace(result, video=replace(media.info, notes=tuple(media.notes)))
    assert len(caplog.messages) == len(list(media.notes))
    writer = annotated.build(annotated.AnnotatedConfig(), Context(threads=1))
    (written,) = writer.write(result, tmp_path)
    assert heard(probe(written)) == pytest.approx([click_s], abs=0.03)
    assert probe(written).info.width == 96
    assert len(caplog.messages) == len(list(media.notes))  # nothing is said twice


# Programmes


@pytest.fixture
def programmes(tmp_path):
    """A picture and a sound each; the second's sound has more channels."""
    stereo = clicks([1.5], 2.0).reshape(-1, 1).repeat(2, axis=1)
    first = write_video(tmp_path / "a.ts", sounds=[(0.0, clicks([0.5], 2.0))])
    second = write_video(tmp_path / "b.ts", image=later, sounds=[(0.0, stereo)])
    return two_programmes(tmp_path / "clip.ts", first, second)


def test_the_sound_is_of_the_programme_of_the_picture(programmes):
    media = read(programmes)
    assert first(media) == 0
    assert heard(media) == pytest.approx([0.5], abs=0.005)
    (said,) = media.notes
    assert "programme 1 is taken; it holds 1, 2; program=N takes another" in said


@pytest.mark.parametrize(("program", "number", "click_s"), [(1, 0, 0.5), (2, 1000, 1.5)])
def test_the_programme_asked_for_is_taken(programmes, program, number, click_s):
    media = read(programmes, program=program)
    assert first(media) == number
    assert heard(media) == pytest.approx([click_s], abs=0.005)
    assert not list(media.notes)
    only_sound, *_ = sound_of(programmes, Reading(program=program))
    assert media.sound is not None
    assert only_sound.index == media.sound.index
    with pytest.raises(InputError, match=r"no programme 3\. It holds these programmes: 1, 2"):
        read(programmes, program=3)


@pytest.mark.parametrize("spacing", [188, 192, 204])
def test_programmes_are_found_in_all_transport_streams(tmp_path, programmes, spacing):
    data = programmes.read_bytes()
    packets = [data[at : at + 188] for at in range(0, len(data), 188)]
    front = b"time" if spacing == 192 else b""
    path = tmp_path / "other.m2ts"
    path.write_bytes(b"".join((front + packet).ljust(spacing, b"x") for packet in packets))
    assert programs_of(path).streams == programs_of(programmes).streams
    assert set(programs_of(path).streams) == {1, 2}


def test_streams_that_are_encrypted_in_parts_are_known_by_their_type(tmp_path):
    path = write_video(tmp_path / "clip.ts", frames=5)
    data = path.read_bytes()
    assert b"\x1b\xe1\x00" in data  # H.264 on PID 256
    path.write_bytes(data.replace(b"\x1b\xe1\x00", b"\xdb\xe1\x00"))
    assert programs_of(path).scrambled == {256}


def test_other_files_have_no_programmes(tmp_path):
    for data in (b"", b"G" * 100, b"G" * 5000, bytes(5000), b"no stream" * 1000):
        (tmp_path / "a").write_bytes(data)
        assert not programs_of(tmp_path / "a").streams


# Encryption


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("clip.mp4", {}),
        ("clip.mov", {}),
        ("clip.mp4", {"movflags": "frag_keyframe+empty_moov"}),
    ],
)
def test_an_encrypted_mp4_is_said_to_be(tmp_path, name, options):
    clear = write_video(tmp_path / "a.mp4", frames=20, sounds=[(0.0, clicks([0.5], 1.0))])
    path = remuxed(tmp_path / name, clear, **CENC, **options)
    with pytest.raises(InputError, match="is encrypted, and its picture cannot be decoded"):
        read(path)
    with pytest.raises(InputError, match="is encrypted"):
        read(clear, path)


def test_other_encrypted_files_are_said_to_be(tmp_path):
    options = {"codec": "libx264", "sound_codec": "flac", "sounds": [(0.0, clicks([0.5], 1.0))]}
    path = with_protection(write_video(tmp_path / "clip.mkv", frames=20, **options))
    with pytest.raises(InputError, match="is encrypted"):
        read(path)
    path = write_video(tmp_path / "clip.ts", frames=20, sounds=[(0.0, clicks([0.5], 1.0))])
    with av.open(str(path)) as opened:
        pid = opened.streams.video[0].id
    assert first(read(scrambled(path, pid, most=3))) >= 0  # so few are damage
    with pytest.raises(InputError, match="is encrypted"):
        read(scrambled(path, pid))
    path = write_video(tmp_path / "clip.wmv", frames=20, codec="wmv2")
    # An object that players may pass over becomes the one that says how it is encrypted.
    comment = bytes.fromhex("40A4D0D207E3D21197F000A0C95EA850")
    protection = bytes.fromhex("FBB3112223BDD211B4B700A0C955FC6E")
    data = path.read_bytes()
    assert data.count(comment) == 1
    path.write_bytes(data.replace(comment, protection))
    with pytest.raises(InputError, match="is encrypted"):
        read(path)


# Other files are not opened

LISTS = {
    "list.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecond.ts\n#EXT-X-ENDLIST\n",
    "list.mp4": "\ufeff#EXTM3U\n#EXTINF:1,\nsecond.ts\n",
    "parts.ffconcat": "ffconcat version 1.0\nfile second.ts\n",
    "parts.mkv": "ffconcat version 1.0\nfile second.ts\n",
    "list.pls": "[playlist]\nFile1=second.ts\nNumberOfEntries=1\n",
    "list.asx": '<asx version="3.0"><entry><ref href="second.ts"/></entry></asx>',
    "list.smil": '<smil><body><video src="second.ts"/></body></smil>',
    "list.mpd": '<?xml version="1.0"?>\n<MPD><Period><BaseURL>second.ts</BaseURL></Period></MPD>',
    "a.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    "a.idx": "# VobSub index file, v7 (do not modify this line!)\nid: en, index: 0\n",
}


@pytest.mark.parametrize("name", LISTS)
def test_lists_of_files_are_refused_and_not_followed(tmp_path, name):
    # Whoever opens the file that they name waits for somebody to write into it.
    for named in ("second.ts", "a.sub"):
        os.mkfifo(tmp_path / named)
    path = tmp_path / name
    path.write_text(LISTS[name])
    with pytest.raises(InputError, match="what it names, other files or addresses, is not opened"):
        read(path)
    with pytest.raises(InputError, match="is not opened"):
        read(write_video(tmp_path / "clip.mp4", frames=3), path)


@pytest.mark.parametrize("name", ["%03d.png", "picture%d.jpg", "[ab]*.png"])
def test_a_picture_whose_name_is_a_pattern_is_one_file(tmp_path, name):
    for number, other in enumerate((name, "001.png", "picture1.jpg", "a1.png")):
        Image.fromarray(numbered(number)).save(tmp_path / other)
    media = read(tmp_path / name)
    assert [number_of(frame.image) for frame in frames(media)] == [0]


def elsewhere(name: bytes, content: bytes) -> bytes:
    """Samples that are in a file beside this one."""
    if name == b"dref":
        place = struct.pack(">I", 0) + b"second.mov\0"
        return struct.pack(">III", 0, 1, 8 + len(place)) + b"url " + place
    return content


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov"])
def test_samples_in_another_file_are_not_read(tmp_path, name):
    options = {"frames": 20, "sounds": [(0.0, clicks([0.5], 1.0))]}
    os.mkfifo(tmp_path / "second.mov")
    path = changed(write_video(tmp_path / name, **options), 0, elsewhere)
    with pytest.raises(InputError, match="is kept in another file, which is not opened"):
        read(path)
    path = changed(write_video(tmp_path / name, **options), 1, elsewhere)
    media = read(path)
    assert media.sound is None
    assert "is kept in another file" in next(iter(media.notes))
