"""Clients that want to cost others something, against the real API."""

import asyncio
import json
from collections.abc import Iterator
from subprocess import Popen

import httpx
import psutil
import pytest

from deploy.local.ports import HOST, free_port
from tests.support.api.limited_server import read_to_end, statuses
from tests.support.api.program import START_SECONDS, running

HEAD_BYTES = 2_000
CONNECTIONS = 50
KILOBYTES_64 = b"x" * 65_536
CASES = [
    (b"GET /healthz HTTP/1.1\r\nA: " + b"x" * HEAD_BYTES, [431]),
    (b"GET /healthz HTTP/1.1\r\n" + b"A: b\r\n" * 103, [431]),
    (b"GET /" + b"x" * 9_000, [431]),
    (b"GET /healthz HTTP/1.1\r\nA", [408]),
    (b"\x16\x03\x01\x02\x00\x01\x00", [400]),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400]),
    (b"GET /healthz HTTP/1.1\r\nContent-Length: 4000000000\r\n\r\nabc", [200]),
    (b"POST /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nnonsense", [405]),
    (b"GET /healthz HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", [200]),
    (b"GET /healthz HTTP/1.0\r\n\r\n", [200]),
    (b"GET /healthz HTTP/1.1\r\n\r\nGET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", [200, 200]),
    (b"", []),
]
"""What a client sends, and the statuses of the responses."""


@pytest.fixture
def api(mongo_uri: str, database: str) -> Iterator[tuple[int, "Popen[str]"]]:
    port = free_port()
    limits = {"API_HEAD_BYTES": str(HEAD_BYTES), "API_HEAD_SECONDS": "1", "API_CONNECTIONS": str(CONNECTIONS)}
    with running(port, MONGO_URI=mongo_uri, MONGO_DATABASE=database, **limits) as process:
        yield port, process


async def exchange(port: int, sent: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(sent)
    received = await read_to_end(reader)
    writer.close()
    return received


async def test_each_gets_an_answer_and_is_disconnected_and_nothing_is_logged(api: tuple[int, "Popen[str]"]) -> None:
    port, process = api

    received = await asyncio.gather(*(exchange(port, sent) for sent, _ in CASES))

    assert [statuses(each) for each in received] == [expected for _, expected in CASES]
    process.terminate()
    _, written = process.communicate(timeout=START_SECONDS)
    assert [json.loads(line)["event"] for line in written.splitlines()] == ["started", "stopped"]


async def test_a_header_of_a_hundred_megabytes_costs_no_memory(api: tuple[int, "Popen[str]"]) -> None:
    port, process = api
    before = psutil.Process(process.pid).memory_info().rss

    sending = [_send_on(port, 100 * 1024 * 1024) for _ in range(10)]
    sent = await asyncio.gather(*sending)

    grown = psutil.Process(process.pid).memory_info().rss - before
    assert max(sent) < 20 * 1024 * 1024  # what the kernel takes; then the connection is closed
    assert grown < 20 * 1024 * 1024


async def _send_on(port: int, length: int) -> int:
    """Send a header of this length; return how much of it was accepted."""
    _, writer = await asyncio.open_connection(HOST, port)
    writer.write(b"GET /healthz HTTP/1.1\r\nA: ")
    sent = 0
    try:
        while sent < length:
            writer.write(KILOBYTES_64)
            await writer.drain()
            sent += len(KILOBYTES_64)
    except ConnectionError:
        pass
    writer.close()
    return sent


async def test_slow_clients_take_no_connection_from_others(api: tuple[int, "Popen[str]"]) -> None:
    port, _ = api
    slow = [await asyncio.open_connection(HOST, port) for _ in range(3 * CONNECTIONS)]
    for _, writer in slow:
        writer.write(b"G")

    async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}", trust_env=False) as client:
        answers = [(await client.get("/healthz")).status_code for _ in range(20)]
        open_connections = (await client.get("/metrics")).text

    assert answers == [200] * 20
    assert _number(open_connections) <= CONNECTIONS
    await asyncio.gather(*(read_to_end(reader) for reader, _ in slow))
    for _, writer in slow:
        writer.close()


def _number(metrics: str) -> float:
    """Return how many connections the API counts."""
    [line] = [each for each in metrics.splitlines() if each.startswith("callfold_api_connections ")]
    return float(line.split()[1])
