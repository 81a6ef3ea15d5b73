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

from ..errors import AsdError, ConfigError
from ..stopping import Stopped, stoppable, stopped_line
from ..version import __version__
from .arguments import HELP

USAGE = """\
asd - say which visible face is speaking, frame by frame

  asd run FILE [OPTION=VALUE ...]   find the faces of a video and who speaks when
  asd demo [OPTION=VALUE ...]       try it on a clip that is made on the spot
  asd batch videos=PATTERN [OPTION=VALUE ...]
                                    the same for thousands of videos, on one machine or a cluster
  asd batch status FOLDER           what became of them; table puts their turns together, and
                                    decide changes thresholds without inference
  asd write RESULT writers=[NAME,...] [OPTION=VALUE ...]
                                    other files of a result: formats, names, thresholds
  asd repeat FOLDER [OPTION=VALUE ...]
                                    run again what made the results in a folder, and compare
  asd evaluate dataset=NAME [OPTION=VALUE ...]
                                    how well a configuration does on labelled videos, at what cost
  asd compare FOLDER ...            one table of evaluations, best first
  asd calibrate dataset=NAME [OPTION=VALUE ...]
                                    make probabilities mean what they say
  asd export [OPTION=VALUE ...]     write a scorer's network as ONNX, and prove that it is the same
  asd export check FOLDER           repeat the proof
  asd plugins                       list what can be chosen: components of each kind, and presets
  asd plugins new NAME              write a plugin of your own, to change, into asdkit-NAME
  asd weights list                  list the published weights and where they are
  asd weights fetch NAME ...        download weights
  asd weights verify                check the weights that are here

Common options of asd run:
  detector=mtcnn|yunet|s3fd|boxes   who finds the faces
  scorer=talknet|lr_asd|light_asd|lip_motion
                                    who judges them
  embedder=mobilefacenet|facenet identities=DIR
                                    who is who, by name if there are portraits of them
  vad=energy|silero                 nobody speaks without a voice; what is spoken off screen
  experiment=fast|accurate|offline|reference
                                    several settings at once; offline needs no download
  device=auto|cpu|cuda|cuda:N       where to compute
  output=FOLDER overwrite=true      where the results go; replace what is there
  resume=true                       go on with a run that was stopped or killed
  start_s=10 end_s=20               process a part
  writers=[json,rttm,annotated]     which files to write

asd run --help, or asd help run, tells of all options; every other command has help, too.
Options with several values, and --multirun, try all of them: asd run FILE -m detector=mtcnn,yunet
"""

_APPS = ("run", "batch", "write", "evaluate", "calibrate", "export")
"""Commands that are Hydra applications."""
_COMMANDS = (
    *("run", "demo", "batch", "write", "repeat", "evaluate", "compare", "calibrate", "export"),
    *("plugins", "weights"),
)

_ASK = {"help", *HELP}
"""Words that ask for help in place of a command."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command.

    Exit status: 0; 2 after a one-line error that the user can fix; 130 if stopped by Ctrl-C, 143 by
    SIGTERM and 129 by SIGHUP, after one line; 1 if the reader of its output has closed the pipe.
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
            _say(f"asd: {error}")
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
        print(USAGE, end="")
        if not words:
            sys.exit(2)
    elif "--version" in words[: words.index("--") if "--" in words else None]:
        print(f"asdkit {__version__}")
    else:
        logging.basicConfig(format="asd: %(message)s", level=logging.WARNING)
        commands = {name: partial(_loaded, name) for name in _COMMANDS}
        if words[0] in ("-sc", "--shell-completion"):
            from .completion import complete

            complete(words, commands, _APPS)
        elif words[0] in commands:
            commands[words[0]]()(words[1:])
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


def _no_command(words: list[str]) -> ConfigError:
    """The error for a first argument that is no command."""
    from ..spelling import guess
    from .arguments import is_override

    if is_override(words[0]) or (words[0] and Path(words[0]).exists()):
        hint = f"To process a video: asd run {' '.join(words)}"
    else:
        flags = ("--help", "--version", "--shell-completion")
        hint = guess(words[0], (*_COMMANDS, *flags), "asd --help tells of them")
    return ConfigError(f"There is no command {words[0]!r}; there are {', '.join(_COMMANDS)}", hint)


def _loaded(name: str) -> Callable[[list[str]], None]:
    """Import the module of a command, and return its function, which takes the arguments."""
    command: Callable[[list[str]], None] = import_module(f".{name}", __package__).command
    return command
