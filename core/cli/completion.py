"""Completes the words of the command line in a shell."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from ..errors import AsdError, ConfigError
from ..live.addresses import beginnings
from .batch_views import VIEWS
from .commands import APPS, NAMES
from .data import ACTIONS as DATA_ACTIONS
from .export import CHECK_KEYS, export_app
from .overrides import is_override, key_of
from .shells import SCRIPTS, SHELLS
from .train import train_app
from .weights import ACTIONS, published

if TYPE_CHECKING:
    from ..config.schemas import App

_FLAGS = ("--cfg", "--config-dir", "--help", "--multirun")
"""The flags that are offered; see `core.cli.arguments` for the others."""
_LIKE_RUN = ("demo", "repeat")
"""Commands that take the options of `asd run`."""
_OF_DATA = tuple(f"data_{action}" for action in DATA_ACTIONS)
"""The applications of `asd data`."""
_OF_RESULTS = ("repeat", "write", "data_crops", "data_check")
"""Commands that take results as plain arguments."""


def complete(words: list[str]) -> None:
    """Print what may come next on the line in COMP_LINE, or a shell's script that asks for it.

    Args:
        words: The completion flag with its value: query, install or uninstall, and a shell.

    Raises:
        ConfigError: The flag has no such value.
    """
    asked = re.search(r"\b(query|install|uninstall)=(\w+)", " ".join(words))
    if not asked or asked[2] not in SHELLS:
        raise ConfigError(
            f"{words[0]} takes install=SHELL or uninstall=SHELL, for bash, fish or zsh",
            'As in: eval "$(asd -sc install=bash)"',
        )
    if asked[1] != "query":
        print(SCRIPTS[asked[1], asked[2]], end="")
        return
    line = os.environ.get("COMP_LINE", "").lstrip()
    *done, typed = line.split(" ")[1:] or [""]
    for word in sorted(set(_offered([word for word in done if word], typed))):
        if word.startswith(typed) and not re.search(r"\s", word):  # shells take them line by line
            print(word)


def _offered(done: list[str], typed: str) -> Iterable[str]:
    """The words that may come next.

    Args:
        done: The words that stand there already, without the name of the program.
        typed: The beginning of the next one.
    """
    if not done:
        return [*NAMES, "help", "--help", "--version", *_files(typed, only_videos=True)]
    command, rest = done[0], done[1:]
    if command not in (*NAMES, "help"):  # a video
        command, rest = "run", done
    if command == "export" and rest[:1] == ["check"]:
        return _of_check(rest[1:], typed)
    if command == "batch" and rest and rest[0] in VIEWS:
        return _of_decide(rest[1:], typed) if rest[0] == "decide" else _files(typed)
    if command == "data" and rest[:1]:
        command, rest = f"data_{rest[0]}", rest[1:]
    if command in (*APPS, *_LIKE_RUN, *_OF_DATA):
        return _of_app(command, rest, typed)
    if rest[:1] == ["fetch"] and command == "weights":
        return published().keys() - set(rest)
    first = {"help": NAMES, "weights": ACTIONS, "plugins": ("new",), "data": DATA_ACTIONS}
    return first[command] if command in first and not rest else _files(typed)


def _of_decide(rest: list[str], typed: str) -> Iterator[str]:
    """What may come next in the line of `asd batch decide`, which takes less than `asd write`."""
    from ..batch.deciding import CHANGES

    taken = (*CHANGES, "output", "overwrite")
    for word in _of_app("write", rest, typed):
        key = re.match(r"(\w+)[.=]", word)
        if word.startswith("-") or key is None or key[1] in taken or Path(word).exists():
            yield word


def _of_check(rest: list[str], typed: str) -> Iterator[str]:
    """What may come next in the line of `asd export check`."""
    yield from _files(typed)
    given = {word.partition("=")[0] for word in rest}
    yield from (f"{key}=" for key in CHECK_KEYS if rest and key not in given)


def _of_app(command: str, rest: list[str], typed: str) -> Iterator[str]:
    """What may come next in the line of a command that takes options of a Hydra application."""
    app = _app("run" if command in _LIKE_RUN else command)
    key, equals, value = typed.partition("=")
    if typed.startswith("-"):
        yield from (*_FLAGS, *_files(typed))
        return
    chosen = _composed(app, [word for word in rest if is_override(word)])
    if equals:
        yield from (f"{typed[: len(key) + 1]}{one}" for one in _values(app, chosen, key, value))
        return
    given = {key_of(word) for word in rest if is_override(word)}
    yield from (f"{name}=" for name in _options(app, chosen, typed) if name not in given)
    if "." not in typed or typed.startswith("writers."):
        yield from (f"{name}." for name in _groups(app, chosen))
    plain = [word for word in rest if not is_override(word)]
    if command == "live" and not plain:
        yield from (*beginnings("picture"), *_files(typed))
    of_results = command in _OF_RESULTS
    if of_results or (command == "run" and not plain) or command == "batch":
        yield from _files(typed, only_videos=not of_results)
    if not rest:
        yield from {"export": ("check",), "batch": VIEWS}.get(command, ())


def _app(name: str) -> App:
    """A Hydra application by its name."""
    from ..batch.settings import BATCH
    from ..config.compose import RUN
    from ..data.dialogue_settings import DIALOGUES
    from ..data.settings import CHECK, CROPS
    from ..evaluation.settings import CALIBRATE, EVALUATE
    from ..finished.settings import WRITE
    from ..live.plan import LIVE

    apps = (
        RUN,
        LIVE,
        BATCH,
        WRITE,
        EVALUATE,
        CALIBRATE,
        train_app(),
        export_app(),
        CROPS,
        CHECK,
        DIALOGUES,
    )
    return {app.name: app for app in apps}[name]


def _composed(app: App, overrides: list[str]) -> Any:
    """The configuration of an application; without the overrides that are wrong, if any are."""
    from ..config.compose import compose_app

    choices = [w for w in overrides if key_of(w) in (*app.kind_of, "writers", "experiment")]
    for words in (overrides, choices):
        try:
            return compose_app(app, words)
        except AsdError:
            continue
    return compose_app(app, [])


def _groups(app: App, chosen: Any) -> Iterator[str]:
    """The names before a dot: of components that have parameters, and of grouped options."""
    from dataclasses import is_dataclass

    yield from (choice for choice in app.kind_of if _parameters(chosen, choice))
    yield from (key for key, hint in get_type_hints(app.options).items() if is_dataclass(hint))
    if app.writers:
        yield from (f"writers.{name}" for name in chosen.writers or {} if _of_writer(name))


def _options(app: App, chosen: Any, typed: str) -> Iterator[str]:
    """The options that may be set: all of them, or those of the group that stands before a dot."""
    from dataclasses import is_dataclass

    from ..config.schemas import names

    hints = get_type_hints(app.options)
    group = typed.rpartition(".")[0]
    if not group:
        yield from (name for name, hint in hints.items() if not is_dataclass(hint))
        yield from app.kind_of
        yield from ("writers",) if app.writers else ()
        yield from ("experiment",) if app.writers and app.experiments else ()
    elif group in app.kind_of:
        yield from (f"{group}.{name}" for name in _parameters(chosen, group))
    elif group.startswith("writers."):
        name = group.partition(".")[2]
        if name in (chosen.writers or {}):
            yield from (f"{group}.{parameter}" for parameter in _of_writer(name))
    elif is_dataclass(hints.get(group)):
        yield from (f"{group}.{name}" for name in names(hints[group]))


def _parameters(chosen: Any, kind: str) -> list[str]:
    """The parameters of the component that is chosen of a kind."""
    return [str(name) for name in chosen[kind] or () if name != "name"]


def _of_writer(name: str) -> list[str]:
    from ..config.schemas import names
    from ..registry import registry

    return names(registry().find("writer", name).config)


def _values(app: App, chosen: Any, key: str, value: str) -> Iterator[str]:
    """The values that an option may have, and files where it may name one."""
    from ..registry import registry

    begun, comma, _ = value.rpartition(",")
    if key == "writers":
        given = begun.lstrip("[").split(",")
        others = [one for one in registry().choices("writer") if one not in given]
        opened = "[" if not comma and (not value or value.startswith("[")) else ""
        yield from (f"{begun}{comma}{opened}{one}" for one in others)
        return
    if key in app.kind_of or (key == "experiment" and app.writers):
        kind = app.kind_of.get(key, key)
        names = [*registry().choices(kind), *_variants(kind, value[len(begun + comma) :])]
        yield from (f"{begun}{comma}{one}" for one in names)
        return
    group, _, name = key.rpartition(".")
    known = list(_known_values(app, key))
    if group in app.kind_of and chosen[group]:
        known += _of_parameter(registry().find(app.kind_of[group], chosen[group].name), name)
    kind, _, writer = group.partition(".")
    if kind == "writers" and writer in (chosen.writers or {}):
        known += _of_parameter(registry().find("writer", writer), name)
    yield from known
    if value or not known or key == "source":  # where names may stand, files come when one is begun
        yield from _files(value)


def _variants(kind: str, typed: str) -> Iterator[str]:
    """The variants of a component, once its name and the sign after it are typed."""
    from ..config.variants import SIGN, component_of, parted
    from ..registry import registry

    name, _ = parted(typed)
    component = component_of(registry(), kind, name)
    if SIGN in typed and component:
        yield from (f"{name}{SIGN}{one}" for one in _of_parameter(component, component.variant))


def _known_values(app: App, key: str) -> Collection[str]:
    """The values of an option that belongs to no component, if they can be listed."""
    from ..decisions.turns import DECISIONS
    from ..evaluation.settings import FACES
    from ..exportable import PRECISIONS
    from ..finished.settings import WRITE
    from ..live.plan import LIVE
    from ..live.settings import PACES
    from ..media.container import ROTATIONS
    from ..result import KEPT
    from ..sync import MODES

    listed: dict[str, Sequence[str]] = {
        **{"decisions": DECISIONS, "sync": MODES, "faces": FACES, "precision": PRECISIONS},
        **{"device": ("auto", "cpu", "cuda"), "rotate": ROTATIONS, "pace": PACES},
        "source": beginnings("picture"),
    }
    if app is train_app():
        from ...training.settings import PRECISIONS as TRAINED_IN

        listed["precision"] = TRAINED_IN
    if app is LIVE:
        listed["sound"] = beginnings("sound")
    if app is WRITE:
        listed["calibration"] = ("null", KEPT)
    hints = get_type_hints(app.options)
    if hints.get(key) is bool:
        return ("true", "false")
    return listed.get(key, ()) if key in hints else ()


def _of_parameter(component: Any, name: str) -> list[str]:
    """The values of a component's parameter, if they can be listed."""
    if name == "weights":
        # Most names that the parameter takes are those of its weights without the component's.
        own = f"{component.name}_"
        listed = [one.name for one in component.weights if one.name.startswith(own)]
        default = vars(component.config).get(name)
        return [*(one.removeprefix(own) for one in listed), *([default] if default else [])]
    if name == "calibration":
        return ["auto", "null"]
    if get_type_hints(component.config).get(name) is bool:
        return ["true", "false"]
    meant = [one for one in fields(component.config) if one.name == name]
    return list(meant[0].metadata.get("values", ())) if meant else []


def _files(typed: str, *, only_videos: bool = False) -> Iterator[str]:
    """Files and folders whose path begins as typed; folders end with a slash."""
    from ..media.formats import VIDEO_SUFFIXES

    folder, name = os.path.split(typed)
    try:
        entries = list(os.scandir(Path(folder or ".").expanduser()))
    except (OSError, RuntimeError):
        return
    for entry in entries:
        if not entry.name.startswith(name) or (entry.name.startswith(".") and not name):
            continue
        path = os.path.join(folder, entry.name)  # noqa: PTH118 - as it was typed
        if entry.is_dir():
            yield f"{path}/"
        elif not only_videos or Path(entry.name).suffix.lower() in VIDEO_SUFFIXES:
            yield path
