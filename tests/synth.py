"""Small test videos with known content: every frame carries its number, the sound clicks.

`write_video` writes any frame rate or list of times, container, codec, rotation, start offset
and sound; `number_of` reads a frame's number back, `click_times` the times of the clicks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

CELLS = (4, 8)  # rows and columns: two rows of bits, then their complement
CODECS = {
    ".mp4": ("libx264", "aac"),
    ".mov": ("libx264", "aac"),
    ".mkv": ("ffv1", "pcm_s16le"),
    ".avi": ("mpeg4", "pcm_s16le"),
    ".webm": ("libvpx-vp9", "libopus"),
    ".mpg": ("mpeg2video", "mp2"),
    ".ts": ("libx264", "aac"),
}
OPTIONS = {
    "libx264": {"preset": "ultrafast", "crf": "16", "tune": "zerolatency"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
}


def numbered(number: int, width: int = 96, height: int = 64) -> np.ndarray:
    """(height, width, 3) uint8, RGB: the number as 16 black and white cells and their inverse."""
    bits = [(number >> k) & 1 for k in range(16)]
    cells = np.array(bits + [1 - bit for bit in bits], np.uint8).reshape(CELLS) * 200 + 28
    rows = np.arange(height) * CELLS[0] // height
    columns = np.arange(width) * CELLS[1] // width
    return np.repeat(cells[rows][:, columns, None], 3, axis=2)


def steady(_: int, width: int, height: int) -> np.ndarray:
    """The same picture whatever the number: of one person, as far as that can be told."""
    return numbered(0b0101_1010_0110_1001, width, height)


def number_of(image: np.ndarray) -> int:
    """The number in a picture by `numbered`; fails if it is turned, torn or something else."""
    height, width = image.shape[:2]
    y = [(2 * k + 1) * height // (2 * CELLS[0]) for k in range(CELLS[0])]
    x = [(2 * k + 1) * width // (2 * CELLS[1]) for k in range(CELLS[1])]
    grey = image.astype(float).mean(axis=2)[np.ix_(y, x)].ravel()
    bits = grey > 128
    assert np.abs(grey - 128).min() > 30, f"no clear number: {grey}"
    assert np.array_equal(bits[:16], ~bits[16:]), f"not a numbered picture: {grey}"
    return sum(1 << k for k in range(16) if bits[k])


def clicks(times_s: Iterable[float], duration_s: float, rate: int = 44_100) -> np.ndarray:
    """(n,) int16 of silence with a click, a symmetric pulse of 2 ms, at each time."""
    t = np.arange(round(duration_s * rate)) / rate
    sound = np.zeros(len(t))
    for time in times_s:
        sound += np.exp(-(((t - time) / 4e-4) ** 2)) * np.cos(2 * np.pi * 1500 * (t - time))
    return np.round(sound * 24_000).astype(np.int16)


def click_times(sound: np.ndarray, rate: int = 16_000) -> list[float]:
    """The times of the clicks in a sound, in seconds, to a fraction of a sample."""
    loud = np.flatnonzero(np.abs(sound.astype(int)) > 6_000)
    groups = np.split(loud, np.flatnonzero(np.diff(loud) > rate // 50) + 1)
    times = []
    for group in groups:
        if len(group):
            around = np.arange(max(group[0] - 8, 0), min(group[-1] + 8, len(sound)))
            power = sound[around].astype(float) ** 2
            times.append(float((around * power).sum() / power.sum() / rate))
    return times


def write_video(
    path: Path,
    *,
    fps: Fraction | float = 25,
    frames: int = 50,
    times: Sequence[Fraction] | None = None,
    tick: Fraction | None = None,
    size: tuple[int, int] = (96, 64),
    codec: str | None = None,
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    keyframe_every: int = 12,
    starts_s: float = 0.0,
    rotation: int = 0,
    image: Callable[[int, int, int], np.ndarray] = numbered,
    sounds: Sequence[tuple[float, np.ndarray]] = (),
    sound_codec: str | None = None,
    sound_rate: int = 44_100,
    sound_bits_per_s: int | None = None,
) -> Path:
    """Write a video; its name's suffix chooses the container.

    Args:
        path: The file to write.
        fps: Frame rate, also of a picture with `times`, where it is only said in the header.
        frames: Number of frames; 0 leaves the picture out.
        times: Rising times in seconds of the frames, for a variable rate; sets `frames`.
        tick: Unit of the timestamps, of which all times must be multiples; default 1 / fps.
        size: Upright width and height in pixels.
        codec: Codec of the picture; default by suffix.
        pixels: Its pixel format.
        options: Its encoder's options.
        keyframe_every: Longest distance of key frames, in frames.
        starts_s: Timestamp of the first picture, in seconds.
        rotation: Degrees clockwise by which a player must turn the picture (MP4, MOV).
        image: Makes the upright picture (height, width, 3) of (number, width, height).
        sounds: (start in seconds, (n,) or (n, 2) int16) pieces, in order.
        sound_codec: Codec of the sound; default by suffix.
        sound_rate: Samples a second of `sounds`.
        sound_bits_per_s: Bit rate of the sound; the encoder's own if not given.
    """
    rate = Fraction(fps).limit_denominator(1001)
    tick = tick or 1 / rate
    defaults = CODECS.get(path.suffix, (None, "pcm_s16le"))
    codec = codec or defaults[0]
    stored = size if rotation % 180 == 0 else size[::-1]
    shown = times if times is not None else [k / rate for k in range(frames)]
    with av.open(str(path), "w") as container:
        tracks = []
        if len(shown):
            stream = container.add_stream(codec, rate=rate, options=options or OPTIONS.get(codec))
            stream.width, stream.height = stored
            stream.pix_fmt = pixels
            stream.codec_context.time_base = tick
            stream.codec_context.gop_size = keyframe_every
            images = (np.rot90(image(k, *size), rotation // 90 % 4) for k in range(len(shown)))
            tracks.append((stream, _pictures(images, shown, Fraction(str(starts_s)), tick)))
        if sounds:
            layout = "stereo" if sounds[0][1].ndim == 2 else "mono"
            stream = container.add_stream(
                sound_codec or defaults[1], rate=sound_rate, layout=layout
            )
            if sound_bits_per_s:
                stream.bit_rate = sound_bits_per_s
            tracks.append((stream, _chunks(sounds, sound_rate, layout)))
        _mux(container, tracks)
    if rotation:
        _rotate(path, rotation)
    return path


def _pictures(
    images: Iterable[np.ndarray], times: Sequence[Fraction], start: Fraction, tick: Fraction
) -> Iterator[av.VideoFrame]:
    for image, time in zip(images, times, strict=True):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        stamp = (time + start) / tick
        assert stamp.denominator == 1, f"{time + start} s is no multiple of {tick} s"
        frame.time_base = tick
        frame.pts = int(stamp)
        yield frame


def _chunks(
    sounds: Sequence[tuple[float, np.ndarray]], rate: int, layout: str
) -> Iterator[av.AudioFrame]:
    for start_s, sound in sounds:
        for first in range(0, len(sound), 1024):
            samples = sound[first : first + 1024].reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(samples), format="s16", layout=layout
            )
            frame.sample_rate = rate
            frame.time_base = Fraction(1, rate)
            frame.pts = round(start_s * rate) + first
            yield frame


def _mux(container: av.container.OutputContainer, tracks: list) -> None:
    """Encode the tracks side by side, in order of time."""
    waiting = [(stream, frames, next(frames, None)) for stream, frames in tracks]
    while waiting:
        stream, frames, frame = min(
            waiting, key=lambda track: -1 if track[2] is None else track[2].pts * track[2].time_base
        )
        waiting = [track for track in waiting if track[0] is not stream]
        container.mux(stream.encode(frame))
        if frame is not None:
            waiting.append((stream, frames, next(frames, None)))


def _rotate(path: Path, degrees: int) -> None:
    """Put a display matrix into the first track header of an MP4 (ISO 14496-12, 8.3.2)."""
    turns = degrees // 90 % 4
    cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[turns]
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    for place, value in zip((0, 1, 3, 4), (cos, sin, -sin, cos), strict=True):
        data[matrix + 4 * place : matrix + 4 * place + 4] = (value << 16).to_bytes(
            4, "big", signed=True
        )
    path.write_bytes(data)
