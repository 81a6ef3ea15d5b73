"""`asd live`: its arguments, what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import repeat
from pathlib import Path

import pytest
from faked_live import SUMMARY, TOLD, FakeSession

from asdkit.core.cli.arguments import split_source
from asdkit.core.cli.help import attributes
from asdkit.core.errors import InputError
from asdkit.core.live.lines import event_of
from asdkit.core.live.options import CaptureConfig
from asdkit.core.live.plan import LIVE
from asdkit.core.live.settings import LiveConfig

SECRET = "rtsp://ann:s3cret@host:554/a=b?c=d&e=${f}"


@pytest.fixture
def session(monkeypatch):
    """Has the command follow a session that tells what it is given."""

    def take(*args, **kwargs):
        fake = FakeSession(*args, **kwargs)
        monkeypatch.setattr("asdkit.core.live.session.LiveSession", fake)
        return fake

    return take


@pytest.mark.parametrize(
    ("words", "source", "rest"),
    [
        (["camera"], "camera", []),
        (["hop=1", "camera:1", "pace=real"], "camera:1", ["hop=1", "pace=real"]),
        ([SECRET, "end_s=3"], SECRET, ["end_s=3"]),
        (["end_s=3", "udp://0.0.0.0:5000"], "udp://0.0.0.0:5000", ["end_s=3"]),
        (["dshow:My=Camera"], "dshow:My=Camera", []),
        (["-", "output=-"], "-", ["output=-"]),
        (["live.hop_s=0.1", "--", "-talk=1.mp4"], "-talk=1.mp4", ["live.hop_s=0.1"]),
        (["source=camera", "--cfg", "job"], None, ["source=camera", "--cfg", "job"]),
        (["--config-dir", "a:b", "my talk.mp4"], "my talk.mp4", ["--config-dir", "a:b"]),
    ],
)
def test_the_source_is_told_from_options(words, source, rest):
    assert split_source(words, LIVE.keys) == (source, rest)


def test_a_file_that_is_there_is_the_source_whatever_it_is_called():
    Path("a=b.mp4").touch()
    assert split_source(["a=b.mp4"], LIVE.keys) == ("a=b.mp4", [])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([SECRET, "a.mp4"], "Two sources were named, 'rtsp://host:554' and 'a.mp4'"),
        (["a.mp4", f"source={SECRET}"], "Two sources were named, 'a.mp4' and 'rtsp://host:554'"),
        (["camera", "pace"], "pace has no value. Use: pace=VALUE"),
        (["camera", ""], "An argument is empty"),
        (["camera", "--pace", "fast"], "--pace fast is written pace=fast"),
        (["camera", "--serve"], "--serve is written serve=true"),
        (["camera", "hop_s=0.1"], "There is no option hop_s. Did you mean live.hop_s?"),
        (["camera", "--pcae"], "There is no flag --pcae"),
        (["camera", "-m", "live.hop_s=0.1,0.2"], "asd live follows one source, but --multirun"),
        (["camera", "paec=fast"], "There is no option paec. Did you mean pace?"),
        (["camera", "output="], "output names no folder"),
        (["pace=fast"], "source is not set. Set it, as in: asd live camera, or asd live FILE"),
        ([SECRET, "pace=slow"], "pace must be real or fast, got 'slow'"),
        ([SECRET, "live.hop_s=x"], "live.hop_s"),
    ],
)
def test_what_is_wrong_with_the_arguments_is_said_without_secrets(refused, words, told):
    said = refused("live", *words)
    assert told in said
    assert "s3cret" not in said


@pytest.mark.parametrize("form", ["{}", "source={}", "source='{}'"])
@pytest.mark.parametrize(
    "source", ["rtsp://ann:s3cret@host/a=b?c=d&e=f,g", "camera:1", "-", "a b.mp4"]
)
def test_a_source_is_taken_as_it_is(asd, session, form, source):
    fake = session()
    code, _, err = asd("live", form.format(source), "sound=udp://0.0.0.0:5002?a=b", "output=out")
    assert code == 0, err
    options = fake.plan.options
    assert (options.source, options.sound) == (source, "udp://0.0.0.0:5002?a=b")


def test_what_looks_like_a_reference_of_hydra_is_none(asd, session):
    fake = session()
    assert asd("live", SECRET)[0] == 0
    assert fake.plan.options.source == SECRET


def test_an_address_alone_is_live(asd, session):
    fake = session()
    assert asd(SECRET, "end_s=3")[0] == 0
    assert (fake.plan.options.source, fake.plan.options.end_s) == (SECRET, 3)


def test_a_run_of_an_address_is_told_what_reads_it(refused):
    said = refused("run", SECRET)
    assert "asd run reads files, but rtsp://host:554 is an address. Use: asd live ADDRESS" in said
    assert "s3cret" not in said


def test_changes_are_printed_and_a_summary(asd, session):
    fake = session()
    code, out, err = asd("live", "camera")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "0:00.2  Zoë appears",
        "0:01.0  Zoë speaks",
        "0:03.0  Zoë is silent, after 2.0 s",
        *SUMMARY,
        "asd_results/camera/events.jsonl",
    ]
    assert fake.closed


def test_a_quiet_session_says_nothing(asd, session):
    session(url="http://127.0.0.1:8765/?token=x")
    assert asd("live", "camera", "quiet=true", "output=out") == (0, "", "")


def test_a_terminal_has_a_line_of_what_is_now(asd, session, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # so that rich takes it for a terminal
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "200")
    session()
    _, out, err = asd("live", "camera")
    assert "loading models" in err
    assert "speaks: \x1b[2;32mZoë" in out
    assert out.partition(f"\x1b[2K{SUMMARY[0]}\n")[2].splitlines()[:-1] == SUMMARY[1:]


def test_the_page_is_named_first(asd, session):
    session(url="http://127.0.0.1:8765/?token=x")
    _, out, _ = asd("live", "camera", "serve=true", "output=out")
    assert out.splitlines()[0] == "page: http://127.0.0.1:8765/?token=x"


def test_events_alone_go_to_stdout_and_nothing_is_written(asd, session):
    fake = session(url="http://127.0.0.1:8765/?token=x")
    code, out, err = asd("live", "camera", "serve=true", "output=-")
    assert code == 0
    assert [event_of(json.loads(line)) for line in out.splitlines()] == list(TOLD)
    assert err.splitlines() == ["page: http://127.0.0.1:8765/?token=x", *SUMMARY]
    assert (fake.results, fake.plan.options.output) == (None, None)
    assert not list(Path().iterdir())
    session()
    assert asd("live", "camera", "output=-", "quiet=true") == (0, out, "")


def test_each_line_goes_out_at_once(session, asd, monkeypatch):
    """Whoever reads them need not wait for more."""
    flushed = []

    class Stdout:
        encoding = "utf-8"

        def write(self, text):
            flushed.append(text)

        def flush(self):
            flushed.append("flush")

    session()
    monkeypatch.setattr("sys.stdout", Stdout())
    assert asd("live", "camera", "output=-", "quiet=true")[0] == 0
    assert flushed[1::2][: len(TOLD)] == ["flush"] * len(TOLD)


def test_whoever_closes_the_pipe_ends_it(asd, session, monkeypatch):
    """Into a pipe that nobody reads, of events that never end."""
    fake = session((TOLD[0], *repeat(TOLD[1], 1000), *TOLD[1:]))
    into, out = os.pipe()
    os.close(into)
    with os.fdopen(out, "w") as pipe:
        monkeypatch.setattr("sys.stdout", pipe)
        code, _, err = asd("live", "camera", "output=-")
        assert (code, err) == (1, "")
        assert fake.closed
        assert next(fake).event == "appeared"  # not to the end of them


SIGNALLED = """
import os, signal, sys
from itertools import repeat

from faked_live import TOLD, FakeSession

import asdkit.core.live.session
from asdkit.core.cli.main import main


def events(before, number):
    yield from TOLD[:before]
    os.kill(os.getpid(), number)
    yield from repeat(TOLD[3])


fake = FakeSession(events({before}, signal.{name}))
asdkit.core.live.session.LiveSession = fake
try:
    main({words})
finally:
    print(fake.stopped, fake.closed, flush=True)
"""


def signalled(*words, before=2, name="SIGINT"):
    """The command in a process of its own, which gets a signal after some of endless events."""
    script = SIGNALLED.format(before=before, name=name, words=["live", "camera", *words])
    path = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    words = [sys.executable, "-c", script]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=path)
    *out, left = done.stdout.splitlines()
    return done.returncode, out, done.stderr, left


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_ctrl_c_ends_it_in_good_order(name, code):
    got, out, err, left = signalled(name=name)
    assert (got, left) == (code, "True True")
    assert out == [
        "0:00.2  Zoë appears",
        "camera: 0:01.2",
        "nobody in sight spoke",
        "asd_results/camera/events.jsonl",
    ]
    assert err == "asd: stopped. All up to then is in asd_results/camera\n"


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_of_what_is_printed():
    code, out, err, _ = signalled("output=-", "quiet=true")
    assert code == 130
    assert json.loads(out[-1])["event"] == "ended"
    assert err == "asd: stopped\n"


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_while_models_are_loaded():
    """Nothing is read yet, so there is nothing to end in good order."""
    assert signalled("output=-", before=0) == (130, [], "asd: stopped\n", "False True")


def test_an_error_ends_it_with_status_2(asd, session):
    fake = session(TOLD[:2], fails=InputError("camera is gone", "Plug it in"))
    code, out, err = asd("live", "camera")
    assert (code, err) == (2, "asd: camera is gone. Plug it in\n")
    assert out == "0:00.2  Zoë appears\n"
    assert fake.closed


@pytest.mark.usefixtures("own_alone")
def test_help_tells_of_every_option_and_of_no_secret(asd):
    code, out, err = asd("live", SECRET, f"sound={SECRET}", "live.hop_s=0.4", "--help")
    assert (code, err) == (0, "")
    assert out.startswith("asd live SOURCE")
    assert "s3cret" not in out
    assert "live.hop_s=0.4" in out
    for group, config in (("", LIVE.options), ("live.", LiveConfig), ("capture.", CaptureConfig)):
        described = attributes(config)
        assert described
        for name in described:
            if name not in ("capture", "live", "segments", "speech", "conversation"):
                assert f"  {group}{name}=" in out
    assert asd("help", "live")[1].startswith("asd live SOURCE")


def test_the_overview_names_it(asd):
    assert "asd live SOURCE [OPTION=VALUE ...]" in asd("--help")[1]


def test_a_configuration_can_be_looked_at(asd):
    code, out, _ = asd("live", "camera:1", "live.hop_s=0.4", "--cfg", "job")
    assert code == 0
    assert "source: camera:1" in out
    assert "hop_s: 0.4" in out
