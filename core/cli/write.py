"""`asd write`: writes files of a result that is there already."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError
from ..files import expanded
from .apps import run_or_help
from .arguments import HELP, split_files
from .overrides import key_of

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from ..result import Result

_log = logging.getLogger(__name__)
_MOST_FILES = 5
"""So many files are named in a line."""


def command(words: list[str]) -> None:
    """Run the command with its arguments; see `core.cli.apps.run_or_help` for errors."""
    from ..finished.settings import DECIDING, WRITE, words_of, words_of_writers
    from ..result import Result

    if HELP & set(words):
        run_or_help(WRITE, words, partial(_report, None, False))
        return
    named, overrides, flags = split_files(words, WRITE.keys)
    if len(named) > 1:
        raise ConfigError(
            f"Two results were named, {named[0]!r} and {named[1]!r}", f"Use: {WRITE.usage}"
        )
    result = Result.load(named[0]) if named else None
    keys = [key_of(word) for word in overrides]
    anew = any(key.partition(".")[0] in DECIDING for key in keys)
    own = [] if result is None else words_of(result.settings)
    if result is not None and "writers" not in keys:
        own += words_of_writers(result.settings)
    run_or_help(WRITE, [*own, *overrides, *flags], partial(_report, result, anew))


def _report(
    result: Result | None, anew: bool, config: DictConfig, output: str | None = None
) -> None:
    """Write the files, and print their paths.

    Args:
        result: The result; None if none was named.
        anew: Whether to decide anew who speaks when.
        config: The composed configuration.
        output: Folder for the files, if not the one of the configuration.
    """
    from ..config.compose import settings_of
    from ..config.options import make_options
    from ..config.plan import writers_of
    from ..finished.naming import renamed
    from ..finished.reading import of_video
    from ..finished.settings import WRITE, WriteOptions
    from ..finished.writing import write_chosen
    from ..names_file import read_names
    from ..registry import registry
    from ..results import FILE
    from .console import ProgressLine

    if result is None:
        raise ConfigError(
            "write takes a result.json, or the folder of a run, but got none", f"Use: {WRITE.usage}"
        )
    settings = settings_of(WRITE, config)
    options: WriteOptions = make_options(WriteOptions, settings)
    writers = writers_of(settings)
    if not writers:
        raise ConfigError(
            "No writer was named",
            f"As in writers=[rttm], of {', '.join(registry().choices('writer'))}",
        )
    beside = result.folder or Path()
    folder = expanded(str(output or options.output or beside))
    files = {name for chosen in writers for name in chosen.component.files}
    if anew and FILE not in files and folder.resolve() == beside.resolve():
        raise ConfigError(
            f"Decided anew, these files would contradict the {FILE} beside them",
            "Name another folder with output=FOLDER, or write that, too: json among the writers, "
            "and overwrite=true",
        )
    if FILE in files and (anew or options.names is not None):
        _check_beside(folder, [chosen.component.name for chosen in writers], anew)
    if options.video is not None:
        result = of_video(result, Path(options.video))
    if anew:
        result = result.decide(
            segments=options.segments,
            speech=options.speech,
            conversation=options.conversation,
            decisions=options.decisions,
            calibration=options.calibration,
        )
    if options.names is not None:
        result = renamed(result, read_names(expanded(options.names)))
    with ProgressLine(quiet=options.quiet) as progress:
        done = write_chosen(result, writers, folder, overwrite=options.overwrite, progress=progress)
    print("\n".join(map(str, done.files)))


def _check_beside(folder: Path, writers: Sequence[str], anew: bool) -> None:
    """Refuse to leave files that contradict a new result.json beside it; names are warned of.

    Args:
        folder: The folder for the files.
        writers: The names of the writers.
        anew: Whether who speaks when is decided anew.

    Raises:
        ConfigError: Who speaks when is decided anew, and there are such files.
    """
    from ..finished.beside import left_as_they_are

    left = left_as_they_are(folder, writers)
    files = [file for own in left.values() for file in own]
    if not files:
        return
    more = f" and {len(files) - _MOST_FILES} others" if len(files) > _MOST_FILES else ""
    told = f"{', '.join(files[:_MOST_FILES])}{more} in {folder}"
    if anew:
        raise ConfigError(
            f"Decided anew, the result would contradict {told}, which would stay as before",
            f"Write them, too, with 'writers=[{','.join([*writers, *left])}]' overwrite=true, or "
            "name another folder with output=FOLDER",
        )
    later = f"asd write {folder} 'writers=[{','.join(left)}]' overwrite=true"
    _log.warning("The new names are not in %s. Put them there with: %s", told, later)
