"""Bars on a terminal: one at a time, and the cursor is there again however the process ends."""

from __future__ import annotations

import io
import os
import select
import signal
import sys
import time

import pytest
from rich.console import Console
from rich.progress import Progress

from asdkit.core.bars import drawn, hidden

pty = pytest.importorskip("pty", reason="needs pseudo-terminals")
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"

DRAWING = """
import hashlib, sys, time
from rich.console import Console
from rich.progress import Progress
from asdkit.core.bars import drawn, hidden
from asdkit.core.stopping import stoppable

with stoppable(print):
    bars = Progress(console=Console(stderr=True))
    try:
        with drawn(bars):
            bars.add_task("working", total=9)
            if sys.argv[1] == "deaf":  # no signal reaches Python while this runs
                hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)
            time.sleep(60)
    except KeyboardInterrupt:
        sys.exit(7)
"""


def on_a_terminal(words, act):
    """What a process prints that is acted on once it has hidden the cursor; and its exit status."""
    process, terminal = pty.fork()
    if process == 0:
        for number in (signal.SIGINT, signal.SIGHUP):  # ignored where tests run in the background
            signal.signal(number, signal.SIG_DFL)
        os.environ["TERM"] = "xterm"
        os.execv(sys.executable, [sys.executable, *words])
    printed = ""
    acted = False
    end = time.monotonic() + 60
    while select.select([terminal], [], [], max(0, end - time.monotonic()))[0]:
        try:
            got = os.read(terminal, 1 << 16)
        except OSError:  # Linux: the other side is closed
            got = b""
        if not got:
            break
        printed += got.decode(errors="replace")
        if not acted and "working" in printed:
            acted = True
            time.sleep(0.1)  # by now it is where it stays
            act(process, terminal)
    _, status = os.waitpid(process, 0)
    os.close(terminal)
    assert acted, printed
    return printed, os.waitstatus_to_exitcode(status)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(("how", "code"), [("asleep", lambda _: 7), ("deaf", lambda n: 128 + n)])
def test_a_process_that_is_stopped_shows_the_cursor_again(number, how, code):
    printed, status = on_a_terminal(
        ["-c", DRAWING, how], lambda process, _: os.kill(process, number)
    )
    assert status == code(number)
    assert printed.rindex(SHOW) > printed.rindex(HIDE)


def test_ctrl_c_pressed_twice_shows_the_cursor_again():
    def press(_, terminal):
        for _ in range(2):
            os.write(terminal, b"\x03")
            time.sleep(0.1)

    printed, status = on_a_terminal(["-c", DRAWING, "deaf"], press)
    assert status == 128 + signal.SIGINT
    assert printed.rindex(SHOW) > printed.rindex(HIDE)


def bars():
    """Bars, and what they print."""
    printed = io.StringIO()
    return Progress(
        console=Console(file=printed, force_terminal=True), transient=True, auto_refresh=False
    ), printed


def test_outer_bars_are_taken_away_while_inner_ones_are_drawn():
    (outer, _), (inner, _) = bars(), bars()
    with drawn(outer):
        with drawn(inner):
            assert (outer.live.is_started, inner.live.is_started) == (False, True)
        assert (outer.live.is_started, inner.live.is_started) == (True, False)
    assert not outer.live.is_started


def test_an_error_inside_ends_the_drawing_too():
    (outer, printed), (inner, _) = bars(), bars()
    with pytest.raises(ZeroDivisionError), drawn(outer), drawn(inner):
        raise ZeroDivisionError
    assert not outer.live.is_started
    assert not inner.live.is_started
    assert printed.getvalue().rindex(SHOW) > printed.getvalue().rindex(HIDE)


def test_what_is_hidden_is_not_drawn():
    (quiet, printed), (loud, _) = bars(), bars()
    with hidden(), drawn(quiet):
        quiet.add_task("working", total=9)
        assert not quiet.live.is_started
    assert printed.getvalue() == ""
    with drawn(loud):
        assert loud.live.is_started
