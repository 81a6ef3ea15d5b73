"""Serves a live session to programs and browsers of this machine: its page, events and pictures."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, MissingExtraError
from ..pictures import Picture
from .clients import Clients
from .events import LiveEvent
from .stills import Pace

if TYPE_CHECKING:
    from aiohttp import web

HOST = "127.0.0.1"
_UNHEARD = logging.Logger("asdkit live server", logging.CRITICAL + 1)
"""What clients get wrong is told to them alone; lines of it would show their tokens."""


class LiveServer:
    """A server in a thread of its own, on this machine alone.

    Nothing that a client does, or does not do, holds up the caller of `publish` and `show`.

    Args:
        port: Its port; 0 takes any that is free.
        token: What must be given to be told anything; made anew if not given.
        origins: Pages of which other origins may read, such as http://localhost:3000.
        about: What it says of itself in `/state`, as plain values; the page shows `name`.
        clock: A clock that does not go back, in seconds.

    Attributes:
        token: What must be given.
    """

    def __init__(
        self,
        port: int,
        token: str | None = None,
        origins: Sequence[str] = (),
        about: Mapping[str, Any] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.token = token or secrets.token_urlsafe(16)
        self._port = port
        self._origins = origins
        self._about = about or {}
        self._clock = clock
        self._pace = Pace()
        self._clients = Clients()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = asyncio.Event()
        self._thread: threading.Thread | None = None
        self._picture: tuple[float, Picture] | None = None

    def start(self) -> str:
        """Serve from now on.

        Returns:
            The address of the page, with the token.

        Raises:
            MissingExtraError: aiohttp is not installed.
            ConfigError: The port is taken, or may not be used.
        """
        try:
            from .routes import application
        except ModuleNotFoundError as error:
            if error.name != "aiohttp":
                raise
            raise MissingExtraError("serve=true", "aiohttp", "live") from error
        bound = _bound(self._port)
        port = bound.getsockname()[1]
        hosts = [f"{host}:{port}" for host in (HOST, "localhost")]
        if port == 80:  # which browsers leave out
            hosts += [HOST, "localhost"]
        app = application(self._clients, hosts, self.token, self._origins, self._about)
        ready: Future[None] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(app, bound, ready)),
            name="asd live server",
            daemon=True,
        )
        self._thread.start()
        ready.result()
        return f"http://{HOST}:{port}/?token={self.token}"

    def publish(self, event: LiveEvent) -> None:
        """Tell all clients an event; before the start, and after the end, there are none."""
        self._call(self._clients.tell, event)

    def show(self, time_s: float, picture: Picture) -> None:
        """Show a picture to the clients who want pictures; most are left out, see `Pace`.

        Args:
            time_s: Its time, in seconds from the first picture of the session.
            picture: The picture.
        """
        if not self._clients.looking or not self._pace.lets(self._clock()):
            return
        self._picture = time_s, picture  # instead of one that still waits
        self._call(self._show)

    def close(self) -> None:
        """Let clients read what waits for them, for a moment; end them and the thread."""
        self._call(self._closing.set)
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call a function in the server's thread, some time."""
        if self._loop is not None:
            with suppress(RuntimeError):  # it has been closed
                self._loop.call_soon_threadsafe(function, *arguments)

    def _show(self) -> None:
        waiting, self._picture = self._picture, None
        if waiting is not None:
            self._clients.show(*waiting)

    async def _serve(self, app: web.Application, bound: socket.socket, ready: Future[None]) -> None:
        from aiohttp import web

        runner = web.AppRunner(app, access_log=None, logger=_UNHEARD, handler_cancellation=True)
        try:
            await runner.setup()
            await web.SockSite(runner, bound).start()
            self._loop = asyncio.get_running_loop()
            ready.set_result(None)
            await self._closing.wait()
            await self._clients.end()
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)
        finally:
            await runner.cleanup()


def _bound(port: int) -> socket.socket:
    """A socket that is bound to a port of this machine, and reached from nowhere else."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would let two programs have one port
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((HOST, port))
    except OSError as error:
        bound.close()
        taken = error.errno == errno.EADDRINUSE
        raise ConfigError(
            f"port={port} {'is taken by another program' if taken else 'cannot be used'}"
            + ("" if taken else f": {error.strerror}"),
            "Choose another one, or port=0 for any that is free",
        ) from error
    return bound
