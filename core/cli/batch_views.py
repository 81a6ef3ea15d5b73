"""`asd batch status`, `table` and `decide`: what to do with a batch that is done, or under way."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError, one_line
from ..files import expanded
from .arguments import HELP
from .overrides import is_override
from .parser import Parser

if TYPE_CHECKING:
    from ..batch.manifest import Record
    from ..batch.status import Failure, Status

_FORM = "asd batch {} FOLDER"
_FOLDER = "the output folder of the batch"
_MOST_NAMES = 5
_MOST_REASONS = 20


def _status(words: list[str]) -> None:
    about = "Says which videos of a batch are done, failed and why, at work, and left. Only reads."
    parser = Parser("batch status", about, _FORM.format("status"))
    parser.add_argument("folder", metavar="FOLDER", help=_FOLDER)
    folder = _one_folder(parser, parser.read(words)[0])
    from ..batch.status import status_of

    _say(status_of(folder), folder)


def _one_folder(parser: Parser, given: list[str]) -> Path:
    if len(given) != 1:
        parser.error(f"takes one folder, but got {' '.join(given) or 'none'}")
    return Path(given[0])


def _say(status: Status, folder: Path) -> None:
    print(f"{'done':<9}{len(status.done)}{_speed(status.done)}")
    print(f"{'failed':<9}{sum(len(failure.names) for failure in status.failed)}")
    for failure in status.failed[:_MOST_REASONS]:
        _say_failure(failure)
    if len(status.failed) > _MOST_REASONS:
        print(f"  and {len(status.failed) - _MOST_REASONS} reasons more, in the manifest")
    unsure = f", of which {status.unsure} began on other machines, and may have ended"
    print(f"{'running':<9}{len(status.running)}{unsure if status.unsure else ''}")
    for record in status.running:
        print(f"  {one_line(record.name)}: {_age(record)}, on {one_line(record.host)}")
    print(f"{'left':<9}{_left(status)}")
    if status.jobs:
        print(f"{'jobs':<9}{_jobs(status)}; logs of submitit in {folder / '.submitit'}")
    for line in status.passed_over:
        print(f"asd: {line} is no line of a manifest: it is passed over", file=sys.stderr)


def _left(status: Status) -> str:
    if status.guessed and not status.left:
        return "not known"
    gone = f", of which {status.gone} were done, but results were removed" if status.gone else ""
    return f"{'about ' if status.guessed else ''}{status.left}{gone}"


def _say_failure(failure: Failure) -> None:
    names = ", ".join(map(one_line, failure.names[:_MOST_NAMES]))
    more = len(failure.names) - _MOST_NAMES
    print(f"  {len(failure.names)} {one_line(failure.kind)}: {one_line(failure.reason)}")
    print(f"    {names}{f', and {more} more' if more > 0 else ''}")


def _speed(done: tuple[Record, ...]) -> str:
    video_s = sum(record.video_s or 0 for record in done)
    spent_s = sum(record.seconds or 0 for record in done)
    if not spent_s:
        return ""
    speed = f"{video_s / spent_s:.2f} times real time"
    return f", {timedelta(seconds=round(video_s))} of video at {speed}"


def _age(record: Record) -> str:
    try:
        began = datetime.fromisoformat(record.time)
        passed = datetime.now(timezone.utc) - began.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return "for an unknown time"
    return f"for {timedelta(seconds=max(0, round(passed.total_seconds())))}"


def _jobs(status: Status) -> str:
    from ..batch.jobs import in_words

    if status.queue is None:
        return f"{in_words(status.jobs)}; squeue, which knows of them, cannot be asked here"
    by_state: dict[str, list[str]] = {}
    for job, state in status.queue.items():
        by_state.setdefault(state, []).append(job)
    told = [f"{len(jobs)} {state} ({in_words(jobs)})" for state, jobs in sorted(by_state.items())]
    ended = len(status.jobs) - len(status.queue)
    return ", ".join([*told, *([f"{ended} ended"] if ended else [])])


def _table(words: list[str]) -> None:
    about = (
        "Puts together who speaks when in all videos of a batch that are done: turns.csv, "
        "people.csv and speakers.rttm."
    )
    parser = Parser("batch table", about, f"{_FORM.format('table')} [output=FOLDER]")
    parser.add_argument("folder", metavar="FOLDER", help=_FOLDER)
    parser.add_keys(output="where the files go; into the folder of the batch if not given")
    given, keys = parser.read(words)
    folder = _one_folder(parser, given)
    from ..batch.finished_videos import some_unread
    from ..batch.tables import write_tables
    from ..config.options import check_folder

    output = keys.get("output")
    check_folder(output)
    made = write_tables(folder, Path(output) if output else None)
    print(f"videos: {made.videos}, turns: {made.turns}, people or tracks: {made.people}")
    for path in made.files:
        print(path)
    if made.unread:
        raise some_unread(made.unread, made.videos + len(made.unread))


def _decide(words: list[str]) -> None:
    about = (
        "Decides anew who speaks when in all videos of a batch that are done, without inference: "
        "with other thresholds (segments, speech), another way to decide (decisions, conversation) "
        "or calibration (calibration), or writes other files (writers). The new results go "
        "into a folder of their own."
    )
    form = f"{_FORM.format('decide')} OPTION=VALUE ... output=FOLDER"
    parser = Parser("batch decide", about, form)
    parser.add_argument("folder", metavar="FOLDER", help=_FOLDER)
    parser.add_argument(
        "options",
        metavar="OPTION=VALUE",
        nargs="*",
        help="options of asd batch to change, such as segments.on=0.6 or writers=[rttm]; "
        "output=FOLDER for the new results; overwrite=true to replace those there",
    )
    given = parser.plain(words, ("output", "overwrite", *_changes(words)))
    plain = [word for word in given if not is_override(word)]
    folder = _one_folder(parser, plain)
    own = {"output": "", "overwrite": "false"}
    overrides = []
    for word in given:
        key, _, value = word.partition("=")
        if key in own:
            own[key] = value
        elif word not in plain:
            overrides.append(word)
    if not own["output"]:
        raise ConfigError("output is not set", "Set it, as in: output=FOLDER")
    if own["overwrite"] not in ("true", "false"):
        raise ConfigError(f"overwrite must be true or false, got {own['overwrite']}")
    from ..batch.deciding import Change, decide_batch

    decide_batch(
        folder,
        expanded(own["output"]),
        Change.of(overrides),
        partial(print, flush=True),
        overwrite=own["overwrite"] == "true",
    )


def _changes(words: list[str]) -> Collection[str]:
    """The options that decide changes, if an argument looks as if one was written with dashes."""
    if all(word in HELP or not word.startswith("-") for word in words):
        return ()
    from ..batch.deciding import CHANGES

    return CHANGES


def say_if_there(word: str) -> None:
    """Say that a word is taken for the command, if there is a file or folder of that name, too."""
    if os.path.lexists(word):
        what = f"asd: {word} is taken for the command asd batch {word}"
        print(f"{what}; for the videos in it: videos={word}", file=sys.stderr)


VIEWS: Mapping[str, Callable[[list[str]], None]] = {
    "status": _status,
    "table": _table,
    "decide": _decide,
}
"""By the word after asd batch: what takes the arguments after it."""
