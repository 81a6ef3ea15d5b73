"""Reads the results of the videos of a batch that are done, one after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import AsdError, InputError
from ..result import Result
from ..results import FILE
from .manifest import Record, Records

Unread = tuple[Record, AsdError]
"""A video that is done, and why its result cannot be read."""


def done_in(folder: Path, records: Records) -> list[Record]:
    """The records of the videos that are done, by name.

    Raises:
        InputError: No video is done.
    """
    done = [record for record in records.latest.values() if record.state == "done"]
    if not done:
        raise InputError(
            f"No video of {folder} is done", f"asd batch status {folder} tells what became of them"
        )
    return sorted(done, key=lambda record: record.name)


def read_each(
    folder: Path, done: Sequence[Record]
) -> Iterator[tuple[Record, Result] | tuple[Record, AsdError]]:
    """The result of each video that is done, or why it cannot be read.

    Args:
        folder: The output folder of the batch.
        done: The records of the videos.

    Yields:
        The record of each, and its result, read at that moment, under the batch's name for the
        video; earlier versions of asdkit did not record that in the result.
    """
    for record in done:
        try:
            result = _result(folder, record)
        except AsdError as error:
            yield record, error
        else:
            yield record, replace(result, video=replace(result.video, name=record.name))


def _result(folder: Path, record: Record) -> Result:
    if record.files is not None and FILE not in record.files:
        raise InputError(
            f"{record.name} has no {FILE}", "The writer json writes it, as in: writers=[json,rttm]"
        )
    return Result.load(folder / record.name / FILE)


def none_read(folder: Path, unread: Sequence[Unread]) -> InputError:
    """The error if no result can be read at all."""
    return InputError(f"No result in {folder} can be read. {_first(unread)}")


def some_unread(unread: Sequence[Unread], known: int) -> InputError:
    """The error if some results cannot be read.

    Args:
        unread: The videos that were left out.
        known: How many videos are done.
    """
    return InputError(f"{len(unread)} of {known} videos are left out. {_first(unread)}")


def _first(unread: Sequence[Unread]) -> str:
    return f"{'The first: ' if len(unread) > 1 else ''}{unread[0][1]}"
