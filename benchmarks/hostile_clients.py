"""Prints what clients without a key cost the readers of the API: the p99 of the readers with and without them.

1,000 connections send a byte every five seconds and are opened again when they are closed; ten others begin, every
second, to send a header of 100 MB. The same readers, at the same pace, read before and meanwhile.
"""

import asyncio
import itertools
import multiprocessing
import time
from argparse import Namespace
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

import httpx
import psutil

from benchmarks.load.calls import Workload
from benchmarks.parts.read_calls import Kind
from benchmarks.stage import Stage, run_program
from deploy.local.ports import HOST
from shared.store.api_keys import new_key
from shared.store.mongo.api_keys import MongoApiKeys
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.support.api.client import PEPPER
from tests.support.api.server import ApiServer

_CALLS = Kind("final 25 KB", Workload(57, 100), 0)
_READERS = 8
_PAUSE = 0.04
_SLOW, _DRIP_SECONDS = 1_000, 5.0
_LARGE, _HEADER_BYTES = 10, 100 * 1024 * 1024
_PIECE = b"x" * (256 * 1024)


async def read(port: int, requests: list[bytes], seconds: float) -> list[float]:
    """Return the seconds that each response took; every response is a 200."""
    until, times, each = time.monotonic() + seconds, list[float](), itertools.cycle(requests)

    async def reader() -> None:
        stream, writer = await asyncio.open_connection(HOST, port)
        while time.monotonic() < until:
            asked = time.perf_counter()
            writer.write(next(each))
            head = await stream.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await stream.readexactly(int(length))
            times.append(time.perf_counter() - asked)
            await asyncio.sleep(_PAUSE)
        writer.close()

    await asyncio.gather(*(reader() for _ in range(_READERS)))
    return times


def attack(port: int) -> None:
    """Attack until the process is ended."""
    asyncio.run(_attack(port))


async def _attack(port: int) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(_SLOW):
            group.create_task(_again(_drip, port, number / _SLOW))
        for _ in range(_LARGE):
            group.create_task(_again(_send_large, port, 0.0))


async def _again(client: Callable[[int], Awaitable[None]], port: int, delay: float) -> None:
    await asyncio.sleep(delay)
    while True:
        with suppress(OSError, asyncio.IncompleteReadError):
            await client(port)
        await asyncio.sleep(1.0)


async def _drip(port: int) -> None:
    reader, writer = await asyncio.open_connection(HOST, port)
    ended = asyncio.create_task(reader.read())
    while not ended.done():
        writer.write(b"A")
        await asyncio.wait([ended], timeout=_DRIP_SECONDS)
    writer.close()


async def _send_large(port: int) -> None:
    _, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(b"GET /api/calls/call-1 HTTP/1.1\r\nA: ")
        for _ in range(_HEADER_BYTES // len(_PIECE)):
            writer.write(_PIECE)
            await writer.drain()
    finally:
        writer.close()


@contextmanager
def _attacked(port: int) -> Iterator[None]:
    attacker = multiprocessing.get_context("spawn").Process(target=attack, args=(port,), daemon=True)
    attacker.start()
    try:
        yield
    finally:
        attacker.kill()
        attacker.join()


def _refused(port: int) -> str:
    """Return how many connections the API has closed by itself, by reason."""
    lines = httpx.get(f"http://{HOST}:{port}/metrics", trust_env=False).text.splitlines()
    counted = (
        line.removeprefix("callfold_api_connections_refused_total") for line in lines if "refused_total{" in line
    )
    return ", ".join(counted) or "none"


def p99(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]


def _megabytes(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / 1024**2


async def _requests(connection: Connection) -> list[bytes]:
    """Return the requests for the calls, each with a key of its organization."""
    store = MongoStore(connection)
    await store.prepare()
    await _CALLS.fill(store)
    requests = []
    for organization, calls in itertools.groupby(sorted(_CALLS.records()), lambda call: call.split("/")[0]):
        key, secret = new_key(organization, PEPPER.encode())
        await MongoApiKeys(connection).add(key)
        for call in calls:
            head = f"GET /api/calls/{call.split('/')[1]} HTTP/1.1\r\nHost: api\r\n"
            requests.append(f"{head}X-API-KEY: {key.api_key}\r\nX-API-SECRET: {secret}\r\n\r\n".encode())
    return requests


async def _measure(stage: Stage, chosen: Namespace) -> int:
    with stage.database("hostile") as database:
        async with stage.connection(database.name) as connection:
            requests = await _requests(connection)
        with ApiServer(stage.folder / "api", stage.mongo.uri, database.name) as api:
            await read(api.port, requests, 3.0)
            before, memory = await read(api.port, requests, chosen.seconds), _megabytes(api.pid)
            with _attacked(api.port):
                await asyncio.sleep(5.0)
                during, attacked = await read(api.port, requests, chosen.seconds), _megabytes(api.pid)
                refused = _refused(api.port)
            after, freed = await read(api.port, requests, chosen.seconds), _megabytes(api.pid)
    usual = p99(before + after)
    print(f"p99 of {len(before)} + {len(after)} reads before and after: {usual * 1000:.1f} ms")  # noqa: T201
    print(f"p99 of {len(during)} reads meanwhile: {p99(during) * 1000:.1f} ms, ratio {p99(during) / usual:.2f}")  # noqa: T201
    print(f"connections that the API closed meanwhile: {refused}")  # noqa: T201
    print(f"memory of the API: {memory:.0f} MB before, {attacked:.0f} meanwhile, {freed:.0f} after")  # noqa: T201
    return 0


if __name__ == "__main__":
    run_program(_measure, __doc__, seconds=(15.0, "how long the readers read, three times"))
