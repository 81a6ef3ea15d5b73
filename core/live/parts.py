"""Writes a live session's events and results, so that what is there is whole at any moment.

    events.jsonl           the events, as they are told
    speakers.rttm          the turns of the whole session, as they end
    parts/0001/            the files of the writers, for the first `part_s` seconds
    parts/0002/            ...

Times and grid frames are those of the session everywhere, and so are the numbers of tracks: a face
that goes on from one part to the next has the same number in both. With `part_s=null` the writers'
files are in the folder itself, at the end.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from ..component import Context
from ..config.chosen import Chosen
from ..files import whole_folder
from ..registry import registry
from ..result import Result
from ..results import PARTS
from ..results_folder import ResultsFolder, taken
from ..rttm_lines import field
from ..types import GRID_FPS
from ..writing import written
from .decided import Decided
from .events import LiveEvent
from .lines import line_of
from .stretches import Collected, Stretch
from .turns import TurnFile
from .whole_lines import WholeLines

EVENTS_FILE = "events.jsonl"
TURNS_FILE = "speakers.rttm"
_UNRECORDED = ("faces",)
"""Kinds of events that are not in the file: the results hold more of the same."""
_LEFT = re.compile(r"\.\d{4,}\..+")
"""Folders of parts that were being written when the process was killed."""


class Recorder(AbstractContextManager["Recorder"]):
    """Writes events as they are told, and results when a part is over; see `recording`.

    Args:
        place: The folder, taken for this session. Earlier results are removed with the first event.
        writers: The writers.
        context: What writers are built in.
        part_frames: How many grid frames a part has; None for one result at the end.
        as_result: Makes a result of a stretch of time.
        name: What the session is called.

    Raises:
        AsdError: A writer cannot be built.
    """

    def __init__(
        self,
        place: ResultsFolder,
        writers: Sequence[Chosen],
        context: Context,
        *,
        part_frames: int | None,
        as_result: Callable[[Stretch], Result],
        name: str,
    ) -> None:
        self._place, self._writers, self._context = place, writers, context
        self._part_frames, self._as_result = part_frames, as_result
        self._collected = Collected()
        self._events = WholeLines(place.folder / EVENTS_FILE)
        self._turns: TurnFile | None = None
        if part_frames is not None:
            self._turns = TurnFile(WholeLines(place.folder / TURNS_FILE), field(name))
        self._began = False
        self._pending: Stretch | None = None
        for chosen in writers:
            chosen.build(context)

    @property
    def folder(self) -> Path:
        """The folder of the results."""
        return self._place.folder

    def event(self, event: LiveEvent) -> None:
        """Write an event.

        Raises:
            OutputError: It cannot be written, or earlier results cannot be removed.
        """
        if not self._began:
            self._place.remove_old()
            _remove_left(self.folder / PARTS)
            self._began = True
        if event.event not in _UNRECORDED:
            self._events.add(line_of(event))
        if self._turns is not None:
            self._turns.event(event)

    def take(self, decided: Decided) -> None:
        """Take what was decided."""
        self._collected.add(decided)

    def write(self) -> Iterator[LiveEvent]:
        """Write the parts that are over.

        Yields:
            An event for each part, once it is there.

        Raises:
            OutputError: A part cannot be written.
            PluginError: A writer failed.
        """
        while (end := self._part_end()) is not None and end <= self._collected.stop:
            yield from self._part(end)

    def finish(self) -> Iterator[LiveEvent]:
        """Write what was decided and is not written yet; nothing comes after that.

        Yields:
            An event, if there was anything to write.

        Raises:
            OutputError: It cannot be written.
            PluginError: A writer failed.
        """
        if self._turns is not None:
            self._turns.finish(self._collected.stop / GRID_FPS)
        if self._pending is not None:  # it was interrupted
            yield from self._write(self._pending)
        if self._collected.first < self._collected.stop:
            yield from self._part(self._collected.stop)

    def _part_end(self) -> int | None:
        """The grid frame with which the current part ends; None if it ends with the session."""
        return None if self._part_frames is None else self._collected.first + self._part_frames

    def _part(self, end: int) -> Iterator[LiveEvent]:
        """Write what was decided before a grid frame, unless the stream was off all the time."""
        stretch = self._collected.take(end)
        if stretch.shots and self._writers:
            self._pending = stretch
            yield from self._write(stretch)

    def _write(self, stretch: Stretch) -> Iterator[LiveEvent]:
        result = self._as_result(stretch)
        self._events.check()
        if self._part_frames is None:
            folder = "."
            with self._place.writing() as aside:
                names = self._files(result, aside)
            self._place.put([aside / name for name in names])
            self._place.finish()
        else:
            folder = f"{PARTS}/{stretch.first // self._part_frames + 1:04}"
            with whole_folder(self.folder / folder) as aside:
                names = self._files(result, aside)
        self._pending = None
        start_s, end_s = stretch.first / GRID_FPS, stretch.end / GRID_FPS
        about = {"folder": folder, "files": names, "start_s": start_s, "end_s": end_s}
        yield LiveEvent("written", end_s, about=about)

    def _files(self, result: Result, folder: Path) -> list[str]:
        """Write the files of a result; their names in the folder, with / between parts."""
        for chosen in self._writers:
            writer = chosen.build(self._context)
            files = written(chosen.in_words, writer, result, folder, chosen.component.files)
            result = replace(result, folder=folder, files=(*result.files, *files))
        return [path.relative_to(folder).as_posix() for path in result.files]

    def __exit__(self, *_: object) -> None:
        self._events.close()
        if self._turns is not None:
            self._turns.close()


@contextmanager
def recording(
    folder: Path,
    writers: Sequence[Chosen],
    context: Context,
    *,
    part_frames: int | None,
    as_result: Callable[[Stretch], Result],
    name: str,
    overwrite: bool,
) -> Iterator[Recorder]:
    """Take a folder, as a run does, and hand out what writes into it; see `Recorder`.

    Raises:
        OutputError: Results exist already, another session or run uses the folder, or it cannot be
            written to.
        AsdError: A writer cannot be built.
    """
    known = [name for writer in registry().of_kind("writer") for name in writer.files]
    names = [EVENTS_FILE, TURNS_FILE, *known, *(f"{PARTS}/*/{name}" for name in known)]
    own = [EVENTS_FILE]
    if part_frames is None:
        own += [name for chosen in writers for name in chosen.component.files]
    else:
        own += [TURNS_FILE, f"{PARTS}/0001/{EVENTS_FILE}"]  # parts must be a folder
    with (
        taken(folder, names, own, overwrite) as place,
        Recorder(
            place, writers, context, part_frames=part_frames, as_result=as_result, name=name
        ) as recorder,
    ):
        yield recorder


def _remove_left(parts: Path) -> None:
    """Remove what is left of parts whose files were removed, or that never were whole."""
    for path in parts.iterdir() if parts.is_dir() else ():
        if _LEFT.fullmatch(path.name):
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):  # there is something else in it, or it is none
                path.rmdir()
