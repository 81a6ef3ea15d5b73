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

from .config import Plan, plan_of
from .errors import ConfigError, InputError
from .results import to_json
from .schemas import explained
from .types import Result

FILE = "result.json"


@dataclass(frozen=True)
class Repetition:
    """A result and the plan that makes it again.

    Attributes:
        before: What result.json holds.
        plan: The same settings, as far as they were not overridden.
        folder: Where the first run was started: relative paths in the settings mean files there.
    """

    before: Mapping[str, Any]
    plan: Plan
    folder: Path


def plan_again(results: Path, overrides: Sequence[str]) -> Repetition:
    """The plan that makes a result again.

    Args:
        results: A folder that holds a result.json.
        overrides: Options to change, such as "device=cpu"; unless `output` is one of them the
            results go beside the old ones, to a folder with `-again` at its name's end.

    Raises:
        InputError: There is no result.json, or it is not one.
        ConfigError: An option is unknown or out of range.
    """
    path = results / FILE
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
        settings, origin = before["settings"], before["provenance"]
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}", "Name a folder of asd run's results"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is not a result of this version: {type(error).__name__}: {error}",
            "Run the video again with asd run",
        ) from error
    output = results.with_name(f"{results.resolve().name}-again").absolute()
    try:
        # As a typed tree it refuses what is unknown.
        known = OmegaConf.create({**settings, "output": str(output), "overwrite": False})
        OmegaConf.set_struct(known, True)
        merged = OmegaConf.merge(known, OmegaConf.from_dotlist(list(overrides)))
        values = OmegaConf.to_container(merged)
        plan = plan_of({str(key): value for key, value in dict(values).items()})  # type: ignore[arg-type]
    except OmegaConfBaseException as error:
        raise explained(error) from error
    except KeyError as error:
        raise ConfigError(
            f"{path} has no setting {error}: another version of asdkit made it",
            f"Install that one: asdkit {origin.get('versions', {}).get('asdkit')}",
        ) from error
    return Repetition(before, plan, Path(origin.get("folder", ".")))


def differences(before: Mapping[str, Any], result: Result) -> list[str]:
    """What differs between a result and its repetition, in lines; none if nothing does."""
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
