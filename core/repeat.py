"""Running again what made a result, from the folder it was written to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from .component import RUN_KINDS
from .config.compose import RUN, compose_run
from .config.plan import RunPlan, make_plan
from .config.refusals import explained
from .config.schemas import SHIPPED, literal
from .errors import ConfigError, InputError
from .files import expanded
from .forms import misfit
from .named_files import read_json
from .registry import registry
from .results import OLDER_SCHEMA, schema, to_json
from .types import Result

FILE = "result.json"
_MOST = 4 << 30
"""Bytes of a result: a day of video has some hundred millions."""
_COMPONENT = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string", "pattern": r"^\w[\w-]*$"}},
}
_SETTINGS = {
    "type": "object",
    "required": ["video", "writers", *RUN_KINDS],
    "properties": {
        "video": {"type": "string"},
        "writers": {"type": "object", "additionalProperties": _COMPONENT},
        **dict.fromkeys(RUN_KINDS, _COMPONENT),
    },
}
"""What of the settings has to be there; the rest is held against the options' own types."""
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

    def plan(self) -> RunPlan:
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
        own = {key: literal(value) for key, value in settings.items() if key not in asked}
        try:
            for key, value in own.items():
                OmegaConf.update(config, key, value)  # the typed tree refuses what does not fit
            for word in self.words:
                key, _, value = word.partition("=")
                if key in _PATHS and value not in ("", "null"):
                    OmegaConf.update(config, key, literal(value))
                elif not _chooses(word):
                    config.merge_with(OmegaConf.from_dotlist([word]))
        except (OmegaConfBaseException, YAMLError, ValueError, TypeError, RecursionError) as error:
            raise explained(error) from error
        return make_plan(config)

    def differences(self, result: Result) -> list[str]:
        """What differs between the result and its repetition, in lines; none if nothing does."""
        return result_differences(self.before, result)


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
    before = read_result(path)
    output = f"output={path.parent.with_name(f'{path.parent.name}-again')}"
    words = [output, "overwrite=false", *(_absolute(word) for word in overrides)]
    for word in words:
        key = word.partition("=")[0]
        if not key or key[0] in "+~" or key == "experiment":
            raise ConfigError(
                f"asd repeat does not take {word}", "Change options with KEY=VALUE, or use asd run"
            )
    return Repetition(before, words, Path(before["provenance"].get("folder", ".")))


def read_result(path: Path) -> dict[str, Any]:
    """What a result.json holds, looked through: whoever made it, all is there and of its type.

    One of the form asdkit.result/1 lacks options that there were not yet: they are as they are by
    default, which is what that version did.

    Args:
        path: The file.

    Raises:
        InputError: It cannot be read, or is no result.
        PluginError: It names a component that is not installed.
    """
    found = read_json(
        path, "a result of asd run", "Name a folder of results of asd run", most_bytes=_MOST
    )
    form = schema()
    older = isinstance(found, dict) and found.get("schema") == OLDER_SCHEMA
    if older:
        del form["properties"]["schema"]["const"]
        form["properties"]["video"]["required"] = ["path"]
    form["properties"]["settings"] = _SETTINGS
    wrong = misfit(found, form)
    result: dict[str, Any] = found
    if not wrong and not older and (missing := set(RUN.keys).difference(result["settings"])):
        wrong = f"settings.{min(missing)} is missing"
    if wrong:
        raise InputError(
            f"{path} is damaged, or another version of asdkit made it: {wrong}",
            "Install that version, or run the video again with asd run",
        )
    for kind in RUN_KINDS:
        registry().find(kind, result["settings"][kind]["name"])
    for name in result["settings"]["writers"]:
        registry().find("writer", name)
    return result


def _chooses(word: str) -> bool:
    """Whether a word chooses a component."""
    return word.partition("=")[0] in _GROUPS


def _absolute(word: str) -> str:
    """An override with the path that it may name made absolute."""
    key, _, value = word.partition("=")
    if key in _PATHS and value not in ("", "null", SHIPPED):
        return f"{key}={expanded(value).absolute()}"
    return word


def result_differences(before: Mapping[str, Any], result: Result) -> list[str]:
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
    """A version, a device, or the hashes of files, whose places do not matter."""
    if isinstance(value, list):
        return ", ".join(f"{Path(file['path']).name} ({file['sha256'][:12]})" for file in value)
    return str(value) if value else "none"
