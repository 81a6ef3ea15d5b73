"""The arguments of the command: which are files, which overrides and which flags of Hydra's."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from .errors import ConfigError

HELP = {"-h", "--help"}
_OVERRIDE = re.compile(r"(\+{1,2}|~)?[A-Za-z_][\w.@/:-]*=", re.ASCII)
_TAKES_VALUE = {"--config-path", "-cp", "--config-name", "-cn", "--config-dir", "-cd"}
_TAKES_VALUE |= {"--package", "-p", "--cfg", "-c", "--info", "-i", "--experimental-rerun"}


def is_override(word: str) -> bool:
    """Whether an argument has the form of an override, KEY=VALUE or ~KEY."""
    return bool(_OVERRIDE.match(word)) or word.startswith("~")


def split_video(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """Take the video out of the arguments of `asd run`; the rest is Hydra's.

    The first plain argument that names an existing file is the video, whatever its name holds.
    Else it is the argument that has not the form of an override, or what follows `--`.

    Raises:
        ConfigError: Two arguments are videos.
    """
    videos: list[str] = []
    overrides: list[str] = []
    plain, flags = parted(words)
    for word in plain:
        if not videos and os.path.exists(word):  # noqa: PTH110 - a Path would change the name
            videos.append(word)
        elif is_override(word):
            overrides.append(word)
        else:
            videos.append(word)
    if "--" in words:
        videos += words[list(words).index("--") + 1 :]
    if len(videos) > 1:
        raise ConfigError(
            f"Two videos were named, {videos[0]!r} and {videos[1]!r}",
            "Process one at a time, or several with: asd run --multirun video=A,B",
        )
    return (videos[0] if videos else None), [*overrides, *flags]


def parted(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The plain arguments before `--`; and the flags with their values, which go last."""
    plain: list[str] = []
    flags: list[str] = []
    previous = ""
    for word in words:
        if word == "--":
            break
        (flags if word.startswith("-") or previous in _TAKES_VALUE else plain).append(word)
        previous = word
    return plain, flags


def in_shards(words: list[str]) -> list[str]:
    """The arguments of `asd batch`, one job a shard if there are several or a launcher is named.

    Raises:
        ConfigError: The shards are no number, or jobs would write to one folder.
    """
    given = dict(word.split("=", 1) for word in words if not word.startswith("-") and "=" in word)
    flags = {word.partition("=")[0] for word in words if word.startswith("-")}
    if flags & {"-m", "--multirun"}:
        _check_sweep(given)
        return words
    if "shard" in given or flags - {"--config-dir", "-cd"}:
        return words
    shards = given.get("shards", "1")
    if shards == "1" and "hydra/launcher" not in given:
        return words
    if not shards.isdecimal() or not int(shards):
        raise ConfigError(f"shards must be a number from 1 on, got {shards}")
    if "output" not in given:
        raise ConfigError("output is not set", "Set it, as in: output=FOLDER")
    every = ",".join(map(str, range(int(shards))))
    return [f"shard={every}", *words, "--multirun"]


def _check_sweep(given: Mapping[str, str]) -> None:
    """Refuse jobs with different settings that would replace each other's results."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    from .components import RUN_KINDS

    try:
        found = OverridesParser.create().parse_overrides([f"{k}={v}" for k, v in given.items()])
    except HydraException:
        return  # which Hydra will tell of
    swept = [o.key_or_group for o in found if o.is_sweep_override() and o.key_or_group != "shard"]
    if swept and "${" not in given.get("output", ""):
        value = f"{swept[0]}.name" if swept[0] in RUN_KINDS else swept[0]
        raise ConfigError(
            f"All jobs of a sweep over {', '.join(swept)} would write to one output folder",
            "Give each its own, as in: 'output=results/${" + value + "}'",
        )
