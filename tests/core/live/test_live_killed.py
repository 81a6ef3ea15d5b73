"""What ends a session, and leaves whole results; and clients that do not."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from enduring import PATIENCE_S, QUICK, installed_in, known, whole
from streams import Sender, pieces_of, to_pipe
from synth import clicks, steady, write_video

import asdkit

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
LIMITED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.argv = ["asd", *sys.argv[2:]]
from asdkit.__main__ import main
main()
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Quick parts, found as a stranger's are."""
    with pytest.MonkeyPatch.context() as patch:
        folder = installed_in(tmp_path_factory.mktemp("site"))
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", str(folder))
        known()
        yield folder
    known()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "talk.ts"
    sounds = [(0.0, clicks(np.arange(0.1, 4.0, 0.05), 4.0))]
    return write_video(path, frames=100, keyframe_every=5, image=steady, sounds=sounds)


def lines(folder: Path) -> int:
    file = folder / "events.jsonl"
    return file.read_bytes().count(b"\n") if file.exists() else 0


def ended_by(what: signal.Signals, clip: Path, folder: Path, interrupt_after: int) -> int:
    """The exit code of a session that reads a pipe and gets a signal after so many events.

    The pipe falls silent before the session could end by itself.
    """
    reading, writing = os.pipe()
    words = ["live", "-", *QUICK, f"output={folder}"]
    with (
        os.fdopen(reading, "rb") as end,
        subprocess.Popen(
            [sys.executable, "-m", "asdkit", *words],
            stdin=end,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process,
        Sender(pieces_of(clip), to_pipe(writing), held_s=3.0),
    ):
        limit = time.monotonic() + PATIENCE_S
        while lines(folder) < interrupt_after and time.monotonic() < limit:
            time.sleep(0.01)
        process.send_signal(what)
        try:
            return process.wait(PATIENCE_S)
        finally:
            process.kill()


@pytest.mark.slow
def test_ctrl_c_ends_it_in_good_order(site, clip, tmp_path, interruptible):
    assert ended_by(signal.SIGINT, clip, tmp_path / "out", 6) == 130
    assert whole(tmp_path / "out")[-1].about["why"] == "stopped"


@pytest.mark.slow
def test_a_killed_session_leaves_whole_lines_and_parts(site, clip, tmp_path):
    """Another session may take its folder, and leaves nothing of it."""
    folder = tmp_path / "out"
    assert ended_by(signal.SIGKILL, clip, folder, 8) == -signal.SIGKILL
    before = whole(folder, ended=False)
    assert len(before) >= 8
    with asdkit.live(
        str(clip), [*QUICK, f"output={folder}", "pace=fast", "overwrite=true"]
    ) as again:
        again.run()
    assert whole(folder)[-1].time_s == pytest.approx(4.0, abs=0.04)


@pytest.mark.slow
@pytest.mark.parametrize("most", [600, 2000])
def test_a_full_disk_ends_it_in_a_line_and_leaves_what_is_whole(site, clip, tmp_path, most):
    """No file may be larger: within the first events, or within a part's results."""
    folder = tmp_path / "out"
    words = ["live", str(clip), *QUICK, "pace=fast", f"output={folder}"]
    run = subprocess.run(
        [sys.executable, "-c", LIMITED, str(most), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2, run.stderr
    said = [line for line in run.stderr.splitlines() if "Cannot write" in line or "full" in line]
    assert said, run.stderr
    assert "Traceback" not in run.stderr
    if (folder / "events.jsonl").exists():
        text = (folder / "events.jsonl").read_text()
        assert text == "" or text.endswith("\n")
    for part in folder.glob("parts/[0-9]*"):
        assert "." not in part.name
        asdkit.Result.load(part / "result.json")


def test_a_failing_part_ends_it_and_says_so(site, clip, tmp_path, monkeypatch):
    import quick_parts

    def fails(self, clips):
        raise RuntimeError("no more")

    monkeypatch.setattr(quick_parts.Loud, "score", fails)
    folder = tmp_path / "out"
    with (
        pytest.raises(asdkit.AsdError, match=r"scorer=loud .* RuntimeError: no more"),
        asdkit.live(str(clip), [*QUICK, f"output={folder}", "pace=fast"]) as session,
    ):
        session.run()
    assert "no more" in whole(folder)[-1].about["why"]


def fetch(url: str, path: str) -> socket.socket:
    """Ask for something of a session's page, and read nothing."""
    at = urlsplit(url)
    client = socket.create_connection((at.hostname, at.port))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    ask = f"GET {path}?{at.query} HTTP/1.1\r\nHost: {at.netloc}\r\n\r\n"
    client.sendall(ask.encode())
    return client


@pytest.mark.slow
@pytest.mark.parametrize("client", ["reads nothing", "closes in the middle"])
def test_a_client_neither_ends_nor_delays_it(site, tmp_path, client):
    """Handed over without waiting: so many events that they do not fit into any socket."""
    pytest.importorskip("aiohttp")
    feed = asdkit.LiveFeed(live=False, sound=False)
    image = steady(0, 96, 64)

    def hand_over() -> None:
        for number in range(1000):
            feed.picture(image, number / 25)
        feed.end()

    thread = threading.Thread(target=hand_over)
    thread.start()
    clients = []
    folder = tmp_path / "out"
    options = [*QUICK, "serve=true", "port=0", "allow_silent=true", "live.part_s=20"]
    with asdkit.live(feed, [*options, f"output={folder}"]) as session:
        for event in session:
            if event.event == "begun":
                clients = [fetch(session.url, path) for path in ["/events"] * 3]
            if event.event == "faces" and event.time_s > 10 and client == "closes in the middle":
                while clients:
                    clients.pop().close()
    thread.join()
    for one in clients:
        one.close()
    assert whole(folder)[-1].time_s == pytest.approx(40.0, abs=0.04)
