"""Weights are downloaded whole or not at all, and errors say what to do."""

from __future__ import annotations

import hashlib
import io
import os
import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pooch
import pytest
import requests
from hello import HELLO, HELLO_GIT, HELLO_SHA256, Server, make, names, send, written
from refusing import refusal

from asdkit.core import download as downloading
from asdkit.core.errors import WeightsError
from asdkit.core.weights import Weights, WeightsStatus, fetch, locate, status

pytestmark = pytest.mark.usefixtures("cache")


def refused(weights: Weights, get: Callable[[Weights], Path] = locate) -> str:
    """The error, checked for what every failed download must say, as one line."""
    text = refusal(WeightsError, get, weights)
    for part in (
        weights.name,
        weights.url,
        weights.local,
        os.environ["ASDKIT_CACHE"],
        "asd weights fetch hello_small",
        "ASDKIT_WEIGHTS",
        "experiment=offline",
    ):
        assert part in text
    return text


@pytest.mark.parametrize("get", [locate, fetch])
@pytest.mark.parametrize("check", [HELLO_SHA256, HELLO_GIT, ""])
def test_a_download_is_kept_under_the_local_name(
    server: Server, cache: Path, check: str, get: Callable[[Weights], Path]
):
    weights = make(server.url, check)
    assert status(weights) == WeightsStatus(None, "missing")
    path = get(weights)
    assert path == cache / "hello_small.model"
    assert path.read_bytes() == HELLO
    assert names(cache) == [path.name]
    assert get(weights) == path
    assert server.requests == 1


def test_a_download_has_the_usual_permissions(server: Server, tmp_path: Path):
    usual = written(tmp_path / "usual").stat().st_mode
    assert locate(make(server.url)).stat().st_mode == usual


def test_a_download_of_several_blocks(server: Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(downloading, "BLOCK_BYTES", 7)
    content = bytes(range(200))
    server.answer = send(content)
    check = f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert locate(make(server.url, check)).read_bytes() == content


def test_fetch_fills_the_cache_beside_the_folder(server: Server, folder: Path, cache: Path):
    written(folder / "hello.model")
    assert fetch(make(server.url)) == cache / "hello_small.model"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_a_bar(server: Server, monkeypatch: pytest.MonkeyPatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    locate(make(server.url))
    assert "hello_small" in terminal.getvalue()
    assert "/6 bytes" in terminal.getvalue()


def test_a_log_file_sees_no_bar(server: Server, capfd: pytest.CaptureFixture[str]):
    locate(make(server.url))
    assert capfd.readouterr() == ("", "")


def test_a_damaged_file_in_the_cache_is_replaced(server: Server, cache: Path):
    path = written(cache / "hello_small.model", b"hell")
    assert status(make()).state == "damaged"
    assert locate(make(server.url)) == path
    assert path.read_bytes() == HELLO


def test_a_damaged_file_stays_until_a_whole_one_is_there(server: Server, cache: Path):
    path = written(cache / "hello_small.model", b"hell")
    server.answer = send(b"hello", code=503)
    text = refused(make(server.url))
    assert "are damaged" in text
    assert "HTTP 503" in text
    for part in (HELLO_SHA256, hashlib.sha256(b"hell").hexdigest()):
        assert part in text
    assert path.read_bytes() == b"hell"
    assert names(cache) == [path.name]


def stall(handler: BaseHTTPRequestHandler) -> None:
    """Send the first half, then nothing."""
    send(HELLO[:3], claimed=len(HELLO))(handler)
    handler.wfile.flush()
    handler.server.ended.wait()


def no_answer(handler: BaseHTTPRequestHandler) -> None:
    handler.server.ended.wait()


def endless_redirect(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(302)
    handler.send_header("Location", handler.path)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


@pytest.mark.parametrize(
    ("answer", "check", "reason"),
    [
        (send(b"other"), HELLO_SHA256, f"failed: expected {HELLO_SHA256}, got sha256:"),
        (send(b"other"), HELLO_GIT, f"failed: expected {HELLO_GIT}, got git:"),
        (send(b"<!doctype html>"), HELLO_SHA256, "a web page of 15 bytes"),
        (send(b"<!doctype html>"), "", "got a web page of 15 bytes"),
        (send(b""), "", "got a file of 0 bytes"),
        (send(HELLO, code=404), HELLO_SHA256, "failed: HTTP 404 Not Found"),
        (send(HELLO, code=500), "", "failed: HTTP 500"),
        (send(HELLO[:3], claimed=len(HELLO)), HELLO_SHA256, "failed: "),
        (stall, HELLO_SHA256, "timed out"),
        (no_answer, HELLO_SHA256, "timed out"),
        (lambda handler: handler.wfile.write(b"nonsense\r\n"), HELLO_SHA256, "nonsense"),
        (lambda handler: None, HELLO_SHA256, "closed connection"),
        (endless_redirect, HELLO_SHA256, "redirects"),
    ],
)
def test_a_bad_answer_leaves_nothing_behind(
    server: Server,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[BaseHTTPRequestHandler], None],
    check: str,
    reason: str,
):
    server.answer = answer
    monkeypatch.setattr(downloading, "TIMEOUTS_S", (5.0, 0.1))
    text = refused(make(server.url, check))
    assert "are missing" in text
    assert reason in text
    assert names(cache) == []


def test_a_wrong_size_is_refused_where_no_hash_is_published(server: Server, cache: Path):
    text = refused(make(server.url, "", size=7))
    assert "expected a file of 7 bytes, got a file of 6 bytes" in text
    assert names(cache) == []


def test_a_refused_connection(cache: Path):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    text = refused(make(f"http://127.0.0.1:{port}/hello.model"))
    assert "ConnectionError" in text
    assert "refused" in text
    assert "ASDKIT_WEIGHTS is not set" in text
    assert names(cache) == []


def test_an_error_names_the_folder_too(folder: Path):
    assert f"not in {folder} (ASDKIT_WEIGHTS)" in refused(make())


def test_fetch_does_not_claim_to_have_looked_in_the_folder(folder: Path):
    written(folder / "hello.model")
    assert str(folder) not in refused(make(), fetch)


def test_an_unknown_host(monkeypatch: pytest.MonkeyPatch):
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    text = refused(make("http://weights.invalid/hello.model"))
    assert "ConnectionError" in text
    assert "Name not known" in text


def test_a_server_without_tls(server: Server):
    assert "SSLError" in refused(make(server.url.replace("http:", "https:")))


def test_the_waits_are_short(monkeypatch: pytest.MonkeyPatch):
    waits = []

    def get(url: str, *, timeout: tuple[float, float], **_: object) -> None:
        waits.append(timeout)
        raise requests.ConnectTimeout("no answer")

    monkeypatch.setattr(requests, "get", get)
    assert "ConnectTimeout: no answer" in refused(make())
    assert waits == [(5, 30)]


def test_a_dead_proxy(monkeypatch: pytest.MonkeyPatch):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert "ProxyError" in refused(make("http://weights.invalid/hello.model"))


@pytest.mark.parametrize("url", ["http://[", "weights/hello.model", "nonsense://host/hello.model"])
def test_an_address_that_is_none(url: str):
    refused(make(url))


def test_a_cache_that_cannot_be_made(server: Server, cache: Path):
    written(cache, b"a file where the folder should be")
    assert "FileExistsError" in refused(make(server.url))


def test_an_interrupt_leaves_nothing_behind(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
):
    seen = []

    def interrupted(self: object, url: str, output_file: str, _: None) -> None:
        seen.append(written(Path(output_file), HELLO[:3]))
        raise KeyboardInterrupt

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        locate(make(server.url))
    assert seen[0].is_relative_to(cache)
    assert names(cache) == []


def test_parallel_downloads_do_not_meet(server: Server, cache: Path):
    together = threading.Barrier(2, timeout=10)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        together.wait()  # both are under way before either gets a byte
        send(HELLO)(handler)

    server.answer = answer
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(locate(make(server.url)))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [cache / "hello_small.model"] * 2
    assert found[0].read_bytes() == HELLO
    assert names(cache) == ["hello_small.model"]
