"""The allowed containers, and the recognition of playlists, pictures and protected files."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

FORMATS = (
    # Picture and sound.
    *("mov", "matroska", "avi", "mpeg", "mpegts", "mpegvideo", "flv", "live_flv", "ogg", "asf"),
    *("asf_o", "dv", "mxf", "nut", "rm", "wtv", "nsv", "nuv", "gxf", "pva", "ivf", "ty", "dhav"),
    *("ifv", "mpjpeg", "gif", "apng", "yuv4mpegpipe"),
    *("h261", "h263", "h264", "hevc", "vvc", "av1", "obu", "m4v", "mjpeg", "vc1", "dirac", "dnxhd"),
    # Single pictures.
    *("image2", "png_pipe", "jpeg_pipe", "bmp_pipe", "webp_pipe", "tiff_pipe", "jpegxl_anim"),
    # Sound.
    *("wav", "w64", "aiff", "au", "caf", "flac", "mp3", "aac", "ac3", "eac3", "dts", "dtshd"),
    *("truehd", "mlp", "loas", "amr", "amrnb", "amrwb", "wv", "ape", "tta", "tak", "mpc"),
    *("mpc8", "oma", "voc", "qcp", "gsm", "spdif", "dsf", "nistsphere", "ircam", "sox", "pvf"),
    *("xwma", "avr", "aea", "iamf"),
)
"""FFmpeg's names of the allowed containers.

All are self-contained. Containers that refer to other files (playlists, lists of parts, image
sequences, subtitles with separate pictures) are excluded, and so are texts, devices and formats
used only in games.
"""

_LISTS = {
    b"#EXTM3U": "a playlist",
    b"ffconcat version": "a list of parts",
    b"[playlist]": "a playlist",
    b"[Reference]": "a playlist",
    b"<asx": "a playlist",
    b"<smil": "a playlist",
    b"<?xml": "an XML file, perhaps a playlist or a manifest",
    b"<MPD": "a DASH manifest",
    b"v=0": "a description of a stream (SDP)",
    b"RTSPtext": "a reference to a stream",
    b"# VobSub index file": "an index of subtitles",
}
_PICTURES = (b"GIF8", b"\x89PNG", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*")
_HEAD_BYTES = 64


def list_of_files(path: Path) -> str | None:
    """Describe a text file that refers to other files, such as "a playlist"; None for others."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    said = (what for start, what in _LISTS.items() if head.lower().startswith(start.lower()))
    return next(said, None)


def begins_as_picture(path: Path) -> bool:
    """Whether a file may be a sequence of pictures that each state their own size."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    return head.startswith(_PICTURES) or head[8:12] == b"WEBP"


_ASF_PROTECTION = tuple(
    UUID(name).bytes_le
    for name in (
        "2211b3fb-bd23-11d2-b4b7-00a0c955fc6e",
        "298ae614-2622-4c17-b935-dae07ee9289c",
        "43058533-6981-49e6-9b74-ad12cb86d58c",
    )
)
"""The header objects of protected Windows Media: Content Encryption, Extended, Advanced."""
_ASF_HEAD_BYTES = 1 << 16


def asf_is_encrypted(path: Path) -> bool:
    """Whether the header of a Windows Media file says that its content is protected."""
    with path.open("rb") as file:
        head = file.read(_ASF_HEAD_BYTES)
    return any(name in head for name in _ASF_PROTECTION)


# fmt: off
VIDEO_SUFFIXES = frozenset({
    ".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4",
    ".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv",
})
# fmt: on
"""The ends of names, in lower case, by which a folder's files are taken for videos."""
