"""Repeats a run from the result.json in its folder, and compares the results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from .component import PASS_KINDS, RUN_KINDS
from .config.compose import RUN, compose_run
from .config.options import AT_FIRST
from .config.plan import RunPlan, make_plan
from .config.refusals import explained
from .config.schemas import SHIPPED, literal
from .errors import ConfigError, InputError
from .files import expanded
from .finished.checking import no_result, read_values
from .plugin_files import OPTION, load_named_in
from .registry import registry
from .result import Result
from .results import FILE, OLDER_SCHEMA, to_json

_COMPONENT = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string", "pattern": r"^\w[\w-]*$"}},
}
_SETTINGS = {
    "type": "object",
    "required": ["writers", *PASS_KINDS],
    "properties": {
        "video": {"type": "string"},
        "writers": {"type": "object", "additionalProperties": _COMPONENT},
        **dict.fromkeys(RUN_KINDS, _COMPONENT),
    },
}
"""The settings that must exist; the others are checked against the types of the options."""
_GROUPS = (*RUN_KINDS, "writers")
_PATHS = ("output", "video", "sound", "identities", "diarization", "scorer.calibration")
"""Overrides that name files, relative to the current folder, unlike those in the settings."""


@dataclass(frozen=True)
class Repetition:
    """The repetition of a run.

    Attributes:
        before: The content of result.json.
        words: Overrides.
        folder: The folder in which the first run was started. Relative paths in the settings refer
            to it, so make it the current folder before calling `plan`.
    """

    before: Mapping[str, Any]
    words: Sequence[str]
    folder: Path

    def plan(self) -> RunPlan:
        """The plan with the first run's settings and the overrides.

        Raises:
            ConfigError: An option is unknown or out of range.
            PluginError: A component does not exist.
        """
        settings = self.before["settings"]
        asked = dict(word.partition("=")[::2] for word in self.words)
        again = {kind: settings[kind]["name"] for kind in RUN_KINDS}
        again["writers"] = f"[{','.join(settings['writers'])}]"
        chosen = {group: asked.get(group, name) for group, name in again.items()}
        config = compose_run([f"{group}={name}" for group, name in chosen.items()])
        own = {key: literal(value) for key, value in settings.items() if key not in asked}
        if chosen["embedder"] != again["embedder"]:
            own.pop("identity_distance", None)  # it was the other embedder's
        try:
            for key, value in own.items():
                OmegaConf.update(config, key, value)  # raises if the type does not fit
            for word in self.words:
                key, _, value = word.partition("=")
                if key in (*_PATHS, "sync") and value not in ("", "null"):  # YAML's off is false
                    OmegaConf.update(config, key, literal(value))
                elif not _chooses(word):
                    config.merge_with(OmegaConf.from_dotlist([word]))
        except (OmegaConfBaseException, YAMLError, ValueError, TypeError, RecursionError) as error:
            raise explained(error) from error
        return make_plan(config)

    def differences(self, result: Result) -> list[str]:
        """One line for each difference between the result and its repetition."""
        return result_differences(self.before, result)


def begin_again(results: Path, overrides: Sequence[str]) -> Repetition:
    """Read the result of a run to repeat.

    Args:
        results: A folder that holds a result.json.
        overrides: Options to change, such as "device=cpu". Without `output` among them, the new
            results go to a folder beside the old one, named like it with `-again` appended.

    Raises:
        InputError: There is no result.json, or it is invalid.
        ConfigError: An override is invalid.
    """
    path = results.resolve() / FILE
    load_named_in(overrides)
    before = read_result(path, given=any(_names_plugins(word) for word in overrides))
    if "boxes" in before.get("provenance", {}):
        raise InputError(
            f"{path} was made from boxes that were given from Python",
            "Give asdkit.run the same again",
        )
    output = f"output={path.parent.with_name(f'{path.parent.name}-again')}"
    words = [output, "overwrite=false", *(_absolute(word) for word in overrides)]
    for word in words:
        key, _, value = word.partition("=")
        if not key or key[0] in "+~" or key == "experiment":
            raise ConfigError(
                f"repeat does not take {word}", "Change options with KEY=VALUE, or use asd run"
            )
        if key in _PATHS and not value:
            raise ConfigError(f"{word} names no file", f"Give a path, or {key}=null for none")
    return Repetition(before, words, Path(before["provenance"].get("folder", ".")))


def read_result(path: Path, *, given: bool = False) -> dict[str, Any]:
    """Read a result.json and validate it.

    A file of the older form asdkit.result/1 lacks options that did not exist yet; their defaults
    are what that version did.

    Args:
        path: The file.
        given: Whether the user has named plugins of a single file, as far as they are needed: none
            is run because a result says so.

    Raises:
        InputError: The file cannot be read, or is not a result.
        ConfigError: It was made with a plugin of a single file, and none is given.
        PluginError: The result names a component that is not installed.
    """
    result = read_values(path, _SETTINGS)
    if "live" in result["settings"]:
        raise InputError(
            f"{path} is of a live session, whose stream cannot be had again",
            "Record a stream to repeat what is found in it, and use asd run on the recording",
        )
    for key, value in AT_FIRST.items():
        result["settings"].setdefault(key, value)
    missing = set(RUN.keys).difference(result["settings"])
    if missing and result["schema"] != OLDER_SCHEMA:
        raise no_result(path, f"settings.{min(missing)} is missing")
    if (files := result["settings"][OPTION]) and not given:
        made = result["provenance"].get("plugin_files") or files
        paths = [one.get("path") if isinstance(one, dict) else one for one in _listed(made)]
        named = ",".join(map(str, paths))
        raise ConfigError(
            f"{path} was made with plugins of a single file, which are not run because a file says "
            f"so: {named}",
            f"If they are yours, name them: {OPTION}=[{named}]",
        )
    for kind in RUN_KINDS:
        registry().find(kind, result["settings"][kind]["name"])
    for name in result["settings"]["writers"]:
        registry().find("writer", name)
    return result


def _names_plugins(word: str) -> bool:
    return word.partition("=")[0] == OPTION


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _chooses(word: str) -> bool:
    """Whether a word chooses a component."""
    return word.partition("=")[0] in _GROUPS


def _absolute(word: str) -> str:
    """An override with its path, if it names one, made absolute."""
    key, _, value = word.partition("=")
    if key == OPTION:
        files = [expanded(one.strip(" '\"")).absolute() for one in value.strip("[]").split(",")]
        return f"{key}=[{','.join(f'{chr(39)}{one}{chr(39)}' for one in files)}]"
    if key in _PATHS and value not in ("", "null", SHIPPED):
        return f"{key}={expanded(value).absolute()}"
    return word


def result_differences(before: Mapping[str, Any], result: Result) -> list[str]:
    """One line for each difference between the content of a result.json and another result."""
    now = to_json(result)
    found = []
    for part in ("versions", "devices", "weights"):
        old, new = before["provenance"].get(part, {}), now["provenance"].get(part, {})
        for name in sorted({*old, *new}):
            was, is_now = _shown(old.get(name)), _shown(new.get(name))
            if was != is_now:
                found.append(f"{part}, {name}: {was} before, {is_now} now")
    for key in ("shots", "speech", "off_screen", "off_screen_names", "voices", "sync"):
        if before.get(key) != now.get(key):
            found.append(f"{key}: not the same")
    old_tracks, new_tracks = before["tracks"], now["tracks"]
    if len(old_tracks) != len(new_tracks):
        return [*found, f"tracks: {len(old_tracks)} before, {len(new_tracks)} now"]
    for old, new in zip(old_tracks, new_tracks, strict=True):
        found += _track_differences(old, new)
    return found


def _track_differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for key in ("identity", "first_frame", "speaking"):
        if old[key] != new[key]:
            yield f"track {old['id']}, {key}: {old[key]} before, {new[key]} now"
    for key in ("boxes", "scores", "probabilities"):
        numbers, again = np.array(old[key], np.float64), np.array(new[key], np.float64)
        if numbers.shape != again.shape:
            yield f"track {old['id']}, {key}: {len(numbers)} before, {len(again)} now"
        elif (apart := np.abs(numbers - again).max()) > 0:
            yield f"track {old['id']}, {key}: up to {apart:.3g} apart"


def _shown(value: Any) -> str:
    """A version or device as text, or files as names and hashes, without their folders."""
    if isinstance(value, list):
        return ", ".join(f"{Path(file['path']).name} ({file['sha256'][:12]})" for file in value)
    return str(value) if value else "none"
