"""Sorts the arguments of the command into files, overrides and flags of Hydra."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from ..errors import ConfigError
from ..files import expanded
from .overrides import is_override, key_of

HELP = {"-h", "--help"}
_PRESETS = ("--config-dir", "-cd")
_TAKES_VALUE = {*_PRESETS, "--package", "-p", "--cfg", "-c", "--info", "-i"}
_FLAGS = {*_TAKES_VALUE, "--resolve", "--run", "-r", "--multirun", "-m", "--hydra-help"}
_FLAGS |= {"--shell-completion", "-sc"}
"""The flags of Hydra that are allowed. The others would make it load a pickle, or configuration
files in place of asdkit's own."""


def split_video(words: Sequence[str], keys: Collection[str] = ()) -> tuple[str | None, list[str]]:
    """Separate the video from the other arguments of `asd run`, which go to Hydra.

    The video is the file that is named as a plain argument; see `split_files`.

    Args:
        words: The arguments.
        keys: The options that there are, for errors.

    Raises:
        ConfigError: Two arguments are videos, or one is empty.
    """
    videos, overrides, flags = split_files(words, keys)
    set_too = [word.partition("=")[2] for word in overrides if key_of(word) == "video"]
    named = [*videos, *set_too]
    if len(named) > 1:
        option = next((word for word in videos if word in keys), None)
        raise ConfigError(
            f"Two videos were named, {named[0]!r} and {named[1]!r}",
            f"If {option} is meant as an option: {option}=VALUE"
            if option
            else "Process one at a time, or several with: asd run --multirun video=A,B",
        )
    return (videos[0] if videos else None), [*overrides, *flags]


def split_files(
    words: Sequence[str], keys: Collection[str] = ()
) -> tuple[list[str], list[str], list[str]]:
    """Separate the files that are named as plain arguments from overrides and flags.

    The first plain argument that names an existing file is one, whatever characters its name
    holds; others are those without the form of an override, and those after `--`.

    Args:
        words: The arguments.
        keys: The options that there are, for errors.

    Returns:
        The files, the overrides, and the flags with their values.

    Raises:
        ConfigError: An argument is empty, or a flag is unknown.
    """
    files: list[str] = []
    overrides: list[str] = []
    plain, flags = parted(words, keys)
    for word in plain:
        if not files and os.path.exists(word):  # noqa: PTH110 - a Path would change the name
            files.append(word)
        elif is_override(word):
            overrides.append(word)
        else:
            files.append(word)
    if "--" in words:
        files += words[list(words).index("--") + 1 :]
    return files, overrides, flags


def split_source(words: Sequence[str], keys: Collection[str]) -> tuple[str | None, list[str]]:
    """Separate the source from the other arguments of `asd live`, which go to Hydra.

    The source is the plain argument that is no option: a file, a dash, a device such as camera:1,
    or an address, which may hold = and much else.

    Args:
        words: The arguments.
        keys: The options that there are, for errors.

    Raises:
        ConfigError: Two arguments are sources, or an option has no value; as for `parted`, too.
        InputError: There is no such kind of source.
    """
    from ..live.addresses import address_of

    before, after = list(words), []
    if "--" in before:
        place = before.index("--")
        before, after = before[:place], before[place + 1 :]
    plain, flags = parted([word for word in before if word != "-"], keys)
    exist = [word for word in plain if os.path.exists(word)]  # noqa: PTH110
    sources = [w for w in plain if w in exist or ":" in key_of(w) or not is_override(w)]
    options = [word for word in plain if word not in sources]
    if bare := next((word for word in sources if word in keys and word not in exist), None):
        raise ConfigError(f"{bare} has no value", f"Use: {bare}=VALUE")
    sources += [*(word for word in before if word == "-"), *after]
    set_too = [word.partition("=")[2] for word in options if key_of(word) == "source"]
    named = [address_of(source).shown for source in (*sources, *set_too)]
    if sources and len(named) > 1:
        raise ConfigError(
            f"Two sources were named, {named[0]!r} and {named[1]!r}",
            "Start asd live once for each; sound from elsewhere is sound=SOURCE",
        )
    return (sources[0] if sources else None), [*options, *flags]


def parted(words: Sequence[str], keys: Collection[str] = ()) -> tuple[list[str], list[str]]:
    """Separate the plain arguments before `--` from the flags with their values.

    Args:
        words: The arguments.
        keys: The options that there are, for errors.

    Raises:
        ConfigError: A flag is unknown, not allowed or abbreviated, or an argument is empty.
    """
    refuse_empty(words)
    plain: list[str] = []
    flags: list[str] = []
    previous = ""
    for number, word in enumerate(words):
        if word == "--":
            break
        is_flag = word.startswith("-") and previous not in _TAKES_VALUE
        if is_flag and word.partition("=")[0] not in _FLAGS | HELP:
            raise no_flag(words, number, _FLAGS | HELP, keys)
        (flags if is_flag or previous in _TAKES_VALUE else plain).append(word)
        previous = word
    return plain, flags


def refuse_empty(words: Sequence[str]) -> None:
    """Check that no argument is empty, as is what an unset variable of a shell leaves in quotes.

    Raises:
        ConfigError: One is.
    """
    if "" in words:
        raise ConfigError("An argument is empty", "Leave it out, or set the variable it came from")


def no_flag(
    words: Sequence[str], number: int, flags: Collection[str], keys: Collection[str]
) -> ConfigError:
    """The error for a flag that does not exist.

    Args:
        words: The arguments.
        number: Which of them is the flag.
        flags: The flags that there are.
        keys: The options that there are, which have no dashes.
    """
    from ..spelling import guess
    from .flags import as_written_here

    if error := as_written_here(words, flags, keys):
        return error
    word = words[number]
    name = word.partition("=")[0]
    listed = sorted(flags, key=lambda flag: flag.lstrip("-"))
    if Path(word).exists():
        return ConfigError(f"There is no flag {name}", f"A file goes after two dashes: -- {word}")
    meant = guess(name.replace("-", "_").lstrip("_"), keys, "Options have no dashes: KEY=VALUE")
    likely = guess(name, listed) or (meant if meant.startswith("Did you") else "")
    return ConfigError(
        f"There is no flag {name}" + ("" if likely else f"; there are {', '.join(listed)}"), likely
    )


def take_presets(words: Sequence[str]) -> tuple[list[str], Path | None]:
    """Separate the folder of presets from the other arguments.

    Returns:
        The other arguments; the folder, absolute, if one was named.

    Raises:
        ConfigError: The folder does not exist, or two are named.
    """
    rest: list[str] = []
    named: list[str] = []
    for word, previous in zip(words, ("", *words), strict=False):
        name, equals, value = word.partition("=")
        if previous in _PRESETS or (name in _PRESETS and equals):
            named.append(value if previous not in _PRESETS else word)
        elif word not in _PRESETS:
            rest.append(word)
    if len(named) > 1 or (not named and len(rest) < len(words)):
        raise ConfigError("--config-dir takes one folder", "As in: --config-dir presets")
    if not named:
        return rest, None
    folder = expanded(named[0]).absolute()
    if not folder.is_dir():
        raise ConfigError(f"There is no folder {folder}", "--config-dir takes a folder of presets")
    return rest, folder


def with_files(words: list[str], keys: Collection[str], option: str) -> list[str]:
    """Turn the plain arguments of a command into an option that takes a list of files.

    Args:
        words: The arguments.
        keys: The options that there are, for errors.
        option: The name of the option, in the plural.

    Raises:
        ConfigError: The files are given as an option, too; and as for `parted`.
    """
    if HELP & set(words):
        return words
    plain, flags = parted(words, keys)
    after = words[words.index("--") + 1 :] if "--" in words else []
    exist = [word for word in plain if os.path.exists(word)]  # noqa: PTH110
    files = [word for word in plain if word in exist or not is_override(word)]
    overrides = [word for word in plain if word not in files]
    files += after
    if not files:
        return words
    if bare := next((word for word in files if word in keys and word not in exist), None):
        raise ConfigError(f"{bare} has no value", f"Use: {bare}=VALUE")
    if set_too := next((word for word in overrides if key_of(word) == option), None):
        raise ConfigError(
            f"{option.capitalize()} were named twice, by {files[0]!r} and by {set_too!r}",
            f"Leave out {option}=, and name all of them as plain arguments",
        )
    return [f"{option}=[{','.join(map(quoted, files))}]", *overrides, *flags]


def quoted(text: str) -> str:
    """A text as Hydra reads it, whatever it holds."""
    from hydra.core.override_parser.types import Quote, QuotedString

    from ..config.schemas import literal

    return QuotedString(text=literal(text), quote=Quote.single).with_quotes()


def in_shards(words: list[str]) -> list[str]:
    """Turn `asd batch` into a multirun with a job per shard, if there are several or a launcher.

    Raises:
        ConfigError: `shards` is not a number, or jobs with different settings would write to the
            same folder.
    """
    given = dict(word.split("=", 1) for word in words if not word.startswith("-") and "=" in word)
    flags = {word.partition("=")[0] for word in words if word.startswith("-")}
    if flags & {"-m", "--multirun"}:
        _check_sweep(given)
        return words
    if "shard" in given or flags.difference(_PRESETS):
        return words
    shards = given.get("shards", "1")
    if shards == "1" and "hydra/launcher" not in given:
        return words
    if not shards.isdecimal() or not int(shards):
        raise ConfigError(f"shards must be a number from 1 on, got {shards}")
    every = ",".join(map(str, range(int(shards))))
    return [f"shard={every}", *words, "--multirun"]


def _check_sweep(given: Mapping[str, str]) -> None:
    """Check that jobs with different settings do not replace each other's results.

    By default each has a folder of its own; see `core.cli.sweeping`.
    """
    if "hydra/sweeper" not in given and "hydra.sweep.subdir" not in given:
        return
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    from ..component import RUN_KINDS

    try:
        found = OverridesParser.create().parse_overrides([f"{k}={v}" for k, v in given.items()])
    except HydraException:
        return  # Hydra will report the error
    swept = [o.key_or_group for o in found if o.is_sweep_override() and o.key_or_group != "shard"]
    if swept and "${" not in given.get("output", ""):
        value = f"{swept[0]}.name" if swept[0] in RUN_KINDS else swept[0]
        raise ConfigError(
            f"All jobs of a sweep over {', '.join(swept)} would write to one output folder",
            "Give each its own, as in: 'output=results/${" + value + "}'",
        )
