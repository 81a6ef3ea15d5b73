"""The command `asd`: reads the arguments, hands them on, prints what came of it."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import AsdError, ConfigError, InputError
from .version import __version__

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from .config import Plan
    from .hydra_app import AtEnd, Job
    from .schemas import App
    from .types import Result

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
  start_s=10 end_s=20               process a part
  writers=[json,rttm,annotated]     which files to write

asd run --help tells of all options; batch, evaluate, calibrate and export have a --help, too.
Options with several values, and --multirun, try all of them: asd run FILE -m detector=mtcnn,yunet
"""

_DEMO_CLIP = "demo.mp4"
_APPS = ("run", "batch", "evaluate", "calibrate", "export")
"""Commands that are Hydra applications, with a help of their own."""
_HELP = {"-h", "--help"}
_OVERRIDE = re.compile(r"(\+{1,2}|~)?[A-Za-z_][\w.@/:-]*=", re.ASCII)
_TAKES_VALUE = {"--config-path", "-cp", "--config-name", "-cn", "--config-dir", "-cd"}
_TAKES_VALUE |= {"--package", "-p", "--cfg", "-c", "--info", "-i", "--experimental-rerun"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; exits 0, or 2 after one line about what the user can mend."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a file's name may hold what it cannot show
            stream.reconfigure(errors="replace")
    words = list(sys.argv[1:] if arguments is None else arguments)
    commands: dict[str, Callable[[list[str]], None]] = {
        "run": _run,
        "demo": _demo,
        "batch": _batch,
        "repeat": _repeat,
        "evaluate": _evaluate,
        "compare": _compare,
        "calibrate": _calibrate,
        "export": _export,
        "plugins": _plugins,
        "weights": _weights,
    }
    asks_help = bool(_HELP & set(words)) and words[0] not in _APPS
    if not words or asks_help or words[0] == "help":
        print(USAGE, end="")
        sys.exit(0 if words else 2)
    if words[0] == "--version":
        print(f"asdkit {__version__}")
        return
    logging.basicConfig(format="asd: %(message)s", level=logging.WARNING)
    try:
        if words[0] in ("-sc", "--shell-completion"):
            _complete(words, commands)
        elif words[0] in commands:
            commands[words[0]](words[1:])
        else:
            raise ConfigError(
                f"There is no command {words[0]!r}; there are {', '.join(commands)}",
                f"To process a video: asd run {words[0]}" if Path(words[0]).exists() else "",
            )
    except AsdError as error:
        if os.environ.get("ASDKIT_DEBUG"):
            raise
        from .console import say

        say(error)
        sys.exit(2)
    except KeyboardInterrupt:
        print("\nasd: stopped", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def split_video(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """Take the video out of the arguments of `asd run`; the rest is Hydra's.

    The first plain argument that names an existing file is the video, whatever its name holds.
    Else it is the argument that has not the form of an override, or what follows `--`.

    Raises:
        ConfigError: Two arguments are videos.
    """
    videos: list[str] = []
    overrides: list[str] = []
    plain, flags = _parted(words)
    for word in plain:
        if not videos and os.path.exists(word):  # noqa: PTH110 - a Path would change the name
            videos.append(word)
        elif _is_override(word):
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


def _parted(words: Sequence[str]) -> tuple[list[str], list[str]]:
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


def _run(words: list[str]) -> None:
    video, overrides = split_video(words)
    from .config import RUN

    _run_app(RUN, overrides, _report, video)


def _run_app(
    app: App, words: list[str], job: Job, video: str | None = None, at_end: AtEnd | None = None
) -> None:
    """Run a Hydra application, or show its help."""
    if _HELP & set(words):
        from .help import app_help

        print(app_help(app, [word for word in words if _is_override(word)]), end="")
        return
    if "--" in words:
        raise ConfigError(
            f"asd {app.name} takes no arguments after --", "Leave it out: options are KEY=VALUE"
        )
    from .hydra_app import run_app

    plain, flags = _parted(words)
    run_app(app, [*plain, *flags], job, video, at_end)


def _is_override(word: str) -> bool:
    return bool(_OVERRIDE.match(word)) or word.startswith("~")


def _report(config: DictConfig, output: str | None = None) -> None:
    """Run what was composed, showing progress and summary."""
    from .config import make_plan

    _execute(make_plan(config), output)


def _execute(plan: Plan, output: str | None = None) -> Result:
    from dataclasses import replace

    from .console import ProgressLine, print_summary
    from .pipeline import execute

    if output:
        plan = replace(plan, options=replace(plan.options, output=output))
    with ProgressLine() as progress:
        result = execute(plan, progress)
    print_summary(result)
    return result


def _batch(words: list[str]) -> None:
    from .batch.settings import BATCH

    _run_app(BATCH, _in_shards(words), _report_batch)


def _in_shards(words: list[str]) -> list[str]:
    """The arguments of `asd batch`, one job a shard if there are several or a launcher is named."""
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

    try:
        found = OverridesParser.create().parse_overrides([f"{k}={v}" for k, v in given.items()])
    except HydraException:
        return  # which Hydra will tell of
    swept = [o.key_or_group for o in found if o.is_sweep_override() and o.key_or_group != "shard"]
    if swept and "${" not in given.get("output", ""):
        raise ConfigError(
            f"All jobs of a sweep over {', '.join(swept)} would write to one output folder",
            "Give each its own, as in: 'output=results/${" + f"{swept[0]}" + "}'",
        )


def _report_batch(config: DictConfig, _: str | None = None) -> None:
    from .batch.run import run_batch

    run_batch(config, partial(print, flush=True))  # a log is to be read while it grows


def _evaluate(words: list[str]) -> None:
    from .evaluation.settings import EVALUATE

    _run_app(EVALUATE, words, _report_evaluation, at_end=_print_comparison)


def _report_evaluation(config: DictConfig, output: str | None = None) -> float | None:
    """Evaluate what was composed; the number is for sweepers."""
    from .console import ProgressLine, print_evaluation
    from .evaluation.dataset import make_dataset_plan
    from .evaluation.elsewhere import elsewhere
    from .evaluation.evaluate import evaluate
    from .evaluation.settings import EVALUATE

    plan = make_dataset_plan(EVALUATE, config)
    folder = Path(output or plan.options.output)
    with ProgressLine() as progress, elsewhere(plan, progress) as compute:
        # In a sweep by a process of its own, so that memory is that of this configuration alone.
        found = evaluate(plan, folder, print, progress, compute if output else None)
    print_evaluation(found, folder)
    value: float | None = found["measure"]["value"]
    return value


def _print_comparison(folder: Path, began_s: float) -> None:
    """Compare what a multirun has evaluated; an earlier one may have left jobs in its folder."""
    from .console import print_comparison
    from .evaluation.compare import write_comparison

    found = [path for path in folder.glob("*/evaluation.json") if path.stat().st_mtime >= began_s]
    if found:
        print_comparison(write_comparison(found, folder), folder)


def _compare(words: list[str]) -> None:
    given = [word.split("=", 1)[1] for word in words if word.startswith("output=")]
    folders = [Path(word) for word in words if not word.startswith("output=")]
    if not folders or len(given) > 1:
        raise ConfigError(
            "asd compare takes folders that hold evaluations, and perhaps output=FOLDER",
            "Use: asd compare FOLDER ...",
        )
    output = Path(given[0] if given else "asd_comparison")
    from .console import print_comparison
    from .evaluation.compare import write_comparison

    print_comparison(write_comparison(folders, output), output)


def _calibrate(words: list[str]) -> None:
    from .evaluation.settings import CALIBRATE

    _run_app(CALIBRATE, words, _report_calibration)


def _report_calibration(config: DictConfig, output: str | None = None) -> None:
    from .console import ProgressLine, print_calibration
    from .evaluation.dataset import make_dataset_plan
    from .evaluation.fitting import fit_calibration
    from .evaluation.settings import CALIBRATE

    plan = make_dataset_plan(CALIBRATE, config)
    path = Path(output, "calibration.json") if output else Path(plan.options.output)
    with ProgressLine() as progress:
        fitted = fit_calibration(plan, path, print, progress)
    print_calibration(fitted, path)


def _repeat(words: list[str]) -> None:
    folders = [word for word in words if not _is_override(word) or os.path.isdir(word)]  # noqa: PTH112
    if len(folders) != 1:
        raise ConfigError(
            f"asd repeat takes one folder of results, but got {' '.join(folders) or 'none'}",
            "Use: asd repeat FOLDER [output=FOLDER]",
        )
    folder = Path(folders[0]).resolve()
    overrides = [word for word in words if word != folders[0]]
    if (folder / "evaluation.json").exists() and not (folder / "result.json").exists():
        found = _evaluate_again(folder, overrides)
    else:
        from .repeat import begin_again

        again = begin_again(folder, overrides)
        _return_to(again.folder)
        found = again.differences(_execute(again.plan()))
    print("\n".join(found) if found else "The same as before, number for number")


def _evaluate_again(folder: Path, overrides: list[str]) -> list[str]:
    """Make an evaluation again; what differs."""
    from .console import ProgressLine, print_evaluation
    from .evaluation.again import differences, plan_again, read_evaluation
    from .evaluation.evaluate import evaluate

    if any(not word.startswith("output=") for word in overrides) or len(overrides) > 1:
        raise ConfigError(
            f"Of an evaluation asd repeat takes only output=FOLDER, but got {' '.join(overrides)}",
            "To change options use asd evaluate",
        )
    given = overrides[0].partition("=")[2] if overrides else f"{folder}-again"
    output = Path(given).absolute()
    before = read_evaluation(folder)
    _return_to(Path(before["provenance"].get("folder", ".")))
    with ProgressLine() as progress:
        now = evaluate(plan_again(before), output, print, progress)
    print_evaluation(now, output)
    return differences(before, now)


def _return_to(folder: Path) -> None:
    """Go where a run was started: relative paths in its settings mean files there."""
    if folder.is_dir():
        os.chdir(folder)


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
        done = [word for word in done if _OVERRIDE.match(word)]
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
    from .config import RUN

    _run_app(RUN, [*overrides, *words], _report_demo, _DEMO_CLIP)


def _report_demo(config: DictConfig, output: str | None = None) -> None:
    """Make the demo clip in the output folder, run on it and compare with the truth."""
    from .config import make_plan
    from .demo import frames_right, make_clip

    folder = Path(output or config.output)
    truth = make_clip(folder / _DEMO_CLIP)
    config.video = str(folder / _DEMO_CLIP)
    result = _execute(make_plan(config), output)
    right, judged = frames_right(result, truth)
    print(f"{right} of {judged} frames right ({100 * right / max(judged, 1):.1f} %)")


def _export(words: list[str]) -> None:
    from ..export.settings import EXPORT

    if words[:1] == ["check"] and not _HELP & set(words):
        _check(words[1:])
    else:
        _run_app(EXPORT, words, _report_export)


def _report_export(config: DictConfig, _: str | None = None) -> None:
    """Export what was composed, and say how to run it."""
    from ..export.bundles import export
    from ..export.settings import make_export_plan

    plan = make_export_plan(config)
    folder = export(plan, print).folder
    use = f"asd run FILE scorer={plan.scorer.component.name} scorer.weights={folder}"
    print(f"{folder} is whole; to use it: {use}")


def _check(words: list[str]) -> None:
    from ..export.bundles import check, settings_to_check
    from ..export.settings import EXPORT, make_export_plan
    from .bundle import Bundle
    from .config import compose_app

    folders = [word for word in words if not _OVERRIDE.match(word)]
    if len(folders) != 1:
        raise ConfigError(
            f"asd export check takes one folder, but got {' '.join(folders) or 'none'}",
            "Use: asd export check FOLDER",
        )
    bundle = Bundle(Path(folders[0]))
    given = [word for word in words if _OVERRIDE.match(word)]
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
    from .components import KINDS, registry

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
    from .components import registry
    from .weights import fetch, status

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
