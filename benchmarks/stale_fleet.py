"""Leaves many calls stale, as workers that all died would, starts two workers, and prints how fast they fold them.

The exit status is 1 if a call was folded twice.
"""

import asyncio
import random
import time
from argparse import Namespace
from contextlib import ExitStack

from benchmarks.stage import Stage, progress, run_program
from shared.kafka.partitioner import partition_of
from shared.store.ids import documents
from shared.store.models import CallUpdate, LogDocument, SourcePartition
from shared.store.mongo.calls import MongoStore
from tests.support.events.makers import event, raw
from tests.support.events.records import expected, wait_for
from tests.support.events.workload import conversation
from tests.support.servers.kafka import publish
from tests.support.store.makers import logged as logged_events

_PARTITIONS = 12
_WORKERS = 2
_AT_ONCE = 1_000
_TEMPLATE = "call-template"


async def take_over(stage: Stage, chosen: Namespace) -> int:
    calls, topics = chosen.calls, await stage.topics(_PARTITIONS)
    async with stage.connection("stale") as connection:
        await _leave_stale(MongoStore(connection), calls)
        began = time.monotonic()
        with ExitStack() as running:
            workers = [stage.worker(topics, "stale", partitions=_PARTITIONS) for _ in range(_WORKERS)]
            for worker in workers:
                running.push(worker.start())
            for worker in workers:
                worker.wait_until_ready()
            ready = time.monotonic() - began
            fresh = event("call.ended", call="fresh")
            await publish(stage.kafka.address, topics, [fresh])
            await wait_for(connection, expected([fresh]), within=600)
            first = time.monotonic() - began
            while (final := await connection.collection("calls").count_documents({"state": "final"})) <= calls:
                progress(f"{final} calls final")
                await asyncio.sleep(2)
            seconds = time.monotonic() - began
            folds = sum(worker.metric("callfold_folds_total") for worker in workers)
    print(f"{calls} stale calls, {_WORKERS} workers: ready after {ready:.1f} s")  # noqa: T201
    print(f"a call that arrived then was final after {first:.1f} s, all after {seconds:.0f} s")  # noqa: T201
    print(f"{folds:.0f} folds of {calls + 1} calls")  # noqa: T201
    return int(folds != calls + 1)


async def _leave_stale(store: MongoStore, calls: int) -> None:
    await store.prepare()
    template = [raw(body) for body in conversation(_TEMPLATE, random.Random(1), 10)]
    for start in range(0, calls, _AT_ONCE):
        names = [f"call-{number:08}" for number in range(start, min(start + _AT_ONCE, calls))]
        logged: list[LogDocument] = []
        marks: list[CallUpdate] = []
        for name in names:
            events = logged_events(each.replace(_TEMPLATE.encode(), name.encode()) for each in template)
            logged += documents(f"org-789/{name}", SourcePartition("stale.telephony", 0), events, b"k" * 32)
            marks.append(CallUpdate(f"org-789/{name}", partition_of(name, _PARTITIONS), 1_000, stale=True))
        await store.insert(logged)
        await store.mark_stale(marks)


if __name__ == "__main__":
    run_program(take_over, __doc__, calls=(100_000, "stale calls"))
