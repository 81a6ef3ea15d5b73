"""Chooses a file's streams for picture and sound, and notes choices that are not obvious."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import av
from av.container import InputContainer

from ..errors import InputError
from ..notes import Notes
from . import mp4
from .container import Reading, opened, packets_of
from .formats import asf_is_encrypted
from .programs import Programs, programs_of

Kind = Literal["video", "audio"]

_OPTION = {"video": "video_track", "audio": "sound_track"}
_WORD = {"video": "video", "audio": "sound"}
_PASSED_PACKETS = 250
"""A track without a packet among so many of other tracks counts as empty."""
_TRIED_PACKETS = 20
"""How many packets of a sound track are tried until one can be decoded."""
_COVERS = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
_FOR_SOME = av.stream.Disposition.hearing_impaired | av.stream.Disposition.visual_impaired

ENCRYPTED = "is encrypted"
ELSEWHERE = "is kept in another file, which is not opened"
UNKNOWN = "cannot be decoded"
COVER = "is a cover"
STILL = "is a still picture"
EMPTY = "holds nothing that can be decoded"


class Streams:
    """Chooses the picture and the sound of a file.

    Args:
        path: The file.
        container: The open container of the file.
        reading: The settings for reading.
        notes: Collects a note for each choice that is not obvious.
        patient: Whether the container was opened with `patient`.
    """

    def __init__(
        self,
        path: Path,
        container: InputContainer,
        reading: Reading,
        notes: Notes,
        *,
        patient: bool = False,
    ) -> None:
        self._path = path
        self._container = container
        self._reading = reading
        self._notes = notes
        self._patient = patient
        self._format = container.format.name
        self._programs = programs_of(path) if self._format == "mpegts" else Programs()
        self._mp4 = mp4.tracks(path) if self._format.startswith("mov,") else {}

    def picture(self) -> Any:
        """The stream of the picture.

        Raises:
            InputError: No stream can be decoded, or the requested one cannot.
        """
        program = self._reading.program
        if program is None and len(self._programs.streams) > 1:
            usable = [stream for stream in self._all("video") if not self._problem(stream)]
            program = next(filter(None, map(self._program_of, usable)), None)
        stream = self._chosen("video", self._pool("video", program), None)
        if stream is None:
            raise self._no_picture()
        if self._reading.program is None and self._reading.video_track is None:
            self._say_program(self._program_of(stream))
        return stream

    def sound(self, picture: Any | None) -> Any | None:
        """The stream of the sound; None if no stream can be decoded.

        Args:
            picture: The stream of the picture, if it is in the same file; else None.

        Raises:
            InputError: The requested stream does not exist or cannot be decoded.
        """
        program = self._reading.program
        if picture is None and program not in self._programs.streams:
            program = None  # the setting was meant for the video's file
        if picture is not None and program is None:
            program = self._program_of(picture)
        return self._chosen("audio", self._pool("audio", program), picture)

    def why_no_sound(self) -> str:
        """Why no sound can be used, as the end of a sentence; empty if there is no sound track."""
        streams = self._all("audio")
        if not streams:
            return ""
        if problem := self._problem(streams[0]):
            return f": it {problem}"
        return ": it belongs to another programme; sound_track=N takes it"

    def _no_picture(self) -> InputError:
        problems = {self._problem(stream) for stream in self._all("video")}
        if ENCRYPTED in problems:
            return encrypted(self._path)
        if ELSEWHERE in problems:
            return InputError(
                f"The picture of {self._path} {ELSEWHERE}", "Export it as one file that holds all"
            )
        return InputError(
            f"{self._path} has no picture that can be decoded",
            "Give a video; a file with only sound can be named as sound=FILE",
        )

    def _all(self, kind: Kind) -> list[Any]:
        # PyAV 15 crashes where the type of a stream is asked for that FFmpeg does not know.
        return list(getattr(self._container.streams, kind))

    def _pool(self, kind: Kind, program: int | None) -> list[Any]:
        """The streams of a kind to choose from: those of a programme, or all."""
        if program is None:
            return self._all(kind)
        programs = self._programs.streams
        if program not in programs:
            there = ", ".join(map(str, sorted(programs))) or "none"
            raise InputError(
                f"{self._path} has no programme {program}", f"It holds these programmes: {there}"
            )
        return [stream for stream in self._all(kind) if stream.id in programs[program]]

    def _program_of(self, stream: Any) -> int | None:
        programs = self._programs.streams.items()
        return next((number for number, pids in programs if stream.id in pids), None)

    def _say_program(self, program: int | None) -> None:
        programs = sorted(self._programs.streams)
        if program is not None and len(programs) > 1:
            there = ", ".join(map(str, programs))
            self._notes.add(
                f"{self._path}: programme {program} is taken; it holds {there}; "
                "program=N takes another"
            )

    def _chosen(self, kind: Kind, pool: Sequence[Any], related: Any | None) -> Any | None:
        number: int | None = getattr(self._reading, _OPTION[kind])
        if number is not None:
            return self._asked_for(kind, number)
        usable = [stream for stream in pool if not self._problem(stream)]
        if not usable:
            return None
        best = self._container.streams.best(kind, related=related or usable[0])
        if best not in usable:
            best = max(usable, key=_rank)
        empty = []
        if len(usable) > 1:
            while best is not None and not self._holds_something(best):
                empty.append(best)
                left = [stream for stream in usable if stream not in empty]
                best = max(left, key=_rank, default=None)
            best = best or empty[0]
        obvious = _obvious(pool)
        why = self._problem(obvious)
        if why is None and obvious in empty:
            why = STILL if kind == "video" else EMPTY
        if sum(self._problem(stream) != COVER for stream in pool) > 1:
            self._say_track(kind, best, obvious, why)
        return best

    def _asked_for(self, kind: Kind, number: int) -> Any:
        streams = self._all(kind)
        word, asked = _WORD[kind], f"{_OPTION[kind]}={number}"
        there = f"It holds these {word} tracks: {self._listed(kind) or 'none'}"
        if number >= len(streams):
            raise InputError(f"{self._path} has no {word} track {number} ({asked})", there)
        problem = self._problem(streams[number])
        if problem and problem != COVER:
            what = f"The {word} track {number} of {self._path} ({asked}) {problem}"
            raise InputError(what, there)
        return streams[number]

    def _problem(self, stream: Any) -> str | None:
        """Why a stream cannot be used; None if it can."""
        if self._is_encrypted(stream):
            return ENCRYPTED
        if (track := self._mp4.get(stream.id)) and track.elsewhere:
            return ELSEWHERE
        if stream.codec_context is None:
            return UNKNOWN
        return COVER if stream.disposition & _COVERS else None

    def _is_encrypted(self, stream: Any) -> bool:
        if track := self._mp4.get(stream.id):
            return track.encrypted
        if self._format == "mpegts":
            return stream.id in self._programs.scrambled
        if self._format.startswith("asf"):
            return asf_is_encrypted(self._path)
        return "enc_key_id" in stream.metadata  # Matroska, WebM

    def _holds_something(self, stream: Any) -> bool:
        """Whether a video stream has more than one picture, or some sound can be decoded."""
        if stream.type == "video" and stream.frames:
            return bool(stream.frames > 1)
        tried = 0
        with opened(self._path, self._reading.max_pixels, patient=self._patient) as container:
            ours = container.streams[stream.index]
            ours.codec_context.thread_count = 1
            others = (other for other in container.streams.video if other is not ours)
            passed = 0
            for packet in packets_of(container, ours, *others):
                if packet.stream is not ours:
                    passed += 1
                elif packet.size:
                    tried += 1
                    if tried > 1 if ours.type == "video" else _decodes(ours, packet):
                        return True
                if passed > _PASSED_PACKETS or tried > _TRIED_PACKETS:
                    break
        return False

    def _say_track(self, kind: Kind, taken: Any, instead_of: Any, why: str | None) -> None:
        streams, word = self._all(kind), _WORD[kind]
        what = f"{word} track {streams.index(taken)} is taken"
        if taken is not instead_of:
            reason = f"which {why}" if why else "since FFmpeg ranks it higher"
            what += f", not track {streams.index(instead_of)}, {reason}"
        self._notes.add(
            f"{self._path}: {what}; it holds {self._listed(kind)}; {_OPTION[kind]}=N takes another"
        )

    def _listed(self, kind: Kind) -> str:
        return ", ".join(f"{n} ({self._words(s)})" for n, s in enumerate(self._all(kind)))

    def _words(self, stream: Any) -> str:
        """A track's codec, size or layout, language and flags, in words."""
        words = [stream.language] if stream.language not in (None, "und") else []
        context = stream.codec_context
        if context is not None:
            words.insert(0, context.codec.canonical_name)
            if stream.type == "video":
                words.append(f"{context.width}x{context.height}")
            else:
                words.append(f"{context.layout.name}")
        if problem := self._problem(stream):
            words.append(problem)
        if stream.disposition & av.stream.Disposition.default:
            words.append("default")
        return " ".join(words)


def encrypted(path: Path) -> InputError:
    """The error for a video that cannot be decoded without a key."""
    return InputError(
        f"{path} is encrypted, and its picture cannot be decoded",
        "Decrypt it first, or record it without protection; there is no option for keys",
    )


def _obvious(pool: Sequence[Any]) -> Any:
    """The stream a user would expect: the first one flagged as default, else the first."""
    streams = [stream for stream in pool if not stream.disposition & _COVERS]
    default = av.stream.Disposition.default
    return next((stream for stream in streams if stream.disposition & default), streams[0])


def _rank(stream: Any) -> tuple[bool, bool, int, int, int]:
    """The rank of a stream by FFmpeg's criteria, as far as known here; higher is better."""
    context, flags = stream.codec_context, stream.disposition
    size = context.width * context.height if stream.type == "video" else context.channels
    return (
        not flags & _FOR_SOME,
        bool(flags & av.stream.Disposition.default),
        size,
        context.bit_rate or 0,
        -stream.index,
    )


def _decodes(stream: Any, packet: Any) -> bool:
    try:
        return bool(stream.decode(packet))
    except av.FFmpegError:
        return False
