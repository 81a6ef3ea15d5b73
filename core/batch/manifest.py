"""The manifest of a batch: append-only JSON lines with each video's outcome, a file per shard."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from ..errors import OutputError
from ..files import claim, missing_folders


@dataclass(frozen=True, kw_only=True)
class Record:
    """A manifest line: the state of a video.

    Attributes:
        video: Absolute path of the file.
        name: Name of the folder of its results, beside the manifest.
        state: "started", "done" or "failed".
        time: When the video reached this state: ISO 8601, UTC.
        shard: The shard that processed it.
        host: The machine.
        pid: Process id of the batch on that machine.
        asdkit: Version of asdkit.
        settings_hash: Hash of the settings that results depend on; a separate line holds them.
        size_bytes: Size of the file; None if the file could not be accessed.
        mtime_ns: When the file was last changed, in nanoseconds since 1970; None likewise.
        sha256: Hash of the file's content; None if it could not be read.
        seconds: Processing time.
        video_s: Duration of the video in seconds.
        timings_s: Seconds spent in each stage.
        files: The files written, relative to the folder of the results.
        error: Why the video failed, in one line.
        error_type: The class of that error.
    """

    video: str
    name: str
    state: str
    time: str
    shard: int
    host: str
    pid: int
    asdkit: str
    settings_hash: str
    size_bytes: int | None = None
    mtime_ns: int | None = None
    sha256: str | None = None
    seconds: float | None = None
    video_s: float | None = None
    timings_s: Mapping[str, float] | None = None
    files: list[str] | None = None
    error: str | None = None
    error_type: str | None = None


@dataclass(frozen=True, kw_only=True)
class Begin:
    """A manifest line: the begin of a shard that has something to do.

    Attributes:
        time: When it began: ISO 8601, UTC.
        shard: The shard.
        shards: Into how many parts the videos were divided.
        host: The machine.
        pid: Process id on that machine.
        videos: What `videos` was set to: text, or a list of texts.
        folder: Absolute path of the folder that it was started in.
        found: How many videos there were, in all shards.
        job: The job of Slurm, as squeue calls it: 123, or 123_4 in an array; None outside of one.
    """

    time: str
    shard: int
    shards: int
    host: str
    pid: int
    videos: Any
    folder: str
    found: int
    job: str | None = None


def now() -> str:
    """The current time: ISO 8601, UTC, always of the same width."""
    return datetime.now(timezone.utc).isoformat(timespec="microseconds")


_NUMBER, _NONE = (int, float), type(None)
_KINDS: dict[str, tuple[type, ...]] = {
    "videos": (str, list),
    "folder": (str,),
    "job": (str, _NONE),
    **dict.fromkeys(("shards", "found"), (int,)),
    **dict.fromkeys(("video", "name", "state", "time", "host", "asdkit", "settings_hash"), (str,)),
    **dict.fromkeys(("shard", "pid"), (int,)),
    **dict.fromkeys(("size_bytes", "mtime_ns"), (int, _NONE)),
    **dict.fromkeys(("sha256", "error", "error_type"), (str, _NONE)),
    **dict.fromkeys(("seconds", "video_s"), (*_NUMBER, _NONE)),
    "timings_s": (dict, _NONE),
    "files": (list, _NONE),
}
"""The types of the values of lines."""
_Line = TypeVar("_Line", Record, Begin)


class Records:
    """The records of all shards in a folder.

    Args:
        folder: The output folder of a batch; it need not exist yet.

    Attributes:
        latest: The latest record of each video, by its absolute path.
        begins: Each begin of a shard; those of one shard are in order.
        settings: The settings of each `settings_hash`.
        passed_over: Invalid lines, each as FILE:NUMBER, which are ignored.
    """

    def __init__(self, folder: Path) -> None:
        self.latest: dict[str, Record] = {}
        self.begins: list[Begin] = []
        self.settings: dict[str, Mapping[str, Any]] = {}
        self.passed_over: list[str] = []
        self._folder = folder
        self._read_to: dict[Path, tuple[int, int]] = {}
        """How many bytes and lines of each file have been read."""
        self.refresh()

    def refresh(self) -> None:
        """Read the lines added since the last call, except an incomplete last line."""
        for path in sorted(self._folder.glob("manifest-*.jsonl")):
            begin, number = self._read_to.get(path, (0, 0))
            try:
                with path.open("rb") as file:
                    file.seek(begin)
                    lines, newline, _ = file.read().rpartition(b"\n")
            except OSError as error:
                raise OutputError(
                    f"The manifest {path} cannot be read: {error.strerror}",
                    "Check its permissions, or choose another folder with output=FOLDER",
                ) from error
            if not newline:
                continue
            found = lines.split(b"\n")
            self._read_to[path] = begin + len(lines) + len(newline), number + len(found)
            for line_number, line in enumerate(found, number + 1):
                if line.strip() and not self._take(line):
                    self.passed_over.append(f"{path}:{line_number}")

    def _take(self, line: bytes) -> bool:
        """Parse a line; return False if it is not a valid manifest line."""
        try:
            entry = json.loads(line)
            if entry["state"] == "settings":
                self.settings[entry["settings_hash"]] = dict(entry["settings"])
                return True
            if entry["state"] == "begin":
                begin = _made(Begin, entry)
                sound = _has_sound_values(begin) and "\0" not in begin.folder
                self.begins += [begin] if sound else []
                return sound
            record = _made(Record, entry)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return False  # a failing disk can leave anything; the video is processed again
        if not _is_sound(record):
            return False
        before = self.latest.get(record.video)
        # Times may go back with a changed clock, but the lines of one shard are in order.
        if not before or record.shard == before.shard or record.time >= before.time:
            self.latest[record.video] = record
        return True


def _made(kind: type[_Line], entry: Mapping[str, Any]) -> _Line:
    """A line of this kind, of those values that it knows."""
    known = {field.name for field in fields(kind)} & entry.keys()
    return kind(**{key: entry[key] for key in known})


def _has_sound_values(line: Record | Begin) -> bool:
    """Whether all values of a line have valid types."""
    values = {field.name: getattr(line, field.name) for field in fields(line)}
    return all(
        isinstance(value, _KINDS[name]) and not isinstance(value, bool)
        for name, value in values.items()
    )


def _is_sound(record: Record) -> bool:
    """Whether all values of a record have valid types and contents."""
    return (
        _has_sound_values(record)
        and record.state in ("started", "done", "failed")
        and "\0" not in record.video
        and os.path.isabs(record.video)  # noqa: PTH117 - of no matter whose system
        and is_plain_name(record.name)
        and all(isinstance(file, str) and "\0" not in file for file in record.files or [])
    )


def is_plain_name(name: str) -> bool:
    """Whether `name` is a plain folder name, without separators and not hidden."""
    parts = {os.sep, os.altsep or os.sep, "/", "\0"}
    return bool(name) and not name.startswith(".") and not parts & set(name)


class Manifest:
    """The manifest file of one shard, opened for writing; see `writing`."""

    def __init__(self, path: Path, shard: int) -> None:
        self.shard = shard
        self.path = path
        self._file: BinaryIO | None = None

    def add(self, record: Record) -> None:
        """Append a record, and flush it to disk.

        Raises:
            OutputError: The file cannot be written.
        """
        self._add(_values(record))

    def add_begin(self, begin: Begin) -> None:
        """Append the begin of the shard.

        Raises:
            OutputError: The file cannot be written.
        """
        self._add({"state": "begin", **_values(begin)})

    def add_settings(self, settings_hash: str, settings: Mapping[str, Any]) -> None:
        """Append the settings that records refer to by their hash.

        Raises:
            OutputError: The file cannot be written.
        """
        entry = {"state": "settings", "time": now(), "settings_hash": settings_hash}
        self._add({**entry, "settings": settings})

    def _add(self, entry: Mapping[str, Any]) -> None:
        line = json.dumps(entry).encode() + b"\n"
        try:
            if self._file is None:
                self._file = self.path.open("ab", buffering=0)
            elif not os.path.samestat(os.fstat(self._file.fileno()), self.path.stat()):
                raise FileNotFoundError(errno.ENOENT, "it was removed meanwhile")
            if self._file.write(line) != len(line):
                raise OSError("the disk is full")  # noqa: TRY301
            os.fsync(self._file.fileno())
        except OSError as error:
            raise OutputError(
                f"Cannot write {self.path}: {error.strerror or error}",
                "See to the folder, or choose another with output=FOLDER; then start it again",
            ) from error

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def _values(line: Record | Begin) -> dict[str, Any]:
    return {key: value for key, value in asdict(line).items() if value is not None}


@contextmanager
def writing(folder: Path, shard: int) -> Iterator[Manifest]:
    """Open the manifest of a shard for this process alone; remove an incomplete last line.

    Args:
        folder: The output folder; created if missing, and removed again if it stays empty.
        shard: The shard.

    Raises:
        OutputError: Another process has the manifest open, or the folder cannot be written to.
    """
    path = folder / f"manifest-{shard}.jsonl"
    lock = folder / f".manifest-{shard}.lock"
    made = missing_folders(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = claim(lock)
        if held and path.exists():
            with path.open("r+b") as file:
                file.truncate(file.read().rfind(b"\n") + 1)
    except (OSError, ValueError) as error:
        raise OutputError(
            f"Cannot write to {folder}: {getattr(error, 'strerror', None) or error}",
            "Choose another folder with output=FOLDER",
        ) from error
    if held is None:
        raise OutputError(
            f"Another asd batch is at shard {shard} of {folder}",
            "Wait until it ends, or choose another folder with output=FOLDER",
        )
    manifest = Manifest(path, shard)
    try:
        yield manifest
    finally:
        manifest.close()
        if not path.exists():
            lock.unlink(missing_ok=True)
        held.release()
        for parent in made:
            with suppress(OSError):  # it is not empty
                parent.rmdir()
