"""Writes the files of a result that is there already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..component import Context
from ..config.chosen import Chosen
from ..config.plan import choose_writer
from ..errors import ConfigError, OutputError
from ..files import expanded
from ..given_writers import GivenWriters, read_writers
from ..progress import Progress, Teller, silent
from ..results_folder import taken
from ..writing import stage_of, written

if TYPE_CHECKING:
    from ..result import Result


def write(
    result: Result,
    writers: GivenWriters,
    folder: Path,
    *,
    overwrite: bool,
) -> Result:
    """See `Result.write`."""
    return write_chosen(result, _chosen(writers), folder, overwrite=overwrite)


def write_chosen(
    result: Result,
    writers: Sequence[Chosen],
    folder: Path,
    *,
    overwrite: bool,
    progress: Progress = silent,
) -> Result:
    """Have writers write a result; all files appear together, when all are whole.

    Args:
        result: The result.
        writers: The writers, with their parameters.
        folder: The folder; it is created if missing. Only files of these writers are replaced.
        overwrite: Whether they may be replaced.
        progress: Called with the progress of each writer; what it raises ends the writing.

    Returns:
        The result with the folder and the files written.

    Raises:
        AsdError: A writer cannot be built or fails, or the folder cannot be written to.
    """
    folder = expanded(str(folder))
    tell = Teller(progress)
    context = Context(threads=result.settings.get("threads"))
    built = [(chosen, chosen.build(context)) for chosen in writers]
    names = [name for chosen in writers for name in chosen.component.files]
    written_to = replace(result, files=())
    with taken(folder, names, names, overwrite) as place:
        if place.is_mixed:
            raise OutputError(
                f"The results in {folder} are not complete: a run was killed while it moved them",
                "Run it again, or name another folder with output=FOLDER",
            )
        with place.writing() as aside:
            for chosen, writer in built:
                with tell.stage(stage_of(chosen.component)):
                    files = written(
                        chosen.in_words, writer, written_to, aside, chosen.component.files
                    )
                written_to = replace(written_to, folder=aside, files=(*written_to.files, *files))
        files = place.put(written_to.files)
        place.finish()
    return replace(result, folder=folder, files=tuple(files))


def _chosen(writers: GivenWriters) -> list[Chosen]:
    """The writers named, each with its parameters.

    Raises:
        ConfigError: One is named twice or none is, or a parameter is unknown or out of range.
        PluginError: There is no such writer.
    """
    given = read_writers(writers)
    if not given:
        raise ConfigError("No writer was named", "As in: ['rttm', 'annotated']")
    return [choose_writer(name, own) for name, own in given.items()]
