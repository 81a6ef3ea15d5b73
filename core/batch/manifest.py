"""What became of each video: JSON lines that are added to, never changed, a file per shard."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import OutputError
from ..files import claim


@dataclass(frozen=True, kw_only=True)
class Record:
    """What became of a video.

    Attributes:
        video: Absolute path of the file.
        name: Name of the folder of its results, beside the manifest.
        state: "started", "done" or "failed".
        time: When it came to that: ISO 8601, UTC.
        shard: The shard it was done in.
        host: The machine.
        pid: Process id of the batch there.
        asdkit: Version of asdkit.
        settings_hash: Of the settings that results depend on; they stand in a line of their own.
        size_bytes: Size of the file; None if it could not be looked at, as for `mtime_ns`.
        mtime_ns: When the file was last changed, in nanoseconds since 1970.
        sha256: Of its content; None if it could not be read.
        seconds: How long it took.
        video_s: How long the video is, in seconds.
        timings_s: Seconds spent in each stage.
        files: What was written, relative to the folder of the results.
        error: Why it failed, in one line.
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


_FIELDS = {entry.name for entry in fields(Record)}


def now() -> str:
    """The time: ISO 8601, UTC, always of the same width."""
    return datetime.now(timezone.utc).isoformat(timespec="microseconds")


_TEXTS = ("video", "name", "state", "time", "settings_hash")


class Records:
    """The records of all shards in a folder.

    Args:
        folder: The output folder of a batch; it may not be there yet.

    Attributes:
        latest: The latest record of each video, by its absolute path.
        settings: The settings of each `settings_hash`.
    """

    def __init__(self, folder: Path) -> None:
        self.latest: dict[str, Record] = {}
        self.settings: dict[str, Mapping[str, Any]] = {}
        self._folder = folder
        self._read_to: dict[Path, int] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read what was added since. A last line that is not whole is left for later."""
        for path in sorted(self._folder.glob("manifest-*.jsonl")):
            begin = self._read_to.get(path, 0)
            try:
                with path.open("rb") as file:
                    file.seek(begin)
                    lines, newline, _ = file.read().rpartition(b"\n")
            except OSError as error:
                raise OutputError(
                    f"The manifest {path} cannot be read: {error.strerror}",
                    "Check its permissions, or choose another folder with output=FOLDER",
                ) from error
            self._read_to[path] = begin + len(lines) + len(newline)
            for line in lines.split(b"\n"):
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            entry = json.loads(line)
            if entry["state"] == "settings":
                self.settings[entry["settings_hash"]] = entry["settings"]
                return
            record = Record(**{key: entry[key] for key in _FIELDS & entry.keys()})
            if not all(isinstance(entry[key], str) for key in _TEXTS):
                return
        except (ValueError, TypeError, KeyError, AttributeError):
            return  # a disk that failed can leave anything; the video is done again
        before = self.latest.get(record.video)
        # A clock may have been set back, but a shard's own lines are in order.
        if not before or record.shard == before.shard or record.time >= before.time:
            self.latest[record.video] = record


class Manifest:
    """The file of one shard, to write to; see `writing`."""

    def __init__(self, path: Path, shard: int) -> None:
        self.shard = shard
        self.path = path
        self._file: BinaryIO | None = None

    def add(self, record: Record) -> None:
        """Add a record; it is on the disk when this returns.

        Raises:
            OutputError: The file system refuses.
        """
        self._add({key: value for key, value in asdict(record).items() if value is not None})

    def add_settings(self, settings_hash: str, settings: Mapping[str, Any]) -> None:
        """Add the settings that records name by their hash.

        Raises:
            OutputError: The file system refuses.
        """
        entry = {"state": "settings", "time": now(), "settings_hash": settings_hash}
        self._add({**entry, "settings": settings})

    def _add(self, entry: Mapping[str, Any]) -> None:
        line = json.dumps(entry).encode() + b"\n"
        try:
            if self._file is None:
                self._file = self.path.open("ab", buffering=0)
            if self._file.write(line) != len(line):
                raise OSError("the disk is full")  # noqa: TRY301
            os.fsync(self._file.fileno())
        except OSError as error:
            raise OutputError(
                f"Cannot write {self.path}: {error.strerror or error}",
                "Make room, or choose another folder with output=FOLDER; then start it again",
            ) from error

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


@contextmanager
def writing(folder: Path, shard: int) -> Iterator[Manifest]:
    """The manifest of a shard, for this process alone; a torn last line is cut off.

    Args:
        folder: The output folder; it is made if need be, and removed again if nothing came in.
        shard: The shard.

    Raises:
        OutputError: Another process is at it, or the file system refuses.
    """
    path = folder / f"manifest-{shard}.jsonl"
    lock = folder / f".manifest-{shard}.lock"
    made = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = claim(lock)
        if held and path.exists():
            with path.open("r+b") as file:
                file.truncate(file.read().rfind(b"\n") + 1)
    except OSError as error:
        raise OutputError(
            f"Cannot write to {folder}: {error.strerror or error}",
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
