"""The table of the commands: how each is called, and what it does."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from .layout import entry, help_width

_COLUMN = 36


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        name: The first word after asd, and the module beside this one that has its function.
        forms: Ways to call it, each with what that does.
        is_app: Whether it is a Hydra application.
    """

    name: str
    forms: tuple[tuple[str, str], ...]
    is_app: bool = False


COMMANDS = (
    Command(
        "run",
        (
            ("FILE", "find the faces of a video and who speaks when"),
            ("run FILE [OPTION=VALUE ...]", "the same, in full"),
        ),
        is_app=True,
    ),
    Command(
        "live",
        (("live SOURCE [OPTION=VALUE ...]", "who speaks now: a camera, a stream, a pipe"),),
        is_app=True,
    ),
    Command("demo", (("demo [OPTION=VALUE ...]", "try it on a clip that is made on the spot"),)),
    Command(
        "batch",
        (
            (
                "batch VIDEOS ... [OPTION=VALUE ...]",
                "the same for thousands of videos, on one machine or a cluster",
            ),
            ("batch status FOLDER", "what became of them, also while it runs"),
            ("batch table FOLDER", "one table of all turns, and of all people"),
            (
                "batch decide FOLDER OPTION=VALUE ...",
                "change thresholds of a batch that is done, without inference",
            ),
        ),
        is_app=True,
    ),
    Command(
        "write",
        (
            (
                "write RESULT writers=[NAME,...]",
                "other files of a result: formats, names, thresholds",
            ),
        ),
        is_app=True,
    ),
    Command(
        "repeat",
        (
            (
                "repeat FOLDER [OPTION=VALUE ...]",
                "run again what made the results in a folder, and compare",
            ),
        ),
    ),
    Command(
        "evaluate",
        (
            (
                "evaluate dataset=NAME [OPTION=VALUE ...]",
                "how well a configuration does on labelled videos, at what cost",
            ),
        ),
        is_app=True,
    ),
    Command("compare", (("compare FOLDER ...", "one table of evaluations, best first"),)),
    Command(
        "calibrate",
        (("calibrate dataset=NAME [OPTION=VALUE ...]", "make probabilities mean what they say"),),
        is_app=True,
    ),
    Command(
        "train",
        (
            (
                "train dataset=NAME [OPTION=VALUE ...]",
                "train a scorer on labelled faces, and measure it on others",
            ),
        ),
        is_app=True,
    ),
    Command(
        "export",
        (
            (
                "export [OPTION=VALUE ...]",
                "write a scorer's network as ONNX, and prove that it is the same",
            ),
            ("export check FOLDER", "repeat the proof"),
        ),
        is_app=True,
    ),
    Command(
        "data",
        (
            (
                "data crops RESULT ...|dataset=NAME",
                "cut training data out of labelled videos, or out of your own with their results",
            ),
            ("data check RESULT ...|dataset=NAME", "find what breaks trainings in labelled data"),
            (
                "data dialogues clips=FOLDER",
                "make synthetic dialogues out of clips of single people",
            ),
        ),
    ),
    Command(
        "doctor",
        (("doctor", "what works on this machine, how fast, what is missing, and what to do"),),
    ),
    Command(
        "plugins",
        (
            ("plugins", "list what can be chosen: components of each kind, and presets"),
            (
                "plugins new NAME [kind=KIND]",
                "write a plugin of your own, to change, into asdkit-NAME",
            ),
        ),
    ),
    Command(
        "weights",
        (
            ("weights list", "list the published weights and where they are"),
            ("weights fetch NAME ...", "download weights"),
            ("weights verify", "check the weights that are here"),
        ),
    ),
)
NAMES = tuple(command.name for command in COMMANDS)
APPS = tuple(command.name for command in COMMANDS if command.is_app)
"""The commands that are Hydra applications."""
_OPTIONS = (
    ("detector=mtcnn|yunet|s3fd|boxes", "who finds the faces"),
    ("scorer=talknet|lr_asd|light_asd|lip_motion", "who judges them"),
    (
        "embedder=mobilefacenet|facenet identities=DIR",
        "who is who, by name if there are portraits of them",
    ),
    ("vad=energy|silero", "nobody speaks without a voice; what is spoken off screen"),
    (
        "experiment=fast|accurate|offline|reference",
        "several settings at once; offline needs no download",
    ),
    ("device=auto|cpu|cuda|cuda:N", "where to compute"),
    ("output=FOLDER overwrite=true", "where the results go; replace what is there"),
    ("output=-", "print the result as JSON instead, for a pipe"),
    ("quiet=true", "print nothing but errors"),
    ("resume=true", "go on with a run that was stopped or killed"),
    ("start_s=10 end_s=20", "process a part"),
    ("writers=[json,rttm,annotated]", "which files to write"),
)
_END = (
    "asd run --help, or asd help run, tells of all options; every other command has help, too.",
    "Options with several values, and --multirun, try all of them: asd run FILE -m "
    "detector=mtcnn,yunet",
)


def overview() -> str:
    """The help of `asd`, in lines that fit the terminal."""
    width = help_width()
    lines = ["asd - say which visible face is speaking, frame by frame", ""]
    for command in COMMANDS:
        for form, about in command.forms:
            lines += entry(f"asd {form}", about, _COLUMN, width)
    lines += ["", "Common options of asd run:"]
    for form, about in _OPTIONS:
        lines += entry(form, about, _COLUMN, width)
    lines.append("")
    for text in _END:
        lines += textwrap.wrap(text, width)
    return "\n".join(lines) + "\n"
