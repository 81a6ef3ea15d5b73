"""A batch from beginning to end: find the videos, skip what is done, do the rest, keep account."""

from __future__ import annotations

import glob
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock
from omegaconf import DictConfig

from ..config.compose import settings_of
from ..config.options import make_options
from ..errors import ConfigError, InputError, OutputError
from ..files import claim
from ..version import __version__
from .manifest import Manifest, Record, Records, now, writing
from .settings import BATCH, BatchOptions, settings_hash, telling
from .videos import find_videos, name_folders
from .workers import Task, content_hash, outcomes


@dataclass(frozen=True)
class Summary:
    """What came of a batch, or of one shard of it.

    Attributes:
        total: How many videos it has.
        done: How many were done now.
        failed: How many have failed, now or before.
        manifest: The file that says which, and why.
    """

    total: int
    done: int
    failed: int
    manifest: Path

    def __str__(self) -> str:
        rest = self.total - self.done - self.failed
        return (
            f"{_videos(self.total)}: {self.done} done, {self.failed} failed, {rest} left as they "
            f"are; see {self.manifest}"
        )


def run_batch(config: DictConfig, tell: Callable[[str], None]) -> Summary:
    """Do what is left of a batch.

    Args:
        config: What was composed of `BATCH`.
        tell: Is told, in a line, what became of each video.

    Returns:
        What came of it.

    Raises:
        InputError: Some videos failed, now or before; all others are done.
        OutputError: The disk is full or the folder is gone; what was done until then is done.
        AsdError: Nothing could be done: there are no videos, an option, weights or the device
            is not usable, or the output folder is not or is in use.
    """
    settings = settings_of(BATCH, config)
    options = make_options(BatchOptions, settings)
    if options.shard is None and options.shards > 1:
        raise ConfigError(
            f"shards={options.shards} needs to know which of them to do",
            f"Add shard=0, or any up to shard={options.shards - 1}",
        )
    if options.threads is None and options.workers > 1:
        settings["threads"] = max(1, _cores() // options.workers)
    task = Task(settings, Path(options.output))
    videos = find_videos(options.videos, task.output)
    task.plan()
    with writing(task.output, options.shard or 0) as manifest:
        summary = _Batch(task, options, manifest, tell).run(videos)
    tell(str(summary))
    if summary.failed:
        raise InputError(
            f"{summary.failed} of {_videos(summary.total)} failed: see {summary.manifest}",
            "Start it again to try them again",
        )
    return summary


class _Batch:
    """A shard at work."""

    def __init__(
        self, task: Task, options: BatchOptions, manifest: Manifest, tell: Callable[[str], None]
    ) -> None:
        self._task = task
        self._options = options
        self._manifest = manifest
        self._tell_user = tell
        self._began = now()
        self._hash = settings_hash(task.settings)
        self._records = Records(task.output)
        self._names: dict[str, str] = {}
        self._held: dict[str, FileLock] = {}

    def run(self, videos: list[str]) -> Summary:
        """Do what is left of this shard."""
        latest = self._records.latest
        for line in self._records.passed_over:
            self._tell(f"{line} is no line of a manifest: it is passed over")
        known = {video: record.name for video, record in latest.items()}
        self._names = name_folders(videos, known)
        mine = videos[self._manifest.shard :: self._options.shards]
        todo = [video for video in mine if not self._settled(video)]
        self._tell(f"{_videos(len(mine))}, {len(todo)} to do")
        while strange := [video for video in todo if video not in latest and self._stands(video)]:
            folder = self._task.output / self._names[strange[0]]
            if not self._records.passed_over or folder.name in known.values():
                raise OutputError(
                    f"{folder} is there, but no manifest beside it knows of it",
                    "Move it away, or choose another folder with output=FOLDER",
                )
            # Perhaps a line that was passed over knew of it: it stays, and another name is taken.
            known |= {f"\0{self._names[v]}": self._names[v] for v in strange}
            self._names = name_folders(videos, known)
        done = self._do(todo) if todo else 0
        self._records.refresh()
        failed = sum(video in latest and latest[video].state == "failed" for video in mine)
        return Summary(len(mine), done, failed, self._manifest.path)

    def _stands(self, video: str) -> bool:
        """Whether there is something already where the results of a video are to go."""
        return os.path.lexists(self._task.output / self._names[video])

    def _do(self, todo: list[str]) -> int:
        """Do these videos; how many went well."""
        done = 0
        workers = min(self._options.workers, len(todo))
        try:
            with closing(
                outcomes(self._task, self._jobs(todo), workers, self._options.video_timeout_s)
            ) as records:
                for number, made in enumerate(records, 1):
                    record = self._checked(made)
                    self._manifest.add(record)
                    self._release(record.video)
                    done += record.state == "done"
                    self._tell(f"{number}/{len(todo)} {Path(record.video).name}: {_news(record)}")
        finally:
            for video in list(self._held):  # their workers are no more
                self._release(video)
        return done

    def _checked(self, record: Record) -> Record:
        """A record, which has failed if its results are no longer there."""
        folder = self._task.output / record.name
        gone = [file for file in record.files or [] if not (folder / file).exists()]
        if record.state != "done" or not gone:
            return record
        told = f"Its results are gone: {folder / gone[0]} was removed meanwhile"
        return replace(record, state="failed", error=told, error_type="OutputError")

    def _jobs(self, todo: list[str]) -> Iterator[Record]:
        """Begin with one video after another, unless another shard has."""
        if self._hash not in self._records.settings:
            self._manifest.add_settings(self._hash, telling(self._task.settings))
        for video in todo:
            lock = self._claimed(video)
            if lock is None:
                self._tell(f"{Path(video).name}: another process is at it")
                continue
            self._held[video] = lock
            if self._settled(video):
                self._release(video)
                continue
            self._remove_leftovers(video)
            started = self._started(video)
            self._manifest.add(started)
            yield started

    def _claimed(self, video: str) -> FileLock | None:
        """The lock of a video under a name that no other video has; None if another holds it.

        Another shard may have been started with other videos, one of them of the same name.
        """
        while lock := claim(self._lock(video)):
            self._records.refresh()
            names = {known: record.name for known, record in self._records.latest.items()}
            if all(name != self._names[video] or known == video for known, name in names.items()):
                return lock
            self._lock(video).unlink(missing_ok=True)
            lock.release()
            self._names.update(name_folders([video], names))
        return None

    def _tell(self, line: str) -> None:
        """Tell it so that any terminal can show it, whatever the name of the file in it."""
        self._tell_user(" ".join(line.encode(errors="replace").decode().split()))

    def _lock(self, video: str) -> Path:
        return self._task.output / f".{self._names[video]}.lock"

    def _release(self, video: str) -> None:
        """Leave a video to others; what a worker that died has left of it is removed."""
        self._remove_leftovers(video)
        self._lock(video).unlink(missing_ok=True)
        self._held.pop(video).release()

    def _remove_leftovers(self, video: str) -> None:
        """Remove what `whole_folder` has left if it was killed."""
        whole = self._task.output / self._names[video]
        for aside in self._task.output.glob(f".{glob.escape(whole.name)}.????????"):
            with suppress(OSError):
                if aside.is_dir() and {path.name for path in aside.iterdir()} <= {"new", "old"}:
                    if not os.path.lexists(whole) and (aside / "old").exists():
                        (aside / "old").rename(whole)  # it was about to be replaced
                    shutil.rmtree(aside, ignore_errors=True)

    def _started(self, video: str) -> Record:
        size, changed = _stat(video)
        return Record(
            video=video,
            name=self._names[video],
            state="started",
            time=now(),
            shard=self._manifest.shard,
            host=socket.gethostname(),
            pid=os.getpid(),
            asdkit=__version__,
            settings_hash=self._hash,
            size_bytes=size,
            mtime_ns=changed,
        )

    def _settled(self, video: str) -> bool:
        """Whether nothing is to be done for a video."""
        record = self._records.latest.get(video)
        if record is None or record.state == "started" or record.settings_hash != self._hash:
            return False
        if record.state == "failed" and self._options.retry_failed:
            return record.time > self._began  # another shard has just tried
        folder = self._task.output / record.name
        return self._same(record) and all((folder / file).exists() for file in record.files or [])

    def _same(self, record: Record) -> bool:
        """Whether a video is the one it was."""
        size, changed = _stat(record.video)
        if size != record.size_bytes:
            return False
        if changed == record.mtime_ns:
            return True
        if record.sha256 is None or content_hash(record.video) != record.sha256:
            return False
        shard = self._manifest.shard
        self._manifest.add(replace(record, mtime_ns=changed, time=now(), shard=shard))
        return True


def _stat(video: str) -> tuple[int, int] | tuple[None, None]:
    """Size in bytes, and time of the last change in nanoseconds, if they can be had."""
    try:
        found = Path(video).stat()
    except OSError:
        return None, None
    return found.st_size, found.st_mtime_ns


def _cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _videos(number: int) -> str:
    return "1 video" if number == 1 else f"{number} videos"


def _news(record: Record) -> str:
    if record.state == "failed":
        return f"failed: {record.error}"
    assert record.seconds and record.video_s is not None
    speed = record.video_s / record.seconds
    return f"done in {record.seconds:.1f} s, {speed:.2f} times real time"
