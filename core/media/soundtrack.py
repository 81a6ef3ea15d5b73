"""Sound tracks for the files of `core.media.encode`: copied from a file, or encoded as AAC."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import chain, groupby
from typing import Any, NamedTuple

import av
from av.audio.frame import AudioFrame
from av.container import InputContainer, OutputContainer
from av.filter import Graph

from ..types import SAMPLE_RATE, Int16
from .clock import Clock
from .container import Source, packets_of
from .decoder import Decoder
from .mixing import unnamed_channels
from .sound_frames import LEAP_S, form_of, sound_frames

SoundTrack = Callable[[OutputContainer], Generator[Any, None, None]]
"""Adds a sound stream to an output file before writing, and yields its packets in order."""

COPIED_CODECS = frozenset({"aac", "ac3", "alac", "eac3", "flac", "mp3", "opus"})
"""Codecs that players support in MP4; sound in any other is encoded as AAC."""
_AAC_RATE = 48_000
"""Sample rate used if AAC does not support that of the source."""
_AAC_BITS_PER_S = 96_000
_AAC_BITS_PER_SAMPLE = 6
"""Bit rates per channel: one of good quality, and the most that AAC allows."""
_CHUNK = 4096
"""Samples passed to the encoder at once."""
_SEEK_BACK_S = 2
"""How far before the wanted sound to seek, as seeking is inexact in some files."""


def sound_of_file(
    sound: Source,
    zero: Fraction,
    length: Fraction | None = None,
    clock: Clock | None = None,
    threads: int | None = None,
) -> SoundTrack:
    """The sound of a file: copied if players support its codec in MP4, else encoded as AAC.

    Sound is also encoded if its packets are too damaged to be copied into an MP4. Unnamed channels
    are mixed to mono with equal weights.

    Args:
        sound: The stream.
        zero: Timestamp in seconds, in its file, of the first picture written.
        length: Most seconds of sound that will be written; None for all from there on.
        clock: The clock of the sound.
        threads: Threads of the decoder; None leaves it to FFmpeg.
    """
    clock = clock or Clock()

    def add(output: OutputContainer) -> Generator[Any, None, None]:
        with sound.opened() as (source, template):
            context = template.codec_context
            known = context.codec.canonical_name in COPIED_CODECS
            if known and _fits(source, template, zero, length, clock):
                stream = output.add_stream_from_template(template)
                return _copied_anew(sound, zero, clock, stream)
            form = aac_form(context)
        stream = aac_stream(output, form)
        start = zero if zero > _SEEK_BACK_S else None
        decoder = Decoder(sound, threads, clock=clock)
        frames = (frame for _, frame in sound_frames(decoder, start, zero))
        return encoded(stream, on_time(frames, zero, form))

    return add


def sound_of_samples(samples: Int16, rate: int = SAMPLE_RATE) -> SoundTrack:
    """Samples in memory, encoded as AAC; the sound begins with the picture.

    Args:
        samples: (n,) int16, mono.
        rate: Sample rate.
    """

    def frames() -> Iterator[AudioFrame]:
        for first in range(0, len(samples), _CHUNK):
            frame = AudioFrame.from_ndarray(samples[None, first : first + _CHUNK], "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, first, Fraction(1, rate)
            yield frame

    def add(output: OutputContainer) -> Generator[Any, None, None]:
        form = _aac_form(rate, 1)
        return encoded(aac_stream(output, form), on_time(frames(), Fraction(0), form))

    return add


class _Nowhere:
    """A writable file that discards its data."""

    def __init__(self) -> None:
        self._at = 0

    def write(self, data: bytes) -> int:
        self._at += len(data)
        return len(data)

    def seek(self, to: int, whence: int = 0) -> int:
        self._at = to + (self._at if whence else 0)
        return self._at

    def tell(self) -> int:
        return self._at


def _fits(
    source: InputContainer, template: Any, zero: Fraction, length: Fraction | None, clock: Clock
) -> bool:
    """Whether all packets of a file's sound can be copied into an MP4, found by a trial copy."""
    try:
        with av.open(_Nowhere(), "w", format="mp4") as trial:
            stream = trial.add_stream_from_template(template)
            for packet in _copied(source, template, zero, clock, stream):
                if length is not None and packet.pts * packet.time_base >= length:
                    break
                trial.mux(packet)
    except (av.FFmpegError, ValueError):  # PyAV itself rejects some codecs
        return False
    return True


def _copied_anew(
    sound: Source, zero: Fraction, clock: Clock, stream: Any
) -> Generator[Any, None, None]:
    """See `_copied`; opens the file."""
    with sound.opened() as (source, origin):
        yield from _copied(source, origin, zero, clock, stream)


def _copied(
    source: InputContainer, origin: Any, zero: Fraction, clock: Clock, stream: Any
) -> Iterator[Any]:
    """The packets of a file's sound, with the timestamps of the output file.

    A packet without timestamps begins where its predecessor ends.

    Args:
        source: The file, at its beginning.
        origin: Its sound.
        zero: Timestamp in seconds of the first picture written.
        clock: The clock of the sound.
        stream: The stream of the output file.
    """
    last = -math.inf
    end = 0
    shift = round(zero / origin.time_base)
    if zero > _SEEK_BACK_S:
        with suppress(av.FFmpegError):  # without a seek, read from the beginning
            time = clock.in_file(zero - _SEEK_BACK_S)
            source.seek(math.floor(time / origin.time_base), stream=origin)
    for packet in clock.placed(packets_of(source, origin)):
        if packet is None or not packet.size:
            continue
        if packet.dts is None:
            packet.dts = end + shift if packet.pts is None else packet.pts
        packet.dts -= shift
        packet.pts = packet.dts if packet.pts is None else packet.pts - shift
        end = packet.dts + (packet.duration or 0)
        # MP4 needs rising timestamps.
        if packet.pts + (packet.duration or 0) > 0 and packet.dts > last:
            last = packet.dts
            packet.stream = stream
            yield packet


class Form(NamedTuple):
    """How sound is stored: samples a second, and FFmpeg's names of sample format and layout."""

    rate: int
    sample_format: str
    layout: str


def aac_form(context: Any) -> Form:
    """The form in which the AAC encoder takes the sound of a decoder's context."""
    mono = context.layout.nb_channels == 1 or unnamed_channels(context.layout.name)
    return _aac_form(context.sample_rate, 1 if mono else 2)


def _aac_form(rate: int, channels: int) -> Form:
    known = av.codec.Codec("aac", "w").audio_rates or []
    return Form(rate if rate in known else _AAC_RATE, "fltp", "mono" if channels == 1 else "stereo")


def aac_stream(output: OutputContainer, form: Form) -> Any:
    """Add an AAC stream to a file that is written."""
    stream = output.add_stream("aac", form.rate)
    stream.layout = form.layout
    most = _AAC_BITS_PER_SAMPLE * form.rate
    stream.bit_rate = stream.codec_context.layout.nb_channels * min(_AAC_BITS_PER_S, most)
    return stream


def encoded(stream: Any, frames: Iterable[AudioFrame]) -> Generator[Any, None, None]:
    """The packets of sound in a stream's form."""
    for frame in chain(frames, [None]):
        yield from stream.encode(frame)


def on_time(frames: Iterable[Any], zero: Fraction, form: Form) -> Iterator[AudioFrame]:
    """Convert sound to one form, continuous from time zero on.

    Args:
        frames: Decoded sound; gaps in its timestamps, and a late start, become silence.
        zero: Timestamp in seconds, in the source, of time zero.
        form: The form.
    """
    position = 0
    # Rate and layout may change within a file; a filter graph takes only one of each.
    for timed, run in groupby(frames, _timed_form):
        graph = _graph(timed, form, position)
        for frame in chain(run, [None]):
            if frame is not None and frame.pts is not None:
                frame.pts -= round(zero / frame.time_base)
            graph.push(frame)
            for even in _pulled(graph):
                # Sound that ends before `position` is put out by the graph, too: drop it.
                if even.pts >= position:
                    position = even.pts + even.samples
                    yield even


def _timed_form(frame: Any) -> tuple[int, str, str, Fraction]:
    return *form_of(frame), frame.time_base


def _graph(source_form: tuple[int, str, str, Fraction], form: Form, position: int) -> Graph:
    """A filter graph that converts sound to `form`, from its sample `position` on."""
    rate, sample_format, layout, time_base = source_form
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=rate, format=sample_format, layout=layout, time_base=time_base
    )
    if count := unnamed_channels(layout):
        # With this gain a voice keeps about its loudness, be it in one channel or in all.
        even = "+".join(f"{count**-0.5:.6f}*c{k}" for k in range(count))
        mono = graph.add("pan", f"mono|c0={even}")
        source.link_to(mono)
        source = mono
    # FFmpeg expects the first timestamp in samples of the source.
    first = math.ceil(Fraction(position * rate, form.rate))
    gaps = f"async=1:min_hard_comp={float(LEAP_S)}:first_pts={first}"
    resample = graph.add("aresample", f"{form.rate}:{gaps}")
    mix = graph.add("aformat", f"sample_fmts={form.sample_format}:channel_layouts={form.layout}")
    sink = graph.add("abuffersink")
    source.link_to(resample)
    resample.link_to(mix)
    mix.link_to(sink)
    graph.configure()
    return graph


def _pulled(graph: Graph) -> Iterator[Any]:
    while True:
        try:
            yield graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
