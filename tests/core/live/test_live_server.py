"""The server: who may listen, what they are told, and that nobody holds it up."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import struct
import sys
import threading
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
import requests
from told import (
    BEGUN,
    SIZE,
    TOKEN,
    appeared,
    faces,
    needs_aiohttp,
    picture,
    serving,
    speech,
    until,
)

from asdkit.core.errors import ConfigError, MissingExtraError
from asdkit.core.live.events import LiveEvent
from asdkit.core.live.lines import as_values, event_of
from asdkit.core.live.serving import LiveServer
from asdkit.core.live.stills import Pace

aiohttp = needs_aiohttp()
BEARER = {"Authorization": f"Bearer {TOKEN}"}
ENDED = LiveEvent("ended", 9.0)
PRIVATE = ["/state", "/events", "/ws", "/anything"]


@pytest.fixture
def served():
    with serving(origins=["http://other.example:3000"]) as (server, address):
        yield server, address


def get(address, path="/state", **headers):
    return requests.get(address + path, headers={**BEARER, **headers}, timeout=30, stream=True)


def lines_of(response):
    """The events of server-sent events, until they end."""
    for line in response.iter_lines():
        if line:
            name, _, text = line.decode().partition(": ")
            assert name == "data"
            yield event_of(json.loads(text))


async def messages(address, pictures=False, most=None):
    """What a WebSocket is sent until it is closed, and the code that it is closed with."""
    found = []
    query = f"/ws?token={TOKEN}" + ("&pictures=1" if pictures else "")
    async with aiohttp.ClientSession() as session, session.ws_connect(address + query) as link:
        async for message in link:
            found.append(message.data)
            if len(found) == most:
                break
        return found, link.close_code


def in_thread(coroutine):
    """Run a coroutine beside; a function that waits for its result."""
    found = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(coroutine)))
    thread.start()

    def result():
        thread.join(60)
        return found[0]

    return result


def wait_for_clients(server, count):
    until(lambda: len(server._clients._all) == count)


def test_it_is_reached_from_this_machine_alone(served):
    _, address = served
    assert address.startswith("http://127.0.0.1:")
    port = int(address.rpartition(":")[2])
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", port), timeout=5):
        pass


def test_a_port_that_is_taken_is_named_with_a_remedy():
    with serving() as (_, address):
        port = int(address.rpartition(":")[2])
        with pytest.raises(ConfigError, match=f"port={port} is taken .* or port=0 for any"):
            LiveServer(port).start()


def test_without_aiohttp_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    monkeypatch.delitem(sys.modules, "asdkit.core.live.routes", raising=False)
    with pytest.raises(MissingExtraError, match=r"serve=true needs the package aiohttp.*live\]"):
        LiveServer(0).start()


@pytest.mark.parametrize("path", PRIVATE)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "x"}])
def test_nothing_is_told_without_the_token(served, path, headers):
    for given in ("", "?token=", "?token=wrong"):
        answer = requests.get(served[1] + path + given, headers=headers, timeout=30)
        assert answer.status_code == 401
        assert "The token is missing or wrong: open the address" in answer.text


def test_the_token_is_taken_from_the_address_or_a_header(served):
    assert requests.get(f"{served[1]}/state?token={TOKEN}", timeout=30).status_code == 200
    assert get(served[1]).status_code == 200
    assert get(served[1], "/nothing").status_code == 404


def test_a_token_is_made_if_none_is_given():
    tokens = {LiveServer(0).token for _ in range(3)}
    assert len(tokens) == 3
    assert min(map(len, tokens)) >= 20


def test_the_page_alone_is_open_and_tells_nothing_of_the_session(served):
    server, address = served
    server.publish(BEGUN)
    for path in ("/", "/live.js", "/live.css"):
        answer = requests.get(address + path, timeout=30)
        assert answer.status_code == 200
        assert "hall" not in answer.text
    assert answer.headers["Content-Type"].startswith("text/css")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost:1", "127.0.0.1.evil.org"])
def test_other_names_of_this_machine_are_refused(served, host):
    """A page of another name that is made to lead here (DNS rebinding) gets nothing."""
    for path in ("/", "/state"):
        answer = get(served[1], path, Host=host)
        assert answer.status_code == 403
        assert host in answer.text


def test_it_is_called_localhost_too(served):
    port = served[1].rpartition(":")[2]
    assert get(served[1], Host=f"localhost:{port}").status_code == 200


def test_pages_of_other_origins_may_not_read_unless_they_are_named(served):
    _, address = served
    for origin in ("http://evil.example", "null", "http://other.example:3001"):
        answer = get(address, Origin=origin)
        assert answer.status_code == 403
        assert "origins" in answer.text
        assert "Access-Control-Allow-Origin" not in answer.headers
    own = get(address, Origin=address)
    assert own.status_code == 200
    assert "Access-Control-Allow-Origin" not in own.headers
    other = {"Origin": "http://other.example:3000"}
    named = get(address, **other)
    assert named.headers["Access-Control-Allow-Origin"] == "http://other.example:3000"
    asked = requests.options(f"{address}/state", headers=other, timeout=30)
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Headers"] == "Authorization"


def test_a_websocket_of_another_origin_is_refused(served):
    async def connect(origin):
        async with aiohttp.ClientSession(headers={"Origin": origin}) as session:
            link = await session.ws_connect(f"{served[1]}/ws?token={TOKEN}")
            await link.close()

    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        asyncio.run(connect("http://evil.example"))
    asyncio.run(connect("http://other.example:3000"))


def test_browsers_are_told_to_run_and_load_nothing_else(served):
    for answer in (get(served[1], "/"), get(served[1]), get(served[1], Host="evil.example")):
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"


def test_the_token_is_never_logged(served, caplog):
    caplog.set_level(logging.DEBUG)
    requests.get(f"{served[1]}/state?token={TOKEN}", timeout=30)
    requests.get(f"{served[1]}/nothing?token={TOKEN}", timeout=30)
    host = urlsplit(served[1])
    with socket.create_connection((host.hostname, host.port)) as client:
        client.sendall(f"GET /state?token={TOKEN}\xe9 HTTP/1.1\r\n\r\n".encode())
        assert b" 400 " in client.recv(100)
    ours = [record for record in caplog.records if not record.name.startswith("urllib3")]
    assert all(TOKEN not in record.getMessage() for record in ours)


def test_nobody_joins_to_know_the_headers_alone(served):
    assert requests.head(f"{served[1]}/events?token={TOKEN}", timeout=30).status_code == 405


def test_server_sent_events_tell_what_is_true_and_then_all_that_happens(served):
    server, address = served
    told = [BEGUN, appeared(0), speech(1.0, 0, True)]
    for event in told:
        server.publish(event)
    until(lambda: get(address).json()["speech"])
    response = get(address, "/events")
    assert response.headers["Content-Type"].startswith("text/event-stream")
    wait_for_clients(server, 1)
    later = [speech(2.0, 0, False), LiveEvent("note", 2.0, reason="two\nlines\r\u2028"), ENDED]
    for event in later:
        server.publish(event)
    server.close()
    assert list(lines_of(response)) == [*told, *later]


def test_a_websocket_tells_the_same_and_is_closed_with_the_server(served):
    server, address = served
    server.publish(BEGUN)
    result = in_thread(messages(address))
    wait_for_clients(server, 1)
    server.publish(faces(1.0, True, False))
    server.publish(ENDED)
    server.close()
    found, code = result()
    assert [event_of(json.loads(line)) for line in found] == [BEGUN, faces(1.0, True, False), ENDED]
    assert code == aiohttp.WSCloseCode.GOING_AWAY


def test_what_a_client_says_means_nothing_and_may_not_be_long(served):
    server, address = served

    async def talk():
        query = f"/ws?token={TOKEN}"
        async with aiohttp.ClientSession() as session, session.ws_connect(address + query) as link:
            await link.send_str('{"event": "ended"}')
            server.publish(BEGUN)
            told = await link.receive(timeout=60)
            await link.send_bytes(bytes(5000))
            return told.data, (await link.receive(timeout=60)).data

    told, code = asyncio.run(talk())
    assert event_of(json.loads(told)) == BEGUN
    assert code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    assert get(address).json()["ended"] is None


def test_the_state_is_told_as_json(served):
    server, address = served
    for event in (BEGUN, appeared(0), speech(1.0, 0, True), faces(1.2, True)):
        server.publish(event)
    until(lambda: get(address).json()["faces"])
    state = get(address).json()
    assert state == {
        "about": {"name": "hall"},
        "begun": as_values(BEGUN),
        "interrupted": None,
        "faces": as_values(faces(1.2, True)),
        "status": None,
        "ended": None,
        "in_sight": [as_values(appeared(0))],
        "speech": [as_values(speech(1.0, 0, True))],
    }


def test_pictures_go_to_those_who_asked_scaled_down(served):
    server, address = served
    with_pictures = in_thread(messages(address, pictures=True))
    wait_for_clients(server, 1)
    without = in_thread(messages(address))
    wait_for_clients(server, 2)
    server.show(2.48, picture(size=(1280, 720)))
    server.publish(BEGUN)
    until(lambda: server._picture is None)
    server.close()
    assert len(without()[0]) == 1
    (still,) = [one for one in with_pictures()[0] if isinstance(one, bytes)]
    time_s, width, height = struct.unpack_from("<dII", still)
    assert (time_s, width, height) == (2.48, 1280, 720)
    image = cv2.imdecode(np.frombuffer(still, np.uint8, offset=16), cv2.IMREAD_COLOR)
    assert image.shape == (360, 640, 3)
    blue, _, red = image[40, 35]
    assert red > blue


class Unseen:
    """A picture that must not be looked at."""

    width, height = SIZE

    def scaled(self, longer_side_px):
        raise AssertionError


def test_a_picture_that_nobody_wants_is_not_looked_at(served):
    server, address = served
    result = in_thread(messages(address, most=1))
    wait_for_clients(server, 1)
    server.show(1.0, Unseen())
    assert server._picture is None
    server.publish(BEGUN)
    result()


def test_at_most_twelve_pictures_a_second_are_made():
    now = [0.0]
    with serving(clock=lambda: now[0]) as (server, address):
        result = in_thread(messages(address, pictures=True))
        wait_for_clients(server, 1)
        for frame in range(50):
            now[0] = frame / 25
            server.show(now[0], picture())
            until(lambda: server._picture is None)
        server.close()
    times = [struct.unpack_from("<d", one)[0] for one in result()[0]]
    assert times[0] == 0
    assert len(times) <= 24  # those that the client was too slow for are left out


@pytest.mark.parametrize(("fps", "passed"), [(25, 24), (10, 20), (60, 24), (12, 24)])
def test_pictures_pass_evenly(fps, passed):
    pace = Pace()
    times = [frame / fps for frame in range(2 * fps) if pace.lets(frame / fps + 5)]
    assert len(times) == passed
    assert np.diff(times).max() <= 2 / min(fps, 12) + 1e-9


class NotReading:
    """A client that asks and reads nothing, until told to."""

    def __init__(self, address: str, path: str) -> None:
        port = int(address.rpartition(":")[2])
        self._link = socket.socket()
        self._link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._link.connect(("127.0.0.1", port))
        upgrade = (
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        )
        more = upgrade if path.startswith("/ws") else ""
        self._link.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{more}"
            f"Authorization: Bearer {TOKEN}\r\n\r\n".encode()
        )

    def read(self) -> bytes:
        """All that is there, until the end."""
        self._link.settimeout(30)
        parts = []
        with contextlib.suppress(ConnectionResetError):
            while part := self._link.recv(1 << 20):
                parts.append(part)
        return b"".join(parts)

    def close(self) -> None:
        self._link.close()


def tell_until_lost(server, client):
    """Tell notes to a client who does not read until some are lost; how many were told."""
    for told in range(0, 100_000, 50):
        for number in range(told, told + 50):
            server.publish(LiveEvent("note", float(number), reason="x" * 10_000))
        until(lambda last=told + 49: server._clients.present.time_s == last)
        if client._lost:
            return told + 50
    raise AssertionError


@pytest.mark.parametrize("path", ["/events", "/ws?pictures=1"])
def test_who_does_not_read_holds_up_nobody_and_takes_no_memory(served, path):
    server, address = served
    with contextlib.closing(NotReading(address, path)):
        wait_for_clients(server, 1)
        (client,) = server._clients._all
        told = tell_until_lost(server, client)
        for number in range(told, told + 3000):
            server.publish(LiveEvent("note", float(number), reason="x" * 10_000))
            server.show(float(number), picture())
        until(lambda: server._clients.present.time_s == told + 2999)
        assert client._lost > 3000
        assert not client._lines
        assert get(address).status_code == 200
        server.close()  # and it can be ended


def test_who_reads_late_is_told_what_was_lost_and_what_is_true(served):
    server, address = served
    server.publish(BEGUN)
    with contextlib.closing(NotReading(address, "/events")) as slow:
        wait_for_clients(server, 1)
        (client,) = server._clients._all
        told = tell_until_lost(server, client)
        server.publish(appeared(0, float(told)))
        until(lambda: server._clients.present.time_s == told)
        result = in_thread(asyncio.to_thread(slow.read))
        until(lambda: not client._lost and not client._lines)
        server.publish(ENDED)
        server.close()
        text = result().decode()
    lines = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
    events = [event_of(json.loads(line)) for line in lines]
    (at,) = [n for n, event in enumerate(events) if event.about and "lost" in event.about]
    lost = events[at].about["lost"]
    assert events[at].reason == f"{lost} events were left out, as they were not read in time"
    assert events[at + 1 :] == [BEGUN, appeared(0, float(told)), ENDED]
    assert at + lost == 1 + told + 1


@pytest.mark.parametrize("path", ["/events", "/ws?pictures=1"])
def test_who_goes_away_is_forgotten(served, path):
    server, address = served
    with contextlib.closing(NotReading(address, path)):
        wait_for_clients(server, 1)
    wait_for_clients(server, 0)
    assert server._clients.looking == 0


def test_nothing_happens_before_the_start_and_after_the_end():
    server = LiveServer(0)
    server.publish(BEGUN)
    server.show(0.0, picture())
    server.close()
    address = server.start()
    server.close()
    server.close()
    server.publish(BEGUN)
    server.show(0.0, picture())
    with pytest.raises(requests.ConnectionError):
        requests.get(address, timeout=5)
    assert not any(thread.name == "asd live server" for thread in threading.enumerate())
