"""Decides anew who speaks when in the videos of a batch that are done, without any model."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any, TypeGuard

from ..component import CALIBRATION, Context
from ..config.chosen import Chosen
from ..config.compose import compose_app, settings_of
from ..config.plan import writers_of
from ..decisions.calibration import Calibration
from ..errors import AsdError, ConfigError, InputError, OutputError
from ..files import expanded, whole_folder
from ..finished.deciding import rules_of
from ..finished.settings import DECIDING, WRITE
from ..finished.writing import write_chosen
from ..result import KEPT, Result
from ..spelling import guess
from ..version import __version__
from .finished_videos import done_in, read_each
from .manifest import Begin, Manifest, Record, Records, now, writing
from .settings import BATCH, settings_hash, telling
from .status import records_of

_GROUPS = ("segments", "speech", "conversation")
CHANGES = (*DECIDING, "writers")
"""The options that may change, or the groups that they are in."""


@dataclass(frozen=True)
class Change:
    """What is to change in the results of a batch.

    Attributes:
        rules: By group (segments, speech, conversation): its options to change, with their values.
        decisions: See the option of that name; None leaves it.
        calibration: The file of a calibration, None for none, or `core.result.KEPT`.
        writers: By name: the node of each writer; None for those of the batch.
    """

    rules: Mapping[str, Mapping[str, Any]]
    decisions: str | None
    calibration: str | None
    writers: Mapping[str, Any] | None

    @classmethod
    def of(cls, overrides: Sequence[str]) -> Change:
        """The change that overrides stand for, as on the command line of `asd write`.

        Raises:
            ConfigError: One sets anything else than `CHANGES`, or its value is not possible.
            PluginError: There is no such writer.
        """
        keys = [word.partition("=")[0] for word in overrides]
        if not keys:
            raise ConfigError("Nothing is to change", f"batch decide changes {', '.join(CHANGES)}")
        for key in keys:
            if not any(key == known or key.startswith(f"{known}.") for known in CHANGES):
                raise ConfigError(
                    f"batch decide does not change {key}",
                    guess(key, CHANGES, f"It changes {', '.join(CHANGES)}"),
                )
        settings = settings_of(WRITE, compose_app(WRITE, overrides))
        rules: dict[str, dict[str, Any]] = {}
        for key in keys:
            group, _, name = key.partition(".")
            if group in _GROUPS:
                found = settings[group]
                rules.setdefault(group, {}).update({name: found[name]} if name else found)
        writes = any(key.partition(".")[0] == "writers" for key in keys)
        if writes and not settings["writers"]:
            raise ConfigError("No writer was named", "As in: writers=[json,rttm]")
        return cls(
            rules=rules,
            decisions=settings["decisions"] if "decisions" in keys else None,
            calibration=settings["calibration"] if "calibration" in keys else KEPT,
            writers=settings["writers"] if writes else None,
        )

    def check(self, settings: Mapping[str, Any]) -> None:
        """Check that results of a batch with these settings can be changed so.

        Raises:
            AsdError: A value is out of range, the calibration cannot be read, or a writer cannot be
                built.
        """
        rules_of(settings, self.rules, self.decisions)
        if self.calibration not in (None, KEPT):
            Calibration.read(expanded(self.calibration))
        for chosen in self.chosen_writers(settings):
            chosen.build(Context())

    def chosen_writers(self, settings: Mapping[str, Any]) -> Sequence[Chosen]:
        """The writers, for results of a batch with these settings.

        Raises:
            AsdError: There is no such writer, or a parameter is out of range.
        """
        return writers_of(settings if self.writers is None else {"writers": self.writers})

    def apply(self, result: Result) -> Result:
        """The result, decided anew unless only writers change.

        Raises:
            AsdError: See `core.result.Result.decide`.
        """
        if not self.rules and self.decisions is None and self.calibration == KEPT:
            return result
        return result.decide(
            segments=self.rules.get("segments"),
            speech=self.rules.get("speech"),
            conversation=self.rules.get("conversation"),
            decisions=self.decisions,
            calibration=self.calibration,
        )


def decide_batch(
    folder: Path,
    output: Path,
    change: Change,
    tell: Callable[[str], None],
    *,
    overwrite: bool = False,
) -> None:
    """Decide anew who speaks when in all videos of a batch that are done, perhaps while it runs.

    The new results go into a folder of the same form, with a manifest: a batch with these options
    goes on there with the videos that are left. The folder of the batch is only read.

    Args:
        folder: The output folder of the batch.
        output: The folder for the new results.
        change: What changes.
        tell: Called with a line on each video.
        overwrite: Whether results that are there may be replaced, if its manifests know of them.

    Raises:
        InputError: The folder is of no batch, no video is done, or some could not be decided; all
            others are.
        OutputError: The new results cannot be written, or would replace others.
    """
    records, _ = records_of(folder)
    done = done_in(folder, records)
    if output.resolve().is_relative_to(folder.resolve()):
        raise OutputError(
            f"output={output} is in the folder of the batch {folder}, which is only read",
            "Choose a folder outside it with output=FOLDER",
        )
    for key in {record.settings_hash for record in done}:
        if _is_sound(settings := records.settings.get(key)):
            change.check(settings)
    with writing(output, 0) as manifest:
        _check_room(output, done, overwrite)
        _Deciding(folder, records, output, manifest, change).run(done, tell)


def _check_room(output: Path, done: Sequence[Record], overwrite: bool) -> None:
    """Check that no results are replaced against the user's will.

    Raises:
        OutputError: Some would be.
    """
    known = {(video, record.name) for video, record in Records(output).latest.items()}
    for record in done:
        place = output / record.name
        if not os.path.lexists(place):
            continue
        if (record.video, record.name) not in known:
            raise OutputError(
                f"{place} is there, but no manifest beside it knows of it as {record.video}",
                "Move it away, or choose another folder with output=FOLDER",
            )
        if not overwrite:
            raise OutputError(
                f"{output} already holds results ({place})",
                "Choose another folder with output=FOLDER, or replace them with overwrite=true",
            )


class _Deciding:
    """Decides the videos of a batch."""

    def __init__(
        self, folder: Path, records: Records, output: Path, manifest: Manifest, change: Change
    ) -> None:
        self._folder = folder
        self._records = records
        self._output = output
        self._manifest = manifest
        self._change = change
        self._known = set(Records(output).settings)
        self._here: dict[str, Any] = {
            "shard": manifest.shard,
            "host": socket.gethostname(),
            "pid": os.getpid(),
        }

    def run(self, done: Sequence[Record], tell: Callable[[str], None]) -> None:
        """Decide and write each; note what became of it.

        Raises:
            InputError: Some could not be decided.
            OutputError: The manifest cannot be written.
        """
        begin = Begin(
            time=now(),
            shards=1,
            videos=[record.video for record in done],
            folder=str(Path.cwd()),
            found=len(done),
            **self._here,
        )
        self._manifest.add_begin(begin)
        failed = 0
        for number, (before, result) in enumerate(read_each(self._folder, done), 1):
            since = perf_counter()
            record = replace(before, asdkit=__version__, timings_s=None, files=None, **self._here)
            record, said = self._outcome(record, result)
            spent_s = round(perf_counter() - since, 3)
            self._manifest.add(replace(record, time=now(), seconds=spent_s))
            tell(f"{number}/{len(done)} {record.name}: {said}")
            failed += record.state == "failed"
        if failed:
            told = f"{failed} of {len(done)} could not be decided: see {self._manifest.path}"
            raise InputError(told)

    def _outcome(self, record: Record, result: Result | AsdError) -> tuple[Record, str]:
        """What becomes of a video: its record, and the same in words.

        Raises:
            OutputError: Nothing can be written.
        """
        try:
            if isinstance(result, AsdError):
                raise result
            return self._decided(record, result)
        except OutputError:
            raise  # the next video would fail, too
        except AsdError as error:
            kind = type(error).__name__
            failed = replace(record, state="failed", error=str(error), error_type=kind)
            return failed, f"failed: {error}"

    def _decided(self, record: Record, result: Result) -> tuple[Record, str]:
        """Decide a video, and write its files; its record, and what changed, in words."""
        decided = self._change.apply(result)
        settings = self._settings(record, decided)
        writers = self._change.chosen_writers(settings)
        place = {"output": str(self._output / record.name), "writers": settings["writers"]}
        decided = replace(decided, settings={**decided.settings, **place})
        with whole_folder(self._output / record.name) as aside:
            written = write_chosen(decided, writers, aside, overwrite=False)
        key = settings_hash(settings)
        if key not in self._known:
            self._manifest.add_settings(key, telling(settings))
            self._known.add(key)
        files = [str(file.relative_to(aside)) for file in written.files]
        said = f"{_speaking_s(decided):.2f} s of speaking faces, before {_speaking_s(result):.2f} s"
        return replace(record, settings_hash=key, files=files), said

    def _settings(self, record: Record, decided: Result) -> dict[str, Any]:
        """The settings of a batch that finds the same."""
        of_batch = self._records.settings.get(record.settings_hash)
        if not _is_sound(of_batch):
            of_batch = {key: decided.settings[key] for key in BATCH.keys if key in decided.settings}
        if not _is_sound(of_batch):
            raise InputError(
                f"The settings of {record.name} are damaged, in the manifest and in its result",
                "Run it again with asd batch",
            )
        changed = {key: decided.settings[key] for key in DECIDING if key in decided.settings}
        settings = {**of_batch, **changed}
        if self._change.calibration != KEPT:
            settings["scorer"] = {**settings["scorer"], CALIBRATION: self._change.calibration}
        if self._change.writers is not None:
            settings["writers"] = self._change.writers
        return settings


def _is_sound(settings: Mapping[str, Any] | None) -> TypeGuard[Mapping[str, Any]]:
    """Whether the settings of a line of a manifest are there and have the form of settings."""
    nodes = (*_GROUPS, "scorer", "writers")
    return settings is not None and all(isinstance(settings.get(node), dict) for node in nodes)


def _speaking_s(result: Result) -> float:
    return sum(end_s - start_s for track in result.tracks for start_s, end_s in track.speaking)
