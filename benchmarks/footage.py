"""Videos to measure with, made from any clip: in the size, rate and length that is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

_SOUND_HZ = 48_000


class Shape(NamedTuple):
    """The form of a video: width and height in pixels, frames a second."""

    width: int
    height: int
    fps: int


SHAPES = {
    "720p": Shape(1280, 720, 25),
    "1080p": Shape(1920, 1080, 30),
    "4k": Shape(3840, 2160, 25),
}


def make(source: Path, target: Path, shape: Shape, seconds: float) -> None:
    """Write a clip in another size, rate and length, as H.264 and AAC in MP4.

    The picture is scaled to fit, with black bars where its form is another; a shorter clip is
    repeated. Its rotation is not heeded.

    Args:
        source: A video with sound.
        target: The MP4 file to write.
        shape: Size and rate.
        seconds: Length.

    Raises:
        ValueError: The source has no pictures or no sound.
    """
    length_s = min(_length_s(source), seconds)
    sound = np.resize(_sound(source, length_s), round(seconds * _SOUND_HZ))
    with av.open(str(target), "w") as out:
        video = out.add_stream("libx264", rate=shape.fps)
        video.width, video.height, video.pix_fmt = shape.width, shape.height, "yuv420p"
        video.options = {"preset": "veryfast", "crf": "18"}
        audio = out.add_stream("aac", rate=_SOUND_HZ, layout="mono")
        pictures = _pictures(source, length_s, shape)
        for k, frame in zip(range(round(seconds * shape.fps)), pictures, strict=False):
            frame.pts, frame.time_base = k, Fraction(1, shape.fps)
            out.mux(video.encode(frame))
            begin, end = (i * _SOUND_HZ // shape.fps for i in (k, k + 1))
            samples = av.AudioFrame.from_ndarray(sound[None, begin:end], "s16", "mono")
            samples.sample_rate, samples.pts = _SOUND_HZ, begin
            out.mux(audio.encode(samples))
        out.mux(video.encode())
        out.mux(audio.encode())


def _length_s(source: Path) -> float:
    with av.open(str(source)) as container:
        if not container.streams.video or not container.streams.audio:
            raise ValueError(f"{source.name} lacks pictures or sound")
        stream = container.streams.video[0]
        if stream.duration is not None:
            return float(stream.duration * stream.time_base)
        if container.duration is not None:
            return container.duration / av.time_base
        raise ValueError(f"{source.name} does not tell its length")


def _pictures(source: Path, length_s: float, shape: Shape) -> Iterator[av.VideoFrame]:
    """The picture at each moment of the new rate, scaled; without end."""
    moments = count()
    moment, shown = next(moments), None
    for loop in count():
        for time_s, frame in _scaled(source, length_s, shape):
            while shown is not None and moment / shape.fps < loop * length_s + time_s:
                yield shown
                moment = next(moments)
            shown = frame
        if shown is None:
            raise ValueError(f"{source.name} has no picture that can be read")


def _scaled(source: Path, length_s: float, shape: Shape) -> Iterator[tuple[float, av.VideoFrame]]:
    """The pictures of a clip's first seconds, from time 0 on."""
    size = f"{shape.width}:{shape.height}"
    with av.open(str(source)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        graph = Graph()
        graph.link_nodes(
            graph.add_buffer(template=stream),
            graph.add("scale", f"{size}:force_original_aspect_ratio=decrease:flags=bicubic"),
            graph.add("pad", f"{size}:(ow-iw)/2:(oh-ih)/2"),
            graph.add("setsar", "1"),
            graph.add("format", "yuv420p"),
            graph.add("buffersink"),
        ).configure()
        first_s = None
        for frame in container.decode(stream):
            first_s = frame.time if first_s is None else first_s
            time_s = frame.time - first_s
            if time_s >= length_s:
                return
            graph.push(frame)
            yield time_s, graph.pull()


def _sound(source: Path, length_s: float) -> NDArray[np.int16]:
    """(n,) int16: a clip's first seconds, silent where its sound has ended."""
    wanted = round(length_s * _SOUND_HZ)
    resampler = av.AudioResampler("s16", "mono", _SOUND_HZ)
    pieces, found = [np.empty(0, np.int16)], 0
    with av.open(str(source)) as container:
        for frame in container.decode(container.streams.audio[0]):
            pieces += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
            found += len(pieces[-1])
            if found >= wanted:
                break
    sound = np.concatenate(pieces)[:wanted]
    return np.pad(sound, (0, wanted - len(sound)))
