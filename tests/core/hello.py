"""Weights of six bytes, and a server that answers as it is told to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from asdkit.core.weights import Weights

HELLO = b"hello\n"
HELLO_GIT = "git:ce013625030ba8dba906f756967f9e9ca394464a"  # git hash-object
HELLO_SHA256 = (
    "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"  # sha256sum
)
# Nothing listens here: a download that starts against expectation fails.
UNREACHABLE = "http://127.0.0.1:9/hello.model"


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
