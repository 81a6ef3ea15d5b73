"""Weights are found, checked, downloaded whole or not at all, and their errors say what to do."""

from __future__ import annotations

import hashlib
import io
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pooch
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from asdkit.core import download as downloading
from asdkit.core import weights as store
from asdkit.core.errors import WeightsError
from asdkit.core.weights import Weights, WeightsStatus, fetch, locate, status

HELLO = b"hello\n"
HELLO_GIT = "git:ce013625030ba8dba906f756967f9e9ca394464a"  # git hash-object
HELLO_SHA256 = (
    "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"  # sha256sum
)
# Nothing listens here: a download that starts against expectation fails.
UNREACHABLE = "http://127.0.0.1:9/hello.model"

YUNET = Weights(
    name="yunet",
    url="http://127.0.0.1:9/face_detection_yunet_2023mar.onnx",
    published="face_detection_yunet_2023mar.onnx",
    check="sha256:8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    size_bytes=232589,
    licence="MIT",
)


def make(url: str = UNREACHABLE, check: str = HELLO_SHA256, size: int | None = None) -> Weights:
    return Weights("hello_small", url, "hello.model", check, size, "MIT")


def written(path: Path, content: bytes = HELLO) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


class Server(ThreadingHTTPServer):
    """Answers every request with `answer`, which is given the handler."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer: Callable[[BaseHTTPRequestHandler], None] = send(HELLO)
        self.requests = 0
        self.ended = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hello.model"


class Handler(BaseHTTPRequestHandler):
    """Hands each request to the server's `answer`."""

    server: Server

    def do_GET(self) -> None:
        self.server.requests += 1
        self.server.answer(self)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def send(
    content: bytes, claimed: int | None = None, code: int = 200
) -> Callable[[BaseHTTPRequestHandler], None]:
    """An answer with `content`, under a header that promises `claimed` bytes."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        handler.send_header("Content-Length", str(len(content) if claimed is None else claimed))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.ended.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, no folder of weights, and no proxy between the test and its server."""
    monkeypatch.setenv("ASDKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("ASDKIT_WEIGHTS", raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that ASDKIT_WEIGHTS names."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(folder))
    return folder


def refused(weights: Weights, get: Callable[[Weights], Path] = locate) -> str:
    """The error, checked for what every failed download must say, as one line."""
    with pytest.raises(WeightsError) as caught:
        get(weights)
    text = str(caught.value)
    assert "\n" not in text
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


# Checks


def test_local_name_is_the_name_with_the_published_suffix():
    assert make().local == "hello_small.model"


@pytest.mark.parametrize("check", ["md5:00", "sha256:00", "git:" + "0" * 64, "sha256:" + "G" * 64])
def test_an_unknown_check_is_refused(check: str):
    with pytest.raises(ValueError, match="check"):
        make(check=check)


@pytest.mark.parametrize(
    ("content", "check"),
    [
        (HELLO, HELLO_GIT),
        (HELLO, HELLO_SHA256),
        (b"", "git:e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
        (bytes(3_000_000), "git:73e77f405a9ff5ab6f54695cf10e7be6d23c9a4b"),  # longer than one block
    ],
)
def test_published_hashes_are_met(folder: Path, content: bytes, check: str):
    path = written(folder / "hello.model", content)
    assert status(make(check=check)) == WeightsStatus(path, "ok")


@given(content=st.binary(min_size=1, max_size=2000), data=st.data())
def test_any_changed_byte_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, data: st.DataObject
):
    path = tmp_path_factory.getbasetemp() / "changed"
    at = data.draw(st.integers(0, len(content) - 1))
    other = bytes([content[at] ^ data.draw(st.integers(1, 255))])
    git = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
    for check in (f"git:{git}", f"sha256:{hashlib.sha256(content).hexdigest()}"):
        path.write_bytes(content)
        assert store._fault(make(check=check), path) == ""
        for damaged in (content[:at] + other + content[at + 1 :], content[:at], content + other):
            path.write_bytes(damaged)
            assert store._fault(make(check=check), path).startswith(f"expected {check}, got ")


@pytest.mark.parametrize(
    ("content", "size", "state"),
    [
        (HELLO, None, "unchecked"),
        (HELLO, len(HELLO), "unchecked"),
        (HELLO, len(HELLO) + 1, "damaged"),
        (b"", None, "damaged"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><html>", None, "damaged"),
        (b"<html>", len(b"<html>"), "damaged"),
    ],
)
def test_without_a_published_hash_size_and_looks_decide(
    cache: Path, content: bytes, size: int | None, state: str
):
    path = written(cache / "hello_small.model", content)
    found = status(make(check="", size=size))
    assert (found.path, found.state) == (path, state)


def test_a_hash_decides_even_for_a_file_that_looks_like_a_page(cache: Path):
    content = b"<xml of weights>"
    path = written(cache / "hello_small.model", content)
    assert locate(make(check=f"sha256:{hashlib.sha256(content).hexdigest()}")) == path


# Where it is looked for


@pytest.mark.parametrize("name", ["hello.model", "hello_small.model"])
def test_the_folder_comes_before_the_cache(folder: Path, cache: Path, name: str):
    written(cache / "hello_small.model")
    path = written(folder / name)
    assert locate(make()) == path
    assert status(make()) == WeightsStatus(path, "ok")


def test_the_cache_serves_what_the_folder_lacks(folder: Path, cache: Path):
    path = written(cache / "hello_small.model")
    assert locate(make()) == path
    assert status(make()) == WeightsStatus(path, "ok")


def test_the_cache_does_not_know_published_names(cache: Path):
    written(cache / "hello.model")
    assert status(make()) == WeightsStatus(None, "missing")


def test_two_models_with_one_published_name(folder: Path):
    """The published name can hold the other model's file: each gets its own."""
    large = replace(
        make(check=f"sha256:{hashlib.sha256(b'large').hexdigest()}"), name="hello_large"
    )
    published = written(folder / "hello.model", b"large")
    local = written(folder / "hello_small.model")
    assert locate(make()) == local
    assert locate(large) == published


def test_without_a_hash_the_local_name_is_trusted_first(folder: Path):
    written(folder / "hello.model", b"of another model, perhaps")
    local = written(folder / "hello_small.model")
    assert locate(make(check="")) == local


def test_a_wrong_local_file_gives_way_to_a_right_published_one(folder: Path):
    written(folder / "hello_small.model", b"other")
    path = written(folder / "hello.model")
    assert locate(make()) == path


def test_a_wrong_file_in_the_folder_is_an_error(folder: Path, cache: Path, server: Server):
    path = written(folder / "hello.model", b"other")
    written(cache / "hello_small.model")
    with pytest.raises(WeightsError) as caught:
        locate(make(server.url))
    got = f"sha256:{hashlib.sha256(b'other').hexdigest()}"
    for part in (str(path), "hello_small", HELLO_SHA256, got, server.url, "ASDKIT_WEIGHTS"):
        assert part in str(caught.value)
    assert server.requests == 0
    found = status(make())
    assert (found.path, found.state) == (path, "damaged")
    assert HELLO_SHA256 in found.fault


def test_an_unreadable_file_in_the_folder_is_an_error(folder: Path):
    (folder / "hello_small.model").mkdir()
    with pytest.raises(WeightsError, match="cannot be read"):
        locate(make())


@pytest.mark.parametrize("get", [locate, status])
def test_a_folder_that_does_not_exist_is_an_error(
    get: Callable[[Weights], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(tmp_path / "nowhere"))
    with pytest.raises(WeightsError, match=r"ASDKIT_WEIGHTS names .*nowhere.*unset it"):
        get(make())


def test_a_file_for_a_folder_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(written(tmp_path / "hello.model")))
    with pytest.raises(WeightsError, match="not a folder"):
        locate(make())


def test_the_cache_is_the_users_own_unless_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ASDKIT_CACHE")
    assert store.cache_folder() == Path(pooch.os_cache("asdkit"))


def test_a_file_at_hand_needs_no_network_library(folder: Path):
    written(folder / "hello.model")
    code = (
        "import sys\n"
        "from asdkit.core.weights import Weights, locate\n"
        f"locate({make()!r})\n"
        "print({'pooch', 'requests', 'tqdm'} & set(sys.modules))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_the_real_yunet(shared: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch):
    path = shared("weights/face_detection_yunet_2023mar.onnx")
    monkeypatch.setenv("ASDKIT_WEIGHTS", str(path.parent))
    assert locate(YUNET) == path
    wrong = replace(YUNET, check="git:" + "0" * 40)
    with pytest.raises(WeightsError, match="232589 bytes"):
        locate(wrong)


# Downloads


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
    locate(make(server.url))
    assert "hello_small:" in terminal.getvalue()
    assert "/6.00 " in terminal.getvalue()  # its size in bytes


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
