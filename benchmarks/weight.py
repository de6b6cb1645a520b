"""Measures what one organization costs the others: their p99 next to it, as a ratio to the usual.

Quiet phases alternate with phases in which 40 clients read large live calls, and in which one call never ends. Then the
store gets a million calls of one organization and 50,000 organizations, and the phases are measured again.
"""

import asyncio
import random
import sys
from argparse import Namespace
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from typing import Any

import httpx
from pymongo import InsertOne

from benchmarks.large_call import Bench, Measured, bench, key_headers, line
from benchmarks.stage import Stage, progress, run_program
from shared.contract.ids import call_key
from shared.contract.timestamps import from_unix_ms
from shared.fold.conversation.latency import quantile
from shared.kafka.partitioner import partition_of
from shared.process.clock import now_ms
from shared.store.ids import documents
from shared.store.models import SourcePartition
from shared.store.mongo.client import Connection
from shared.store.mongo.documents import log_document
from shared.store.zstd_frame import compress
from tests.support.events.makers import STARTED, event, raw
from tests.support.servers.kafka import message
from tests.support.store.makers import LOG_ID_HMAC_KEY, logged

_PARTITIONS = 3
_LARGE_CALLS = 4
_READERS = 40
_TURNS_PER_SECOND = 300
_AT_ONCE = 5_000
_HEAVY = "org-heavy"
_CONTENT = raw(event("call.ended", call="call-template"))
_AIM = 2.0
_FAILED = 1


async def measure(stage: Stage, chosen: Namespace) -> int:
    """Return 0 if each p99 is within twice the usual."""
    phases: dict[str, Measured] = {}
    async with bench(stage, chosen.turns, _LARGE_CALLS) as running:

        async def phase(name: str, *also: Callable[[], Awaitable[None]]) -> None:
            progress(name)
            await running.phase(phases.setdefault(name, Measured()), chosen.seconds, *also)

        await running.phase(Measured(), chosen.seconds / 3)
        for _ in range(chosen.rounds):
            await phase("usual")
            await phase("40 readers of large live calls", lambda: _read_large(running))
            await phase("a call that never ends", lambda: _never_ends(running))
        async with stage.connection(running.database) as connection:
            await _fill(connection, chosen.calls, chosen.organizations)
        for _ in range(chosen.rounds):
            await phase(f"{chosen.calls} calls of one organization, {chosen.organizations} organizations")
    return _report(phases)


def _report(phases: dict[str, Measured]) -> int:
    worst = 0.0
    usual = phases["usual"]
    for name, found in phases.items():
        for what in ("latency", "freshness"):
            values, reference = (sorted(getattr(each, what)) for each in (found, usual))
            ratio = quantile(values, 0.99) / quantile(reference, 0.99)
            worst = max(worst, ratio)
            print(line(f"{what}, {name}", values), f"p99 {ratio:.2f} times the usual")  # noqa: T201
    return _FAILED if worst > _AIM else 0


async def _read_large(running: Bench) -> None:
    """Read large calls by many clients, each again and again, in a process of its own."""
    urls = [f"{running.api.base_url}api/calls/large-{number}" for number in range(_LARGE_CALLS)]
    code = f"from benchmarks.weight import read_for_ever; read_for_ever({urls!r})"
    reader = await asyncio.create_subprocess_exec(sys.executable, "-c", code, env=running.key_environment())
    try:
        await reader.wait()
    finally:
        if reader.returncode is None:
            reader.kill()


def read_for_ever(urls: list[str]) -> None:
    """Read the URLs by 40 clients, with a key from the environment."""
    asyncio.run(_read_all(urls, key_headers()))


async def _read_all(urls: list[str], headers: dict[str, str]) -> None:
    async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=120.0) as client:

        async def one(number: int) -> None:
            while True:
                answer = await client.get(urls[number % len(urls)])
                await asyncio.sleep(float(answer.headers.get("Retry-After", 0)))

        await asyncio.gather(*map(one, range(_READERS)))


async def _never_ends(running: Bench) -> None:
    """Publish turn after turn of one call, and read it as its owner would."""
    for number in count(running.endless_turns):
        running.endless_turns = number + 1
        body = event(
            "transcript.turn", call="endless", at=STARTED + number, id=f"endless-{number}", content="And more."
        )
        await running.kafka.send(**message(body, running.topics))
        if number % _TURNS_PER_SECOND == 0:
            await running.api.get("/api/calls/endless")
        await asyncio.sleep(1 / _TURNS_PER_SECOND)


async def _fill(connection: Connection, calls: int, organizations: int) -> None:
    """Write the headers and logs of final calls, as they are long after."""
    rng = random.Random(1)
    names = [(_HEAVY, f"heavy-{number:07}") for number in range(calls)]
    names += [(f"org-{number:05}", "call-1") for number in range(organizations)]
    rng.shuffle(names)
    for start in range(0, len(names), _AT_ONCE):
        page = names[start : start + _AT_ONCE]
        await connection.collection("calls").bulk_write([InsertOne(_header(*each)) for each in page], ordered=False)
        await connection.collection("call_events").bulk_write(
            [InsertOne(each) for name in page for each in _logged(*name)], ordered=False
        )
        if start % (20 * _AT_ONCE) == 0:
            progress(f"{start} calls written")


def _header(organization: str, call: str) -> dict[str, Any]:
    now = now_ms()
    return {
        "_id": call_key(organization, call),
        "organization_id": organization,
        "call_id": call,
        "state": "final",
        "partition": partition_of(call, _PARTITIONS),
        "last_arrival": now,
        "opt_out": False,
        "attempts": 0,
        "folded_at": from_unix_ms(now),
        "etag": '"0"',
        "body": compress(b"{}"),
        "event_count": 1,
    }


def _logged(organization: str, call: str) -> Iterator[dict[str, Any]]:
    source = SourcePartition("weight", 0)
    for each in documents(call_key(organization, call), source, logged([_CONTENT]), LOG_ID_HMAC_KEY):
        yield log_document(each)


if __name__ == "__main__":
    run_program(
        measure,
        __doc__,
        turns=(20_000, "of a large live call"),
        calls=(1_000_000, "calls of one organization"),
        organizations=(50_000, "organizations with a call each"),
        seconds=(10.0, "of each phase"),
        rounds=(3, "phases of each kind"),
    )
