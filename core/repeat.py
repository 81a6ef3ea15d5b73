"""Running again what made a result, from the folder it was written to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from .components import RUN_KINDS
from .config import RUN, Plan, compose_run, make_plan
from .errors import ConfigError, InputError
from .files import expanded
from .refused import explained
from .results import to_json
from .schemas import SHIPPED
from .types import Result

FILE = "result.json"
_GROUPS = (*RUN_KINDS, "writers")
_PATHS = ("output", "video", "sound", "identities", "scorer.calibration")
"""Overrides that name files: relative to where the command is given, unlike the settings."""


@dataclass(frozen=True)
class Repetition:
    """A result that is made again.

    Attributes:
        before: What result.json holds.
        words: Overrides.
        folder: Where the first run was started: relative paths in the settings mean files there,
            so that folder should be the current one before `plan` is called.
    """

    before: Mapping[str, Any]
    words: Sequence[str]
    folder: Path

    def plan(self) -> Plan:
        """The same settings, as far as they are not overridden.

        Raises:
            ConfigError: An option is unknown or out of range.
            PluginError: A component is not there.
        """
        settings = self.before["settings"]
        asked = dict(word.partition("=")[::2] for word in self.words)
        again = {kind: settings[kind]["name"] for kind in RUN_KINDS}
        again["writers"] = f"[{','.join(settings['writers'])}]"
        chosen = {group: asked.get(group, name) for group, name in again.items()}
        config = compose_run([f"{group}={name}" for group, name in chosen.items()])
        own = {key: value for key, value in settings.items() if key not in asked}
        try:
            # Into the typed tree, so that what does not fit is refused.
            for values in (own, OmegaConf.from_dotlist([w for w in self.words if not _chooses(w)])):
                config.merge_with(values)
        except OmegaConfBaseException as error:
            raise explained(error) from error
        return make_plan(config)

    def differences(self, result: Result) -> list[str]:
        """What differs between the result and its repetition, in lines; none if nothing does."""
        return differences(self.before, result)


def begin_again(results: Path, overrides: Sequence[str]) -> Repetition:
    """Read a result that is to be made again.

    Args:
        results: A folder that holds a result.json.
        overrides: Options to change, such as "device=cpu"; unless `output` is one of them the
            results go beside the old ones, to a folder with `-again` at its name's end.

    Raises:
        InputError: There is no result.json, or it is not one.
        ConfigError: An override is none.
    """
    path = results.resolve() / FILE
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
        settings, origin = before["settings"], before["provenance"]
        sound = isinstance(before["tracks"], list) and isinstance(origin, dict)
    except OSError as error:
        raise InputError(
            f"{results / FILE} cannot be read: {error.strerror}",
            "Name a folder of results of asd run",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{results / FILE} is not a result of this version: {type(error).__name__}: {error}",
            "Run the video again with asd run",
        ) from error
    missing = sorted(set(RUN.keys).difference(settings))
    if missing or not sound:
        version = origin.get("versions", {}).get("asdkit") if isinstance(origin, dict) else None
        raise InputError(
            f"{results / FILE} is damaged, or another version of asdkit made it ({version})"
            + (f": it has no {', '.join(missing)}" if missing else ""),
            "Install that version, or run the video again with asd run",
        )
    output = f"output={path.parent.with_name(f'{path.parent.name}-again')}"
    words = [output, "overwrite=false", *(_absolute(word) for word in overrides)]
    for word in words:
        key = word.partition("=")[0]
        if not key or key[0] in "+~" or key == "experiment":
            raise ConfigError(
                f"asd repeat does not take {word}", "Change options with KEY=VALUE, or use asd run"
            )
    return Repetition(before, words, Path(origin.get("folder", ".")))


def _chooses(word: str) -> bool:
    """Whether a word chooses a component."""
    return word.partition("=")[0] in _GROUPS


def _absolute(word: str) -> str:
    """An override with the path that it may name made absolute."""
    key, _, value = word.partition("=")
    if key in _PATHS and value not in ("", "null", SHIPPED):
        return f"{key}={expanded(value).absolute()}"
    return word


def differences(before: Mapping[str, Any], result: Result) -> list[str]:
    """What differs between what result.json holds and another result, in lines."""
    now = to_json(result)
    found = []
    for part in ("versions", "devices", "weights"):
        old, new = before["provenance"].get(part, {}), now["provenance"].get(part, {})
        for name in sorted({*old, *new}):
            was, is_now = _shown(old.get(name)), _shown(new.get(name))
            if was != is_now:
                found.append(f"{part}, {name}: {was} before, {is_now} now")
    for key in ("shots", "speech", "off_screen"):
        if before[key] != now[key]:
            found.append(f"{key}: not the same")
    old_tracks, new_tracks = before["tracks"], now["tracks"]
    if len(old_tracks) != len(new_tracks):
        return [*found, f"tracks: {len(old_tracks)} before, {len(new_tracks)} now"]
    for old, new in zip(old_tracks, new_tracks, strict=True):
        for key in ("identity", "first_frame", "speaking"):
            if old[key] != new[key]:
                found.append(f"track {old['id']}, {key}: {old[key]} before, {new[key]} now")
        for key in ("boxes", "scores", "probabilities"):
            numbers, again = np.array(old[key]), np.array(new[key])
            if numbers.shape != again.shape:
                found.append(f"track {old['id']}, {key}: {len(numbers)} before, {len(again)} now")
            elif (apart := np.abs(numbers - again).max()) > 0:
                found.append(f"track {old['id']}, {key}: up to {apart:.3g} apart")
    return found


def _shown(value: Any) -> str:
    """A version, a device, or the hashes of files, whose places do not matter."""
    if isinstance(value, list):
        return ", ".join(f"{Path(file['path']).name} ({file['sha256'][:12]})" for file in value)
    return str(value) if value else "none"
