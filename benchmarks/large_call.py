"""What calls of 100,000 turns cost their neighbours: `python -m benchmarks.large_call`.

Real servers, a worker and an API. Phases in turn, so that whatever else the machine does falls on both kinds: in the
quiet ones small calls are published to and read; in the others the same, while worker and API fold large calls one
after another. Freshness is from the broker's word that it has an event to the answer of the API that holds it.
"""

import argparse
import asyncio
import itertools
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from deploy.local.ports import HOST, free_port
from services.worker.consumer.topic_setup import KafkaUnavailable, Wanted, declare
from services.worker.runtime.retry import retry_until_available
from shared.config.mongo_access import MongoAccess
from shared.contract.topics import Topics
from shared.fold.latency import quantile
from shared.kafka.access import KafkaAccess
from shared.store.api_keys import new_key
from shared.store.models import CallUpdate
from shared.store.mongo.api_keys import MongoApiKeys
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from shared.store.states import State
from tests.support.api.client import PEPPER
from tests.support.api.program import running
from tests.support.events.large_calls import long_call, put_large
from tests.support.events.makers import STARTED, event
from tests.support.servers.kafka import message, producer
from tests.support.servers.servers import kafka_server, mongo_server
from tests.support.store.processes import children
from tests.support.worker.process import WorkerProcess

_NEIGHBOURS = 20
_READERS = 4
_PARTITION = 0


@dataclass
class Measured:
    """Seconds, of one kind of phase."""

    freshness: list[float] = field(default_factory=list)
    latency: list[float] = field(default_factory=list)


@dataclass
class Bench:
    """What the phases share."""

    api: httpx.AsyncClient
    headers: dict[str, str]
    kafka: Any
    topics: Topics
    store: MongoStore
    worker_pid: int
    api_pid: int
    numbers: Any = field(default_factory=itertools.count)
    reads: list[float] = field(default_factory=list)
    folds: list[float] = field(default_factory=list)
    most: dict[str, int] = field(default_factory=dict)


async def phase(bench: Bench, measured: Measured, seconds: float, *also: Callable[[Bench], Awaitable[None]]) -> None:
    """Publish and read small calls for so long, with what is to happen `also`."""
    until = time.monotonic() + seconds
    beside = [asyncio.create_task(_again(each, bench)) for each in also]
    await asyncio.gather(
        _probe(bench, measured, until), *(_read(bench, measured, until, number) for number in range(_READERS))
    )
    for task in beside:
        task.cancel()
    await asyncio.gather(*beside, return_exceptions=True)


async def _again(act: Callable[[Bench], Awaitable[None]], bench: Bench) -> None:
    while True:
        await act(bench)


async def _probe(bench: Bench, measured: Measured, until: float) -> None:
    while time.monotonic() < until:
        number = next(bench.numbers)
        call = f"probe-{number}"
        sent = await bench.kafka.send(**message(event("call.started", call=call), bench.topics))
        await sent
        accepted = time.monotonic()
        await _until_readable(bench.api, call, every=0.002)
        measured.freshness.append(time.monotonic() - accepted)


async def _until_readable(api: httpx.AsyncClient, call: str, *, every: float) -> None:
    for _ in itertools.count():
        if (await api.get(f"/api/calls/{call}")).status_code == httpx.codes.OK:
            return
        await asyncio.sleep(every)


async def _read(bench: Bench, measured: Measured, until: float, reader: int) -> None:
    while time.monotonic() < until:
        started = time.monotonic()
        (await bench.api.get(f"/api/calls/neighbour-{reader}")).raise_for_status()
        measured.latency.append(time.monotonic() - started)
        await asyncio.sleep(0.01)


async def fold_in_worker(bench: Bench) -> None:
    """Have the worker fold the next large call, and wait for it."""
    number = len(bench.folds)
    call = f"org-789/large-{number}"
    started = time.monotonic()
    await bench.store.mark_stale([CallUpdate(call, _PARTITION, STARTED, stale=True)])
    while (await bench.store.read_states([call]))[call].state is not State.FINAL:
        _weigh(bench)
        await asyncio.sleep(0.1)
    bench.folds.append(time.monotonic() - started)


async def fold_in_api(bench: Bench) -> None:
    """Read a large call again and again, in a process of its own: what it downloads is not to hold up who measures."""
    code = f"from benchmarks.large_call import download; download('{bench.api.base_url.join('/api/calls/large-0')}')"
    reader = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code), env={**os.environ, **bench.headers}, stdout=asyncio.subprocess.PIPE
    )
    assert reader.stdout is not None
    try:
        async for line in reader.stdout:
            bench.reads.append(float(line))
    finally:
        reader.kill()


def download(url: str) -> None:
    """Read a call for ever, with a key from the environment; print the seconds that each time took."""
    headers = {name: os.environ[name] for name in ("X-API-KEY", "X-API-SECRET")}
    while True:
        started = time.monotonic()
        answer = httpx.get(url, headers=headers, timeout=120.0, trust_env=False)
        print(time.monotonic() - started if answer.is_success else "nan", flush=True)  # noqa: T201


def _weigh(bench: Bench) -> None:
    for name, pid in (("worker", bench.worker_pid), ("API", bench.api_pid)):
        for who, process in [(name, psutil.Process(pid)), *((f"{name}'s pool", each) for each in children(pid))]:
            bench.most[who] = max(bench.most.get(who, 0), process.memory_info().rss)


@asynccontextmanager
async def servers(turns: int, calls: int) -> AsyncIterator[Bench]:
    """Run everything, with so many large calls in the log."""
    topics = Topics("bench")
    with tempfile.TemporaryDirectory() as folder, kafka_server() as kafka, mongo_server() as mongo:
        await retry_until_available(
            "kafka", lambda: declare(KafkaAccess(kafka.address), topics, Wanted(3, 1)), KafkaUnavailable
        )
        connection = Connection(MongoAccess(mongo.uri), "bench")
        store = MongoStore(connection)
        await store.prepare()
        headers = await _prepare(store, connection, turns, calls)
        port = free_port()
        with (
            WorkerProcess(
                kafka.address, mongo.uri, topics, "bench", Path(folder), lease_seconds=60, poll_seconds=1
            ) as worker,
            running(port, MONGO_URI=mongo.uri, MONGO_DATABASE="bench") as program,
        ):
            url: dict[str, Any] = {
                "base_url": f"http://{HOST}:{port}",
                "headers": headers,
                "trust_env": False,
                "timeout": 120.0,
            }
            async with (
                producer(kafka.address, linger_ms=0) as sender,
                httpx.AsyncClient(**url) as api,
            ):
                for number in range(_NEIGHBOURS):
                    for _ in range(10):
                        said = message(event("transcript.turn", call=f"neighbour-{number}"), topics)
                        await sender.send(**said)
                bench = Bench(api, headers, sender, topics, store, worker.pid, program.pid)
                await _until_readable(api, f"neighbour-{_READERS}", every=0.1)
                yield bench
        await connection.close()


async def _prepare(store: MongoStore, connection: Connection, turns: int, calls: int) -> dict[str, str]:
    for number in range(calls):
        call = f"org-789/large-{number}"
        await put_large(store, long_call(turns, call), call, partition=_PARTITION, stale=False)
    key, secret = new_key("org-789", PEPPER.encode())
    await MongoApiKeys(connection).add(key)
    return {"X-API-KEY": key.api_key, "X-API-SECRET": secret}


def _line(name: str, values: Sequence[float]) -> str:
    ranked = sorted(values)
    told = "  ".join(f"p{100 * q:.0f} {1000 * quantile(ranked, q):7.1f} ms" for q in (0.5, 0.95, 0.99))
    return f"{name:<40} {told}  ({len(ranked)})"


async def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=100_000)
    parser.add_argument("--calls", type=int, default=8, help="large calls, enough for the worker to fold")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each phase")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    quiet, meanwhile = Measured(), Measured()
    async with servers(chosen.turns, chosen.calls) as bench:
        await phase(bench, Measured(), chosen.seconds / 3)
        for _ in range(chosen.rounds):
            await phase(bench, quiet, chosen.seconds)
            await phase(bench, meanwhile, chosen.seconds, fold_in_worker, fold_in_api)
        size = (await bench.store.sizes(["org-789/large-0"]))["org-789/large-0"]
    for name, found in (("quiet", quiet), ("while large calls are folded", meanwhile)):
        print(_line(f"freshness, {name}", found.freshness))  # noqa: T201
        print(_line(f"latency, {name}", found.latency))  # noqa: T201
    print(f"{chosen.turns} turns are {size / 1e6:.0f} MB of log")  # noqa: T201
    print("in the worker, from mark to final:", *(f"{each:.1f} s" for each in bench.folds))  # noqa: T201
    print("from the API, whole:              ", *(f"{each:.1f} s" for each in bench.reads))  # noqa: T201
    print("most memory (RSS):", *(f"{who} {most >> 20} MB;" for who, most in sorted(bench.most.items())))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
