"""What the server of a live session answers to requests; needs aiohttp."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hmac import compare_digest
from importlib.resources import files
from pathlib import PurePath
from typing import Any

from aiohttp import WSCloseCode, web

from ..results import plain
from .clients import ENDING_S, Client, Clients

_PAGE = {
    "/": "index.html",
    **{f"/{name}": name for name in ("live.css", "live.js", "link.js", "memory.js", "stage.js")},
    **{f"/{name}": name for name in ("lanes.js", "words.js")},
}
"""The page, by addresses. It tells nothing of the session: anybody on this machine may have it."""
_KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_FROM_CLIENTS = 4096
"""Bytes of a message that a client sends; none means anything."""
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(
    clients: Clients,
    hosts: Sequence[str],
    token: str,
    origins: Sequence[str],
    about: Mapping[str, Any],
) -> web.Application:
    """The application of aiohttp.

    Args:
        clients: Who listens.
        hosts: Host and port as addresses may name them, such as localhost:8765.
        token: What must be given for all but the page itself.
        origins: Pages of which other origins may read.
        about: What it says of itself in `/state`.
    """
    guard = _Guard(hosts, token, origins)
    app = web.Application(middlewares=[guard.check])
    app.on_response_prepare.append(guard.sign)

    async def page(request: web.Request) -> web.Response:
        name = _PAGE[request.path]
        text = files(__package__).joinpath("page").joinpath(name).read_text("utf-8")
        return web.Response(text=text, content_type=_KINDS[PurePath(name).suffix])

    async def state(_: web.Request) -> web.Response:
        return web.json_response({"about": plain(about), **clients.present.values()})

    async def events(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        with clients.joined(False, _drop(request)) as client:
            while isinstance(line := await client.next(), str):
                await response.write(f"data: {line}\n\n".encode())
            await response.write_eof()
        return response

    async def socket(request: web.Request) -> web.WebSocketResponse:
        response = web.WebSocketResponse(
            timeout=ENDING_S, compress=False, max_msg_size=_FROM_CLIENTS
        )
        await response.prepare(request)
        pictures = request.query.get("pictures") == "1"
        with clients.joined(pictures, _drop(request)) as client:
            if await _talk(response, client):
                await response.close(code=WSCloseCode.GOING_AWAY, message=b"the session has ended")
            client.drop()
        return response

    app.add_routes([web.get(path, page) for path in _PAGE])
    app.add_routes([web.get("/state", state), web.get("/ws", socket)])
    app.add_routes([web.get("/events", events, allow_head=False)])
    return app


async def _talk(response: web.WebSocketResponse, client: Client) -> bool:
    """Send all that comes; whether that went well to the end, and the client is still there."""
    reading = asyncio.create_task(_read(response))
    sending = asyncio.create_task(_send(response, client))
    try:
        await asyncio.wait((reading, sending), return_when=asyncio.FIRST_COMPLETED)
        return not reading.done() and sending.done() and sending.exception() is None
    finally:
        for task in (reading, sending):
            task.cancel()
        await asyncio.gather(reading, sending, return_exceptions=True)


async def _read(response: web.WebSocketResponse) -> None:
    """Wait until the client closes."""
    async for _ in response:
        pass


async def _send(response: web.WebSocketResponse, client: Client) -> None:
    while (waiting := await client.next()) is not None:
        if isinstance(waiting, str):
            await response.send_str(waiting)
        else:
            await response.send_bytes(waiting)


def _drop(request: web.Request) -> Callable[[], object]:
    """What lets go of a connection."""
    transport = request.transport
    return transport.abort if transport is not None else lambda: None


class _Guard:
    """Lets in who may come, and signs what goes out.

    Args:
        hosts: As addresses may name this server.
        token: What must be given.
        origins: Other origins that may read.
    """

    def __init__(self, hosts: Sequence[str], token: str, origins: Sequence[str]) -> None:
        self._hosts = set(hosts)
        self._token = token.encode()
        self._others = {origin.lower() for origin in origins}
        self._origins = {f"http://{host}" for host in self._hosts} | self._others
        self._policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
            f"connect-src 'self' {' '.join(f'ws://{host}' for host in hosts)}; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )

    @web.middleware
    async def check(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Refuse what must not be answered."""
        if request.host.lower() not in self._hosts:
            return _refusal(403, f"This is not {request.host}: open the address that was printed.")
        origin = request.headers.get("Origin")
        if origin is not None and origin.lower() not in self._origins:
            return _refusal(
                403, "Pages of this origin may not read here; origins names those that may."
            )
        if request.method == "OPTIONS" and origin is not None:
            return web.Response(status=204)
        if request.path not in _PAGE and not self._knows(request):
            return _refusal(
                401, "The token is missing or wrong: open the address as it was printed."
            )
        return await handler(request)

    def _knows(self, request: web.Request) -> bool:
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            given = request.query.get("token", "")
        return compare_digest(given.strip().encode("utf-8", "replace"), self._token)

    async def sign(self, request: web.Request, response: web.StreamResponse) -> None:
        """Add the headers that keep browsers to what is meant."""
        response.headers.update(
            {
                "Cache-Control": "no-store",
                "Content-Security-Policy": self._policy,
                "Cross-Origin-Resource-Policy": "same-origin",
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
            }
        )
        origin = request.headers.get("Origin", "")
        response.headers["Vary"] = "Origin"
        if origin.lower() in self._others:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Headers"] = "Authorization"


def _refusal(status: int, why: str) -> web.Response:
    more = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return web.Response(status=status, text=f"{why}\n", headers=more)
