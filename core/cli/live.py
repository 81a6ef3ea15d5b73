"""`asd live`: says who is speaking now, from a camera, a stream or a file at its own pace."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ..config.options import RESULTS_FOLDER
from ..errors import ConfigError
from ..stopping import Stopped, asked_first
from .apps import run_or_help, teller
from .arguments import HELP, quoted, split_source
from .overrides import key_of
from .run import PRINT

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from ..live.events import LiveEvent
    from ..live.session import LiveSession

    Show = Callable[[LiveEvent], None]

_SOURCES = ("source", "sound")
"""The options that may hold an address, with all that it may hold."""


def command(words: list[str]) -> None:
    """Run the command with its arguments; see `core.cli.apps.run_or_help` for errors."""
    from ..live.plan import LIVE

    source, rest = split_source(words, LIVE.keys)
    if HELP & set(rest):
        run_or_help(LIVE, [word for word in rest if key_of(word) not in _SOURCES], _show)
        return
    if {"-m", "--multirun"} & set(rest):
        raise ConfigError(
            "asd live follows one source, but --multirun makes several jobs",
            "Leave it out; asd run FILE --multirun compares settings",
        )
    outputs = [word for word in rest if key_of(word) == "output"]
    given = [] if source is None else [f"source={quoted(source)}"]
    job = _print if outputs[-1:] == [PRINT] else _show
    run_or_help(LIVE, [*given, *map(_as_it_is, rest)], job)


def _as_it_is(word: str) -> str:
    """An option whose address Hydra does not take apart."""
    key, _, value = word.partition("=")
    if key in _SOURCES and (":" in value or value == "-") and value[0] not in "'\"":
        return f"{key}={quoted(value)}"
    return word


def _show(config: DictConfig, _: str | None = None) -> None:
    """Follow a stream; its changes go to stdout, on a terminal with a line of what is now."""
    with _opened(config, Path(RESULTS_FOLDER)) as session:
        _follow(session, _shown(session, quiet=config.quiet), teller(config))


@contextmanager
def _shown(session: LiveSession, *, quiet: bool) -> Iterator[Show]:
    """What shows an event, while the block runs."""
    from rich.console import Console

    from .live_views import Changes, NowLine

    changes = Changes()

    def show(event: LiveEvent) -> None:
        if not quiet and (line := changes(event)):
            print(line, flush=True)

    if quiet or not Console().is_terminal:
        yield show
    else:
        with NowLine(lambda: session.counts) as drawn:
            yield drawn


def _print(config: DictConfig, _: str | None = None) -> None:
    """Follow a stream; its events alone go to stdout, in lines of JSON, all else to stderr."""
    from ..live.lines import line_of

    def show(event: LiveEvent) -> None:
        out.write(f"{line_of(event)}\n")
        out.flush()

    out: TextIO = sys.stdout
    if hasattr(out, "reconfigure"):
        out.reconfigure(encoding="utf-8")  # a terminal's own may lack letters
    config.output = None
    with redirect_stdout(sys.stderr), _opened(config, None) as session:
        _follow(session, nullcontext(show), teller(config))


def _opened(config: DictConfig, results: Path | None) -> LiveSession:
    """The session that a composed configuration asks for; see there for `results`."""
    from ..live.plan import make_live_plan
    from ..live.session import LiveSession

    return LiveSession(make_live_plan(config), results=results)


def _follow(
    session: LiveSession, shown: AbstractContextManager[Show], tell: Callable[[str], None]
) -> None:
    """Show what a session tells until it ends, and sum it up.

    Args:
        session: The session.
        shown: Gives what shows an event.
        tell: Prints a line.

    Raises:
        Stopped: A signal has ended the session, as Ctrl-C ends that of a camera; its results are
            whole, and the exception says where they are.
    """
    from rich.console import Console

    from .console import ProgressLine
    from .live_views import Tally, files_of

    with ProgressLine(quiet=not Console(stderr=True).is_terminal) as waiting:
        waiting("loading models, opening the source", 0, 0)
        begun = next(session)  # a signal stops it: nothing is read yet
    if session.url:
        tell(f"page: {session.url}")
    tally = Tally()
    with shown as show, asked_first(session.stop) as signals:
        for event in chain([begun], session):
            tally(event)
            show(event)
    for line in tally.lines((begun.about or {})["name"], session.counts):
        tell(line)
    if session.folder:
        for line in files_of(session.folder):
            tell(line)
    if signals:
        stop = Stopped(signals[0])
        if session.folder:
            stop.args = (f"All up to then is in {session.folder}",)
        raise stop
