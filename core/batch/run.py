"""Runs a batch: finds the videos, skips finished ones, processes the rest, records outcomes."""

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
from ..cores import cores
from ..errors import ConfigError, InputError, OutputError
from ..files import claim
from ..version import __version__
from ..voices.files import check_for_each
from .jobs import own_job
from .manifest import Begin, Manifest, Record, Records, now, writing
from .pace import BatchPace, Step
from .settings import BATCH, BatchOptions, settings_hash, telling
from .videos import find_videos, name_folders
from .workers import Task, content_hash, outcomes


def _unsaid(line: str) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class Summary:
    """The outcome of a batch, or of one shard of it.

    Attributes:
        total: Number of videos.
        done: Number of videos processed successfully by this call.
        failed: Number of videos that failed, in this call or before.
        manifest: The file that records the outcome of each video.
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


def run_batch(
    config: DictConfig, tell: Callable[[str], None], log: Callable[[str], None] = _unsaid
) -> Summary:
    """Process the videos of a batch that are not done yet.

    Args:
        config: The composed configuration of `BATCH`.
        tell: Called with a line on the outcome of each video.
        log: Called once a minute with a line on how far the batch is.

    Returns:
        The outcome of the batch.

    Raises:
        InputError: Some videos failed, in this call or before; all others are done.
        OutputError: The disk is full or the folder is gone; results written before are kept.
        AsdError: No video could be processed: there are no videos, an option, the weights or the
            device is not usable, or the output folder is unusable or in use.
    """
    settings = settings_of(BATCH, config)
    options = make_options(BatchOptions, settings)
    if options.shard is None and options.shards > 1:
        raise ConfigError(
            f"shards={options.shards} needs to know which of them to do",
            f"Add shard=0, or any up to shard={options.shards - 1}",
        )
    if options.threads is None and options.workers > 1:
        settings["threads"] = max(1, cores() // options.workers)
    task = Task(settings, Path(options.output))
    videos = find_videos(options.videos, task.output)
    if (turns := task.plan().options.diarization) is not None:
        names = name_folders(videos, _known(Records(task.output)))
        check_for_each(turns, list(names.values()))
    with writing(task.output, options.shard or 0) as manifest:
        summary = _Batch(task, options, manifest, tell, log).run(videos)
    tell(str(summary))
    if summary.failed:
        raise InputError(
            f"{summary.failed} of {_videos(summary.total)} failed: see {summary.manifest}",
            "Start it again to try them again",
        )
    return summary


class _Batch:
    """Processes one shard."""

    def __init__(
        self,
        task: Task,
        options: BatchOptions,
        manifest: Manifest,
        tell: Callable[[str], None],
        log: Callable[[str], None],
    ) -> None:
        self._task = task
        self._options = options
        self._manifest = manifest
        self._tell_user = tell
        self._log = log
        self._began = now()
        self._hash = settings_hash(task.settings)
        self._records = Records(task.output)
        self._names: dict[str, str] = {}
        self._found = 0
        self._held: dict[str, FileLock] = {}

    def run(self, videos: list[str]) -> Summary:
        """Process the videos of this shard that are not done yet."""
        latest = self._records.latest
        for line in self._records.passed_over:
            self._tell(f"{line} is no line of a manifest: it is passed over")
        known = _known(self._records)
        self._names = name_folders(videos, known)
        self._found = len(videos)
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
            # An invalid manifest line may have recorded this folder: keep it, and use another name.
            known |= {f"\0{self._names[v]}": self._names[v] for v in strange}
            self._names = name_folders(videos, known)
        done = self._do(todo) if todo else 0
        self._records.refresh()
        failed = sum(video in latest and latest[video].state == "failed" for video in mine)
        return Summary(len(mine), done, failed, self._manifest.path)

    def _stands(self, video: str) -> bool:
        """Whether the path for the results of a video exists already."""
        return os.path.lexists(self._task.output / self._names[video])

    def _do(self, todo: list[str]) -> int:
        """Process these videos; return how many succeeded."""
        done = 0
        workers = min(self._options.workers, len(todo))
        pace = BatchPace(len(todo))

        def heed(record: Record, step: Step) -> None:
            pace.step(record.name, step.done, step.total)
            if line := pace.line():
                self._log(_shown(line))

        limit_s = self._options.video_timeout_s
        try:
            with closing(outcomes(self._task, self._jobs(todo), workers, limit_s, heed)) as records:
                for number, made in enumerate(records, 1):
                    record = self._checked(made)
                    self._manifest.add(record)
                    self._release(record.video)
                    pace.end(record)
                    done += record.state == "done"
                    self._tell(f"{number}/{len(todo)} {record.name}: {_news(record)}")
        finally:
            for video in list(self._held):  # all workers have ended
                self._release(video)
        return done

    def _checked(self, record: Record) -> Record:
        """The record, changed to "failed" if its results no longer exist."""
        folder = self._task.output / record.name
        gone = [file for file in record.files or [] if not (folder / file).exists()]
        if record.state != "done" or not gone:
            return record
        told = f"Its results are gone: {folder / gone[0]} was removed meanwhile"
        return replace(record, state="failed", error=told, error_type="OutputError")

    def _jobs(self, todo: list[str]) -> Iterator[Record]:
        """Yield the started record of each video that no other process has claimed."""
        if self._hash not in self._records.settings:
            self._manifest.add_settings(self._hash, telling(self._task.settings))
        self._manifest.add_begin(self._begin())
        for video in todo:
            lock = self._claimed(video)
            if lock is None:
                self._tell(f"{self._names[video]}: another process is at it")
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
        """Lock a video under a folder name that no other video has; None if it is locked already.

        Another shard may have been started with a different list of videos, and have given the
        same name to another one.
        """
        while lock := claim(self._lock(video)):
            self._records.refresh()
            names = _known(self._records)
            if all(name != self._names[video] or known == video for known, name in names.items()):
                return lock
            self._lock(video).unlink(missing_ok=True)
            lock.release()
            self._names.update(name_folders([video], names))
        return None

    def _tell(self, line: str) -> None:
        """Pass on a line that any terminal can show, even if it contains an odd file name."""
        self._tell_user(_shown(line))

    def _lock(self, video: str) -> Path:
        return self._task.output / f".{self._names[video]}.lock"

    def _release(self, video: str) -> None:
        """Unlock a video, after removing the leftovers of a worker that died."""
        self._remove_leftovers(video)
        self._lock(video).unlink(missing_ok=True)
        self._held.pop(video).release()

    def _remove_leftovers(self, video: str) -> None:
        """Remove temporary folders that `whole_folder` leaves if its process is killed."""
        whole = self._task.output / self._names[video]
        for aside in self._task.output.glob(f".{glob.escape(whole.name)}.????????"):
            with suppress(OSError):
                if aside.is_dir() and {path.name for path in aside.iterdir()} <= {"new", "old"}:
                    if not os.path.lexists(whole) and (aside / "old").exists():
                        (aside / "old").rename(whole)  # killed during the replacement
                    shutil.rmtree(aside, ignore_errors=True)

    def _begin(self) -> Begin:
        return Begin(
            time=now(),
            shard=self._manifest.shard,
            shards=self._options.shards,
            host=socket.gethostname(),
            pid=os.getpid(),
            videos=self._options.videos,
            folder=str(Path.cwd()),
            found=self._found,
            job=own_job(),
        )

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
        """Whether a video needs no processing."""
        record = self._records.latest.get(video)
        if record is None or record.state == "started" or record.settings_hash != self._hash:
            return False
        if record.state == "failed" and self._options.retry_failed:
            return record.time > self._began  # another shard has just retried it
        folder = self._task.output / record.name
        return self._same(record) and all((folder / file).exists() for file in record.files or [])

    def _same(self, record: Record) -> bool:
        """Whether a video file is unchanged since its record was written."""
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


def _known(records: Records) -> dict[str, str]:
    """By video: its name in the manifests."""
    return {video: record.name for video, record in records.latest.items()}


def _stat(video: str) -> tuple[int, int] | tuple[None, None]:
    """Size in bytes and modification time in nanoseconds; None if inaccessible."""
    try:
        found = Path(video).stat()
    except OSError:
        return None, None
    return found.st_size, found.st_mtime_ns


def _shown(line: str) -> str:
    return " ".join(line.encode(errors="replace").decode().split())


def _videos(number: int) -> str:
    return "1 video" if number == 1 else f"{number} videos"


def _news(record: Record) -> str:
    if record.state == "failed":
        return f"failed: {record.error}"
    assert record.seconds and record.video_s is not None
    speed = record.video_s / record.seconds
    return f"done in {record.seconds:.1f} s, {speed:.2f} times real time"
