"""What a connection may use before a request reaches the application, on real sockets."""

import asyncio
import re
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from services.api import errors
from services.api.server.limits import MAX_HEADERS, MAX_PIPELINED, MAX_URL_BYTES, Refused
from tests.support.api.limited_server import GET, LAST_GET, limited_server, read_to_end, refused, statuses
from tests.support.eventually import eventually

HEAD_BYTES = 16_384
START = b"GET / HTTP/1.1\r\n"
TOO_LARGE = errors.headers_too_large(f"at most {HEAD_BYTES} bytes")
TOO_MANY = errors.headers_too_large(f"at most {MAX_HEADERS} fields")


def body(received: bytes) -> Any:
    return orjson.loads(received.rpartition(b"\r\n\r\n")[2])


@pytest.mark.parametrize(
    ("pieces", "status", "error", "reason"),
    [
        ([START + b"A: " + b"x" * HEAD_BYTES], 431, TOO_LARGE, Refused.HEAD_TOO_LARGE),
        ([START + b"A: ", *[b"x" * 5_000] * 4], 431, TOO_LARGE, Refused.HEAD_TOO_LARGE),
        ([START + b"A: x\r\n" * 3_000], 431, TOO_MANY, Refused.TOO_MANY_HEADERS),
        ([START, *[b"A: x\r\n"] * (MAX_HEADERS + 1), b"\r\n"], 431, TOO_MANY, Refused.TOO_MANY_HEADERS),
        ([b"\r\n" * HEAD_BYTES], 431, TOO_LARGE, Refused.HEAD_TOO_LARGE),
        ([b"GET /" + b"a" * MAX_URL_BYTES], 414, errors.url_too_long(MAX_URL_BYTES), Refused.URL_TOO_LONG),
        ([b"GET /?", *[b"a" * 3_000] * 3], 414, errors.url_too_long(MAX_URL_BYTES), Refused.URL_TOO_LONG),
        ([b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], 400, errors.bad_request(), Refused.INVALID),
        ([bytes.fromhex("160301020001")], 400, errors.bad_request(), Refused.INVALID),
        ([b"CONNECT api:80 HTTP/1.1\r\n\r\n"], 400, errors.bad_request(), Refused.INVALID),
        ([b"GET /\xff HTTP/1.1\r\n\r\n"], 400, errors.bad_request(), Refused.INVALID),
        ([b"GET a HTTP/1.1\r\n\r\n"], 400, errors.bad_request(), Refused.INVALID),
        ([START + b"A\0: b\r\n\r\n"], 400, errors.bad_request(), Refused.INVALID),
        ([START + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"], 400, errors.bad_request(), "invalid"),
    ],
)
async def test_a_request_over_a_limit_or_that_is_not_http_gets_an_error_and_is_disconnected(
    pieces: list[bytes], status: int, error: errors.ApiError, reason: Refused
) -> None:
    before = refused(reason)
    async with limited_server() as server:
        received = await server.exchange(*pieces)

        assert statuses(received) == [status]
        assert body(received) == error.envelope
        assert b"content-type: application/json\r\n" in received
        assert b"cache-control: no-store\r\n" in received
        assert b"connection: close\r\n" in received
        assert re.search(rb"\r\nx-request-id: [0-9a-f]{32}\r\n", received)
        assert server.routes.paths == []
    assert refused(reason) == before + 1


async def test_a_head_within_the_limits_is_served_however_it_is_cut() -> None:
    headers = b"".join(b"A%d: %b\r\n" % (number, b"x" * 100) for number in range(MAX_HEADERS - 1))
    request = b"GET /%b HTTP/1.1\r\n%bConnection: close\r\n\r\n" % (b"a" * (3 * 1024), headers)
    pieces = [request[start : start + 1_000] for start in range(0, len(request), 1_000)]

    async with limited_server() as server:
        at_once, in_pieces = await server.exchange(request), await server.exchange(*pieces)

    assert len(request) < HEAD_BYTES
    assert (statuses(at_once), statuses(in_pieces)) == ([200], [200])


async def test_the_limit_counts_each_request_by_itself() -> None:
    request = START + b"A: " + b"x" * (HEAD_BYTES // 2) + b"\r\n\r\n"
    half = len(request) // 2

    async with limited_server() as server:
        together = await server.exchange(request * 4 + LAST_GET)
        across = await server.exchange(request * 2 + request[:half], request[half:] + LAST_GET)

    assert (statuses(together), statuses(across)) == ([200] * 5, [200] * 4)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ([b""], []),
        ([b"GET / HT"], [408]),
        ([b"\r\n"], []),
        ([GET, b"\r\n"], [200]),
        ([GET + b"G"], [200, 408]),
    ],
)
async def test_a_head_that_takes_too_long_ends_the_connection(sent: list[bytes], expected: list[int]) -> None:
    async with limited_server(head_seconds=0.2, idle_seconds=2.0) as server:
        received = await server.exchange(*sent)

    assert statuses(received) == expected


async def test_the_time_for_a_head_does_not_run_while_the_server_reads_nothing() -> None:
    async with limited_server(head_seconds=0.3) as server:
        reader, writer = await server.connect()
        writer.write(b"GET /later HTTP/1.1\r\n\r\n" + GET + LAST_GET[:10])
        await asyncio.sleep(0.6)

        server.routes.released.set()
        writer.write(LAST_GET[10:])

        assert statuses(await read_to_end(reader)) == [200] * 3


async def test_a_byte_now_and_then_does_not_prolong_the_time_for_a_head() -> None:
    async with limited_server(head_seconds=0.5) as server:
        reader, writer = await server.connect()
        dripping = asyncio.create_task(_drip(writer))

        received = await read_to_end(reader)

        dripping.cancel()
    assert statuses(received) == [408]


async def _send_on(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(bytes(65_536))
        await writer.drain()


async def _drip(writer: asyncio.StreamWriter) -> None:
    writer.write(START)
    while True:
        writer.write(b"A")
        await asyncio.sleep(0.05)


async def test_an_unused_connection_is_closed() -> None:
    async with limited_server(idle_seconds=0.2) as server:
        received = await server.exchange(GET)

        await eventually(lambda: not server.state.connections)
    assert statuses(received) == [200]


@pytest.mark.parametrize(
    "request_",
    [
        START + b"Content-Length: 1000000000\r\n\r\n",
        START + b"Content-Length: 3\r\n\r\nabc",
        START + b"Transfer-Encoding: chunked\r\n\r\n",
        START + b"Transfer-Encoding: chunked\r\n\r\nnonsense",
        START + b"Transfer-Encoding: chunked\r\n\r\n2;" + b"x" * 100_000,
        START + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        START + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
    ],
)
async def test_a_body_is_not_read_and_no_protocol_changed_but_the_request_is_answered(request_: bytes) -> None:
    async with limited_server(linger_seconds=0.2) as server:
        received = await server.exchange(request_, b"x" * 100, GET)

        assert statuses(received) == [200]
        assert received.endswith(b"ok")
        assert server.routes.paths == ["/"]
        await eventually(lambda: not server.state.connections)


async def test_a_client_that_sends_on_is_disconnected() -> None:
    async with limited_server() as server:
        reader, writer = await server.connect()
        writer.write(START + b"Content-Length: 1000000000\r\n\r\n")

        with pytest.raises(ConnectionError):
            await _send_on(writer)

        assert statuses(await read_to_end(reader)) in ([200], [])  # a reset may take what was not read yet


@pytest.mark.parametrize("version", [b"HTTP/1.0", b"HTTP/1.1\r\nConnection: close"])
async def test_a_client_that_wants_no_more_is_disconnected(version: bytes) -> None:
    async with limited_server() as server:
        received = await server.exchange(b"GET / %b\r\n\r\n" % version)

    assert statuses(received) == [200]


async def test_an_error_comes_after_the_responses_to_earlier_requests() -> None:
    async with limited_server() as server:
        reader, writer = await server.connect()
        writer.write(b"GET /later HTTP/1.1\r\n\r\n" + GET + b"nonsense\r\n\r\n" + GET)
        await eventually(lambda: server.routes.paths)
        server.routes.released.set()

        received = await read_to_end(reader)

        assert statuses(received) == [200, 200]
        assert server.routes.paths == ["/later", "/"]


async def test_few_requests_wait_for_the_responses_to_earlier_ones() -> None:
    async with limited_server() as server:
        reader, writer = await server.connect()
        writer.write(b"GET /later HTTP/1.1\r\n\r\n" + GET * 10_000)
        await eventually(lambda: server.routes.paths)
        server.routes.released.set()

        received = await read_to_end(reader)

    assert statuses(received) == [200] * (1 + MAX_PIPELINED)


async def test_pipelined_requests_are_answered_in_order() -> None:
    async with limited_server() as server:
        received = await server.exchange(GET * MAX_PIPELINED + LAST_GET)

    assert statuses(received) == [200] * (MAX_PIPELINED + 1)


async def test_nothing_is_logged_of_what_is_not_http() -> None:
    with capture_logs() as lines:
        async with limited_server() as server:
            for sent in (b"\x16\x03\x01", b"A" * 100_000, b"GET / HTTP/1.1\r\nA: " + b"x" * 100_000):
                await server.exchange(sent)

    assert lines == []
