"""Help tells of every option, is quick, and is what the docs say."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from checkout import DOCS

from asdkit.core.batch.settings import BATCH
from asdkit.core.cli.help import app_help, attributes
from asdkit.core.config.compose import RUN, compose_run
from asdkit.core.config.plan import make_plan
from asdkit.core.evaluation.settings import CALIBRATE, EVALUATE
from asdkit.core.finished.settings import WRITE
from asdkit.core.live.plan import LIVE
from asdkit.export.settings import EXPORT


def test_help_is_quick_and_light():
    """The time itself is not asserted; what costs it is."""
    code = (
        "import sys; from asdkit.core.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'cv2', 'numpy', 'hydra', 'av', 'scipy', 'rich'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "asd run FILE" in done.stdout


def test_help_of_run_tells_of_every_option(asd):
    code, out, _ = asd("run", "detector=boxes", "--help")
    assert code == 0
    assert "detector.path=???" in out
    for name, said in attributes(type(make_plan(compose_run([], "x")).options)).items():
        assert said, name
        assert name in out
    assert "asd run detector=yunet --help" in out


@pytest.mark.usefixtures("own_alone")
def test_options_in_the_docs_are_those_of_the_program():
    documented = (DOCS / "options.md").read_text()
    for app in (RUN, LIVE, BATCH, WRITE, EVALUATE, CALIBRATE, EXPORT):
        assert app_help(app, []) in documented


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["help"], "asd weights fetch NAME"),
        (["help", "help"], "asd weights fetch NAME"),
        (["help", "weights"], "fetch NAME ...   download some"),
        (["--help", "weights"], "fetch NAME ...   download some"),
        (["weights", "help"], "fetch NAME ...   download some"),
        (["weights", "list", "--help"], "fetch NAME ...   download some"),
        (["compare", "a", "-h"], "output=VALUE     where the table goes"),
        (["repeat", "a", "--foo", "-h"], "says what differs, number for number"),
        (["help", "export", "check"], "Repeats the proof of a bundle"),
        (["export", "check", "--help"], "calibration=VALUE     of an int8 bundle, a video"),
        (["help", "demo"], "Makes a clip on the spot"),
        (["-h"], "asd weights fetch NAME"),
        (["demo", "-h"], "Makes a clip on the spot"),
        (["plugins", "--help"], "into the folder asdkit-NAME"),
        (["plugins", "new", "--help"], "into the folder asdkit-NAME"),
        (["weights", "--help"], "fetch NAME ...   download some"),
        (["weights", "fetch", "-h"], "fetch NAME ...   download some"),
        (["compare", "--help"], "output=VALUE     where the table goes"),
        (["repeat", "--help"], "says what differs, number for number"),
    ],
)
def test_help_of_the_other_commands(asd, words, says):
    code, out, err = asd(*words)
    assert (code, err) == (0, "")
    assert says in out
    named = next((word for word in words if word[0] != "-" and word != "help"), "demo")
    if named != "demo":
        assert out.startswith(f"usage: asd {named}")


def test_help_of_run_is_had_in_any_way(asd):
    shown = asd("run", "--help")
    for words in (["help", "run"], ["--help", "run"], ["run", "help"], ["run", "x.mp4", "-h"]):
        assert asd(*words) == shown


@pytest.mark.parametrize(
    "words", [["--version"], ["-V"], ["run", "--version"], ["weights", "--version"]]
)
def test_version(asd, words):
    code, out, _ = asd(*words)
    assert code == 0
    assert out.startswith("asdkit 0.")


def test_no_command(asd):
    code, out, _ = asd()
    assert code == 2
    assert "asd run FILE" in out


@pytest.mark.usefixtures("own_alone")
def test_help_of_export_tells_of_every_option(asd):
    code, out, _ = asd("export", "precision=int8", "--help")
    assert code == 0
    assert "precision=int8 " in out
    assert "asd export check FOLDER" in out
    for name, said in attributes(EXPORT.options).items():
        assert said, name
        assert f"  {name}=" in out
    heading = r"scorer=talknet  \(of ensemble, light_asd,[\w,\s]*,\s+talknet,\s+talknet_onnx\)"
    assert re.search(heading, out)


@pytest.mark.parametrize("width", [50, 80, 120])
@pytest.mark.parametrize("words", [[], ["run"], ["export"], ["weights"], ["compare"], ["repeat"]])
def test_help_is_as_wide_as_the_terminal(asd, monkeypatch, words, width):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", str(width))
    wide = asd("help", *words)[1]
    lines = [line for line in wide.splitlines() if not line.startswith(("usage: ", "asd "))]
    names = ("  writers=[", "  scorer.window_seconds=", "  detector.", "  conversation.")
    assert max(len(x) for x in lines if not x.startswith(names)) <= min(width, 100)
    assert "\x1b" not in wide
    monkeypatch.setattr("sys.stdout.isatty", lambda: False, raising=False)
    plain = asd("help", *words)[1]
    assert "".join(plain.split()) == "".join(wide.split())
