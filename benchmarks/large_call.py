"""Measures what calls of 100,000 turns cost other calls, on a worker and an API.

Phases alternate, so that other load on the machine affects both kinds: in quiet ones small calls are published and
read; in the others the same, while worker and API fold large calls one after another. Freshness is from the broker's
acknowledgement of an event to the API's answer that holds it.
"""

import asyncio
import itertools
import os
import sys
import time
from argparse import Namespace
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil

from benchmarks.stage import Stage, run_program
from deploy.local.ports import HOST, free_port
from shared.contract.topics import Topics
from shared.fold.conversation.latency import quantile
from shared.store.models import CallUpdate
from shared.store.mongo.calls import MongoStore
from shared.store.states import State
from tests.support.api.program import running
from tests.support.events.large_calls import long_call, put_large
from tests.support.events.makers import STARTED, event
from tests.support.servers.kafka import message, producer
from tests.support.store.processes import children

_SMALL_CALLS = 20
_READERS = 4
_ORGANIZATION = "org-789"
_KEY = ("X-API-KEY", "X-API-SECRET")


@dataclass
class Measured:
    """Seconds, of one kind of phase."""

    freshness: list[float] = field(default_factory=list)
    latency: list[float] = field(default_factory=list)


@dataclass
class Bench:
    """What the phases share; `reads` and `folds` are seconds, `most` resident bytes by process."""

    api: httpx.AsyncClient
    kafka: Any
    topics: Topics
    store: MongoStore
    pids: dict[str, int]
    database: str
    endless_turns: int = 0
    probes: Any = field(default_factory=itertools.count)
    reads: list[float] = field(default_factory=list)
    folds: list[float] = field(default_factory=list)
    most: dict[str, int] = field(default_factory=dict)

    async def phase(self, measured: Measured, seconds: float, *also: Callable[[], Awaitable[None]]) -> None:
        """Publish and read small calls for so long, with what runs concurrently."""
        until = time.monotonic() + seconds
        tasks = [asyncio.ensure_future(act()) for act in also]
        await asyncio.gather(
            self._probe(measured, until), *(self._read(measured, until, number) for number in range(_READERS))
        )
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _probe(self, measured: Measured, until: float) -> None:
        while time.monotonic() < until:
            call = f"probe-{next(self.probes)}"
            await (await self.kafka.send(**message(event("call.started", call=call), self.topics)))
            acknowledged = time.monotonic()
            await self.until_readable(call, every=0.002)
            measured.freshness.append(time.monotonic() - acknowledged)

    async def until_readable(self, call: str, *, every: float) -> None:
        while (await self.api.get(f"/api/calls/{call}")).status_code != httpx.codes.OK:  # noqa: ASYNC110
            await asyncio.sleep(every)

    async def _read(self, measured: Measured, until: float, reader: int) -> None:
        while time.monotonic() < until:
            started = time.monotonic()
            (await self.api.get(f"/api/calls/small-{reader}")).raise_for_status()
            measured.latency.append(time.monotonic() - started)
            await asyncio.sleep(0.01)

    async def fold_in_worker(self) -> None:
        """Mark the large calls stale one after another, each when the worker has folded the one before."""
        while True:
            call, started = f"{_ORGANIZATION}/large-{len(self.folds)}", time.monotonic()
            await self.store.mark_stale([CallUpdate(call, 0, STARTED, stale=True)])
            while (await self.store.read_states([call]))[call].state is not State.FINAL:
                for name, pid in self.pids.items():
                    for process in (psutil.Process(pid), *children(pid)):
                        label = name if process.pid == pid else f"{name}'s pool"
                        self.most[label] = max(self.most.get(label, 0), process.memory_info().rss)
                await asyncio.sleep(0.1)
            self.folds.append(time.monotonic() - started)

    def key_environment(self) -> dict[str, str]:
        """Return the environment of a process that reads with the same key."""
        return {**os.environ, **{name: self.api.headers[name] for name in _KEY}}

    async def fold_in_api(self) -> None:
        """Read a large call again and again, in a process of its own, so that its bytes do not delay what is timed."""
        code = f"from benchmarks.large_call import download; download('{self.api.base_url}api/calls/large-0')"
        command = (sys.executable, "-c", code)
        reader = await asyncio.create_subprocess_exec(
            *command, env=self.key_environment(), stdout=asyncio.subprocess.PIPE
        )
        assert reader.stdout is not None
        try:
            async for line in reader.stdout:
                self.reads.append(float(line))
        finally:
            reader.kill()


def key_headers() -> dict[str, str]:
    """Return the headers of a key from the environment: no secret is on a command line."""
    return {name: os.environ[name] for name in _KEY}


def download(url: str) -> None:
    """Read a call for ever, with a key from the environment; print the seconds that each read took."""
    headers = key_headers()
    while True:
        started = time.monotonic()
        answer = httpx.get(url, headers=headers, timeout=120.0, trust_env=False)
        print(time.monotonic() - started if answer.is_success else "nan", flush=True)  # noqa: T201


@asynccontextmanager
async def bench(stage: Stage, turns: int, calls: int) -> AsyncIterator[Bench]:
    """Run worker and API with so many large calls in the log."""
    topics, name, port = await stage.topics(3), "bench", free_port()
    async with stage.connection(name) as connection:
        store = MongoStore(connection)
        await store.prepare()
        for number in range(calls):
            call = f"{_ORGANIZATION}/large-{number}"
            await put_large(store, long_call(turns, call), call, stale=False)
        url, key = f"http://{HOST}:{port}", await stage.key(connection, _ORGANIZATION)
        with (
            stage.worker(topics, name, lease_seconds=60, poll_seconds=1) as worker,
            running(port, MONGO_URI=stage.mongo.uri, MONGO_DATABASE=name) as program,
        ):
            async with (
                producer(stage.kafka.address, linger_ms=0) as sender,
                httpx.AsyncClient(base_url=url, headers=key, trust_env=False, timeout=120.0) as api,
            ):
                made = Bench(api, sender, topics, store, {"worker": worker.pid, "API": program.pid}, name)
                for number in range(10 * _SMALL_CALLS):
                    await sender.send(**message(event("transcript.turn", call=f"small-{number // 10}"), topics))
                await made.until_readable(f"small-{_READERS}", every=0.1)
                yield made


async def _measure(stage: Stage, chosen: Namespace) -> int:
    quiet, meanwhile = Measured(), Measured()
    async with bench(stage, chosen.turns, chosen.calls) as running:
        await running.phase(Measured(), chosen.seconds / 3)
        for _ in range(chosen.rounds):
            await running.phase(quiet, chosen.seconds)
            await running.phase(meanwhile, chosen.seconds, running.fold_in_worker, running.fold_in_api)
        (size,) = (await running.store.sizes([f"{_ORGANIZATION}/large-0"])).values()
    for name, found in (("quiet", quiet), ("while large calls are folded", meanwhile)):
        print(line(f"freshness, {name}", found.freshness))  # noqa: T201
        print(line(f"latency, {name}", found.latency))  # noqa: T201
    print(f"{chosen.turns} turns are {size / 1e6:.0f} MB of log")  # noqa: T201
    print("in the worker, from stale to final:", *(f"{each:.1f} s" for each in running.folds))  # noqa: T201
    print("from the API, whole:               ", *(f"{each:.1f} s" for each in running.reads))  # noqa: T201
    print("most memory (RSS):", *(f"{name} {most >> 20} MiB;" for name, most in sorted(running.most.items())))  # noqa: T201
    return 0


def line(name: str, values: Sequence[float]) -> str:
    ranked = sorted(values)
    ranks = "  ".join(f"p{100 * q:.0f} {1000 * quantile(ranked, q):7.1f} ms" for q in (0.5, 0.95, 0.99))
    return f"{name:<40} {ranks}  ({len(ranked)})"


if __name__ == "__main__":
    run_program(
        _measure,
        __doc__,
        turns=(100_000, "of a large call"),
        calls=(8, "large calls, enough for the worker to fold"),
        seconds=(15.0, "of each phase"),
        rounds=(3, "phases of each kind"),
    )
