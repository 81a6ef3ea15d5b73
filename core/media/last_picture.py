"""Finds the last picture of a file, and whether the file is cut off before the announced end."""

from __future__ import annotations

import math
import struct
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer

from ..errors import InputError
from .container import Source, packets_of, repeats
from .truncation import is_cut_off


def last_picture(
    picture: Source, zero: Fraction, fps: Fraction, end_s: float | None
) -> tuple[Fraction, Fraction]:
    """Timestamps in seconds at which the last picture that can be read begins and ends.

    Args:
        picture: The stream.
        zero: Timestamp of the first picture.
        fps: Frame rate, for pictures without a duration.
        end_s: Seconds from time zero up to which the file will be read; None for all.

    Raises:
        InputError: The file is cut off before `end_s`, or before its announced end.
    """
    path = picture.path
    cut_off = is_cut_off(path)
    with picture.opened() as (container, stream):
        announced = _announced(path, container, stream)
        last = end = zero
        if announced and not cut_off:
            # Pictures are stored out of order, but by less than a second.
            target = max(zero, zero + announced - 1)
            with suppress(av.FFmpegError):
                container.seek(math.floor(target / stream.time_base), stream=stream)
                last, end = _last_packet(container, stream, zero, fps)
    if end == zero:
        with picture.opened() as (container, stream):
            last, end = _last_packet(container, stream, zero, fps, only_complete=cut_off)
    if cut_off and end - zero < announced - 1 / fps:
        readable_s = math.floor((end - zero) * 100) / 100
        if end_s is None or end_s > readable_s:
            raise InputError(
                f"{path} is cut off: only {readable_s:.2f} s of its {float(announced):.2f} s "
                "of picture can be read",
                f"Copy it again from its source, or process that part with end_s={readable_s:.2f}",
            )
    return last, end


def _last_packet(
    container: InputContainer,
    stream: Any,
    zero: Fraction,
    fps: Fraction,
    *,
    only_complete: bool = False,
) -> tuple[Fraction, Fraction]:
    """When the last packet from here on begins and ends; `zero` if there is none.

    In a file that is cut off, only pictures shown before the last decoding time are complete.
    """
    last = end = zero
    for packet in packets_of(container, stream):
        # Packets hidden by an edit list are decoded, but never shown.
        if (packet.size or repeats(packet)) and not (packet.is_corrupt or packet.is_discard):
            stamp = packet.dts if only_complete else packet.pts
            begin = end if stamp is None else stamp * stream.time_base
            last = max(last, begin)
            end = max(end, begin + ((packet.duration or 0) * stream.time_base or 1 / fps))
    return last, end


def _announced(path: Path, container: InputContainer, stream: Any) -> Fraction:
    """Duration of the picture in seconds according to the file; 0 if not stated."""
    if stream.duration:
        announced = Fraction(stream.duration * stream.time_base)
    else:
        announced = Fraction(container.duration or 0, av.time_base)
    if container.format.name == "avi":  # of a cut file FFmpeg gives a shorter duration
        with path.open("rb") as file:
            header = struct.unpack_from("<5I", file.read(52), 32)
        announced = max(announced, Fraction(header[0] * header[4], 1_000_000))
    return announced
