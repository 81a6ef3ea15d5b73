"""The command `asd`: reads the arguments, hands them on, prints what came of it."""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ..errors import AsdError, ConfigError, InputError
from ..stopping import Stopped, stoppable, stopped_line
from ..version import __version__
from . import judge as judging
from .apps import run_or_help, run_shown
from .arguments import HELP, in_shards, is_override, split_video

if TYPE_CHECKING:
    from omegaconf import DictConfig


USAGE = """\
asd - say which visible face is speaking, frame by frame

  asd run FILE [OPTION=VALUE ...]   find the faces of a video and who speaks when
  asd demo [OPTION=VALUE ...]       try it on a clip that is made on the spot
  asd batch videos=PATTERN [OPTION=VALUE ...]
                                    the same for thousands of videos, on one machine or a cluster
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
  embedder=facenet identities=DIR   who is who, by name if there are portraits of them
  vad=energy|silero                 nobody speaks without a voice; what is spoken off screen
  experiment=fast|accurate|offline|reference
                                    several settings at once; offline needs no download
  device=auto|cpu|cuda|cuda:N       where to compute
  output=FOLDER overwrite=true      where the results go; replace what is there
  resume=true                       go on with a run that was stopped or killed
  start_s=10 end_s=20               process a part
  writers=[json,rttm,annotated]     which files to write

asd run --help tells of all options; batch, evaluate, calibrate and export have a --help, too.
Options with several values, and --multirun, try all of them: asd run FILE -m detector=mtcnn,yunet
"""

_DEMO_CLIP = "demo.mp4"
_APPS = ("run", "batch", "evaluate", "calibrate", "export")
"""Commands that are Hydra applications, with a help of their own."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command.

    It exits 0; 2 after one line about what the user can mend; 130 when stopped by Ctrl-C and 143 by
    SIGTERM, after one line; 1 when nobody reads what it prints any more.
    """
    _open_streams()
    words = list(sys.argv[1:] if arguments is None else arguments)
    with stoppable(_say) as signals:
        try:
            try:
                _command(words)
                sys.stdout.flush()
            except BaseException as error:
                if signals and not isinstance(error, Stopped):  # a library has swallowed it
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
    """Have standard streams that can be written to, whatever the command was started with.

    Where one is closed, the next file opened would take its place, and what libraries print
    would go into that file.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - for as long as we live
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a file's name may hold what it cannot show
            stream.reconfigure(errors="replace")


def _say(line: str) -> None:
    """Print a line on stderr, if that is possible."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)


def _is_broken(stream: TextIO) -> bool:
    """Whether nothing can be printed; an empty line is, where it can."""
    try:
        print(file=stream, flush=True)  # what failed before is not there any more, unbuffered
    except OSError:
        return True
    return False


def _give_up(stream: TextIO) -> None:
    """Print to nowhere, so that the interpreter does not complain at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _command(words: list[str]) -> None:
    """Do what was asked for.

    Raises:
        AsdError: That cannot be.
    """
    commands: dict[str, Callable[[list[str]], None]] = {
        "run": _run,
        "demo": _demo,
        "batch": _batch,
        "repeat": judging.repeat_command,
        "evaluate": judging.evaluate_command,
        "compare": judging.compare_command,
        "calibrate": judging.calibrate_command,
        "export": _export,
        "plugins": _plugins,
        "weights": _weights,
    }
    asks_help = bool(HELP & set(words)) and words[0] not in _APPS
    if not words or asks_help or words[0] == "help":
        print(USAGE, end="")
        if not words:
            sys.exit(2)
    elif words[0] == "--version":
        print(f"asdkit {__version__}")
    else:
        logging.basicConfig(format="asd: %(message)s", level=logging.WARNING)
        if words[0] in ("-sc", "--shell-completion"):
            _complete(words, commands)
        elif words[0] in commands:
            commands[words[0]](words[1:])
        else:
            raise ConfigError(
                f"There is no command {words[0]!r}; there are {', '.join(commands)}",
                f"To process a video: asd run {words[0]}" if Path(words[0]).exists() else "",
            )


def _run(words: list[str]) -> None:
    video, overrides = split_video(words)
    from ..config.compose import RUN

    run_or_help(RUN, overrides, _report, video)


def _report(config: DictConfig, output: str | None = None) -> None:
    """Run what was composed, showing progress and summary."""
    from ..config.plan import make_plan

    run_shown(make_plan(config), output)


def _batch(words: list[str]) -> None:
    from ..batch.settings import BATCH

    run_or_help(BATCH, in_shards(words), _report_batch)


def _report_batch(config: DictConfig, _: str | None = None) -> None:
    from ..batch.run import run_batch

    try:
        run_batch(config, partial(print, flush=True))  # a log is to be read while it grows
    except KeyboardInterrupt as stop:
        stop.args = ("The same command goes on with what is left",)
        raise


def _complete(words: list[str], commands: Mapping[str, Callable[[list[str]], None]]) -> None:
    """Answer a shell that asks how a line may go on; applications have Hydra answer."""
    line = os.environ.get("COMP_LINE", "")
    match = re.match(r"(\S+\s+)(\S+\s+)(.*)", line, re.DOTALL)
    command = match[2].strip() if match else ""
    if "query" not in " ".join(words):  # install or uninstall
        _run(words)
    elif match and command in (*_APPS, "demo"):
        # Hydra would stumble over a file among the overrides.
        *done, typed = match[3].split(" ")
        done = [word for word in done if is_override(word)]
        os.environ["COMP_LINE"] = match[1] + " ".join([*done, typed])
        os.environ["COMP_POINT"] = str(len(os.environ["COMP_LINE"]))
        commands["run" if command == "demo" else command](words)
    elif match and command == "weights":
        print("\n".join(word for word in ("list", "fetch", "verify") if word.startswith(match[3])))
    elif not match:
        typed = line.partition(" ")[2].strip()
        print("\n".join(word for word in sorted(commands) if word.startswith(typed)))


def _demo(words: list[str]) -> None:
    given = {word.partition("=")[0] for word in words}
    preset = ["experiment=offline", "output=asd_demo", "overwrite=true"]
    overrides = [word for word in preset if word.partition("=")[0] not in given]
    from ..config.compose import RUN

    run_or_help(RUN, [*overrides, *words], _report_demo, _DEMO_CLIP)


def _report_demo(config: DictConfig, output: str | None = None) -> None:
    """Make the demo clip in the output folder, run on it and compare with the truth."""
    from ..config.plan import make_plan
    from ..demo.clip import frames_right, make_clip

    folder = Path(output or config.output)
    truth = make_clip(folder / _DEMO_CLIP)
    config.video = str(folder / _DEMO_CLIP)
    result = run_shown(make_plan(config), output)
    right, judged = frames_right(result, truth)
    print(f"{right} of {judged} frames right ({100 * right / max(judged, 1):.1f} %)")


def _export(words: list[str]) -> None:
    from ...export.settings import EXPORT

    if words[:1] == ["check"] and not HELP & set(words):
        _check(words[1:])
    else:
        run_or_help(EXPORT, words, _report_export)


def _report_export(config: DictConfig, _: str | None = None) -> None:
    """Export what was composed, and say how to run it."""
    from ...export.bundles import export
    from ...export.settings import make_export_plan

    plan = make_export_plan(config)
    folder = export(plan, print).folder
    use = f"asd run FILE scorer={plan.scorer.component.name} scorer.weights={folder}"
    print(f"{folder} is whole; to use it: {use}")


def _check(words: list[str]) -> None:
    from ...export.bundles import check, settings_to_check
    from ...export.settings import EXPORT, make_export_plan
    from ..bundle import Bundle
    from ..config.compose import compose_app

    folders = [word for word in words if not is_override(word)]
    if len(folders) != 1:
        raise ConfigError(
            f"asd export check takes one folder, but got {' '.join(folders) or 'none'}",
            "Use: asd export check FOLDER",
        )
    bundle = Bundle(Path(folders[0]))
    given = [word for word in words if is_override(word)]
    for word in given:
        if not re.match(r"(scorer\.\w+|device|threads|calibration)=", word):
            raise ConfigError(
                f"asd export check does not read {word}",
                "It takes device, threads and, for int8, calibration and scorer.weights",
            )
    config = compose_app(EXPORT, [*settings_to_check(bundle), *given])
    check(bundle, make_export_plan(config), print)
    print(f"{bundle.folder} is as it should be")


def _plugins(words: list[str]) -> None:
    from ..component import KINDS
    from ..registry import registry

    if words[:1] == ["new"] and len(words) == 2:
        _new_plugin(words[1])
        return
    if words:
        raise ConfigError(
            f"asd plugins takes no arguments, or new NAME, but got {' '.join(words)}",
            "Use: asd plugins, or asd plugins new NAME",
        )
    found = registry()
    rows = [("kind", "name", "provider", "version", "")]
    for kind in (*KINDS, "experiment"):
        for name in found.choices(kind):
            provider = found.providers[kind, name]
            note = "preset" if (kind, name) in found.presets else ""
            rows.append((kind, name, provider.name, provider.version, note))
    _print_columns(rows)
    for label, reason in found.failures.items():
        print(f"\n{label} failed to load: {' '.join(reason.split())}")


def _new_plugin(name: str) -> None:
    from .skeleton import write_skeleton

    folder, part = write_skeleton(name)
    print(f"{folder} holds a detector, a scorer and a writer, each called {part}. Go on with:")
    print(f'  python -m pip install -e "./{folder}[test]"')
    print(f"  pytest {folder}")
    print(f"  asd run FILE experiment={part}")


def _weights(words: list[str]) -> None:
    from ..registry import registry
    from ..weights import fetch, status

    known = {w.name: w for c in registry().components.values() for w in c.weights}
    if words in (["list"], ["verify"]):
        rows = [("name", "state", "bytes", "licence", "where")]
        damaged = {}
        for name in sorted(known):
            found = status(known[name])
            if found.state == "damaged":
                damaged[name] = f"{name} ({found.fault})"
            size = known[name].size_bytes
            where = str(found.path or known[name].url)
            rows.append((name, found.state, str(size or "?"), known[name].licence, where))
        _print_columns(rows)
        if words == ["verify"] and damaged:
            raise InputError(
                f"Damaged: {', '.join(damaged.values())}",
                f"Remove what is damaged, then: asd weights fetch {' '.join(damaged)}",
            )
    elif words[:1] == ["fetch"] and len(words) > 1:
        for name in words[1:]:
            if name not in known:
                raise ConfigError(
                    f"There are no weights {name!r}; there are {', '.join(sorted(known))}"
                )
        for name in words[1:]:
            print(fetch(known[name]))
    else:
        raise ConfigError(
            f"asd weights does not know {' '.join(words) or 'what to do'!r}",
            "Use: asd weights list, asd weights fetch NAME ..., or asd weights verify",
        )


def _print_columns(rows: Sequence[Sequence[Any]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
