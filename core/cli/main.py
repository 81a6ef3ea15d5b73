"""The command `asd`: dispatches to the commands, and prints errors."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TextIO

from ..errors import AsdError, ConfigError, MissingWeightsError
from ..stopping import Stopped, stoppable, stopped_line
from ..version import __version__
from .arguments import HELP
from .commands import NAMES, overview
from .overrides import is_override, key_of

_ASK = {"help", *HELP}
"""Words that ask for help in place of a command."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command.

    Exit status: 0; 2 after a one-line error that the user can fix, of three short lines where
    weights are missing; 130 if stopped by Ctrl-C, 143 by
    SIGTERM and 129 by SIGHUP, after one line; 1 if the reader of its output has closed the pipe,
    or `asd data check` found something wrong.
    """
    _open_streams()
    _let_threads_rest()
    words = list(sys.argv[1:] if arguments is None else arguments)
    with stoppable(_say) as signals:
        try:
            try:
                _command(words)
                sys.stdout.flush()
            except BaseException as error:
                if signals and not isinstance(error, Stopped):  # a library replaced the exception
                    raise Stopped(signals[0]) from error
                raise
        except AsdError as error:
            if os.environ.get("ASDKIT_DEBUG"):
                raise
            for line in _lines_of(error):
                _say(f"asd: {line}")
            sys.exit(2)
        except KeyboardInterrupt as stop:
            _say(("\n" if sys.stderr.isatty() else "") + stopped_line(stop))
            sys.exit(128 + (stop.number if isinstance(stop, Stopped) else signal.SIGINT))
        except BrokenPipeError:
            _give_up(sys.stdout)
            sys.exit(1)
        except OSError as error:
            if not _is_broken(sys.stdout):
                raise
            _give_up(sys.stdout)
            _say(f"asd: What was to be printed cannot be: {error.strerror or error}")
            sys.exit(2)


def _open_streams() -> None:
    """Make sure that the standard streams are open and writable.

    If one is closed, the next opened file would get its descriptor, and output of libraries would
    end up in that file.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - until the process ends
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # file names may hold unencodable characters
            stream.reconfigure(errors="replace")


def _let_threads_rest() -> None:
    """Have threads of OpenMP, which compute for PyTorch, sleep soon while they wait for work.

    By default they keep their cores busy with waiting: a demo beside other work took 230 s, with
    the first setting 36 s. GNU's OpenMP would then sleep at once, which slows an idle machine by a
    tenth or more: the second has it look for work some microseconds longer (docs/performance.md).
    OpenMP reads them once, when it is loaded. A user's own settings are kept.
    """
    if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}.intersection(os.environ):
        os.environ.update(OMP_WAIT_POLICY="PASSIVE", GOMP_SPINCOUNT="10000")


def _lines_of(error: AsdError) -> list[str]:
    """The lines that tell of an error: one, or three where weights are missing."""
    if not isinstance(error, MissingWeightsError):
        return [str(error)]
    from .first_run import without_weights

    return without_weights(error)


def _say(line: str) -> None:
    """Print a line on stderr, if it can be written to."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)


def _is_broken(stream: TextIO) -> bool:
    """Whether a stream cannot be written to; tries to print an empty line."""
    try:
        print(file=stream, flush=True)  # unbuffered, the text that failed before is gone
    except OSError:
        return True
    return False


def _give_up(stream: TextIO) -> None:
    """Redirect a stream to nowhere, so that the interpreter's final flush does not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _command(words: list[str]) -> None:
    """Run the command that the arguments name.

    Raises:
        AsdError: The command does not exist, or fails.
    """
    words = _usual_form(words)
    if not words or words[0] in _ASK:
        print(overview(), end="")
        if not words:
            sys.exit(2)
    elif "--version" in words[: words.index("--") if "--" in words else None]:
        print(f"asdkit {__version__}")
    else:
        logging.basicConfig(format="asd: %(message)s", level=logging.WARNING)
        commands = {name: partial(_loaded, name) for name in NAMES}
        if words[0] in ("-sc", "--shell-completion"):
            from .completion import complete

            complete(words)
        elif words[0] in commands:
            commands[words[0]]()(words[1:])
        elif "://" in key_of(words[0]):
            commands["live"]()(words)
        elif _is_file(words[0]):
            commands["run"]()(words)
        else:
            raise _no_command(words)


def _usual_form(words: list[str]) -> list[str]:
    """The arguments, with other ways to ask for help or the version put into the usual one.

    `asd help run`, `asd --help run` and `asd run help` become `asd run --help`.
    """
    if words and words[0] in _ASK:
        return [*words[1:], "--help"]
    if words[1:] == ["help"] and not Path("help").exists():
        return [words[0], "--help"]
    return ["--version"] if words[:1] == ["-V"] else words


def _is_file(word: str) -> bool:
    """Whether a first argument that is no command is a video to run, there or not.

    A file that is called like a command needs its folder in front, as in ./run.
    """
    if word == "--" or os.path.exists(word):  # noqa: PTH110 - a Path would change the name
        return True
    if word.startswith("-") or is_override(word):
        return False
    from ..media.formats import VIDEO_SUFFIXES

    separators = {os.sep, os.altsep or os.sep}
    return bool(separators & set(word)) or Path(word).suffix.lower() in VIDEO_SUFFIXES


def _no_command(words: list[str]) -> ConfigError:
    """The error for a first argument that is neither a command nor a file."""
    from ..spelling import guess

    word = words[0]
    if word.startswith("-"):
        from ..config.compose import RUN
        from .flags import as_written_here

        if error := as_written_here(words, HELP, RUN.keys):
            return error
    if is_override(word):
        hint = f"To process a video: asd run {' '.join(words)}"
    else:
        hint = guess(word, (*NAMES, "--help", "--version", "--shell-completion"))
    listed = "" if hint else f"; there are {', '.join(NAMES)}"
    return ConfigError(
        f"There is no command {word!r}{listed}", hint or "asd --help tells what each does"
    )


def _loaded(name: str) -> Callable[[list[str]], None]:
    """Import the module of a command, and return its function, which takes the arguments."""
    command: Callable[[list[str]], None] = import_module(f".{name}", __package__).command
    return command
