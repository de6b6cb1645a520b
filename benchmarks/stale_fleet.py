"""Leaves many calls stale, as a fleet that died would, starts workers, and says how they fold them.

python -m benchmarks.stale_fleet --calls 100000
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from services.worker.consumer.topic_setup import Wanted, declare
from shared.config.mongo_access import MongoAccess
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.partitioner import partition_of
from shared.store.ids import documents
from shared.store.models import CallUpdate, LogDocument, SourcePartition
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.support.events.makers import event, raw
from tests.support.events.records import expected, wait_for
from tests.support.events.workload import conversation
from tests.support.servers.kafka import publish
from tests.support.servers.servers import kafka_server, mongo_server
from tests.support.worker.process import WorkerProcess

_PARTITIONS = 12
_WORKERS = 2
_AT_ONCE = 1_000
_ORGANIZATION = "org-789"


def main() -> int:
    """Run it; exits with 1 if a call was folded twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=100_000, help="how many calls are left stale")
    return asyncio.run(_take_over(parser.parse_args().calls))


async def _take_over(calls: int) -> int:
    topics = Topics("stale")
    with tempfile.TemporaryDirectory() as folder, kafka_server() as kafka, mongo_server() as mongo:
        await declare(KafkaAccess(kafka.address), topics, Wanted(_PARTITIONS, 1))
        connection = Connection(MongoAccess(mongo.uri), "stale")
        await _leave(MongoStore(connection), calls)
        began = time.monotonic()
        workers = [
            WorkerProcess(kafka.address, mongo.uri, topics, "stale", Path(folder), partitions=_PARTITIONS).start()
            for _ in range(_WORKERS)
        ]
        for worker in workers:
            worker.wait_until_ready()
        ready = time.monotonic() - began
        fresh = event("call.ended", call="fresh")
        await publish(kafka.address, topics, [fresh])
        await wait_for(connection, expected([fresh]), within=600)
        first = time.monotonic() - began
        final = connection.collection("calls")
        while (done := await final.count_documents({"state": "final"})) <= calls:
            print(f"{done} calls final", file=sys.stderr, flush=True)  # noqa: T201 - progress
            await asyncio.sleep(2)
        seconds = time.monotonic() - began
        folds = sum(worker.metric("callfold_folds_total") for worker in workers)
        for worker in workers:
            worker.stop()
        await connection.close()
    print(f"{calls} stale calls, {_WORKERS} workers: ready after {ready:.1f} s")  # noqa: T201
    print(f"a call that arrived then was final after {first:.1f} s, all after {seconds:.0f} s")  # noqa: T201
    print(f"{folds:.0f} folds of {calls + 1} calls")  # noqa: T201
    return int(folds != calls + 1)


async def _leave(store: MongoStore, calls: int) -> None:
    await store.prepare()
    template = [raw(body) for body in conversation("call-template", random.Random(1), 10)]
    names = [f"call-{number:08}" for number in range(calls)]
    for start in range(0, calls, _AT_ONCE):
        part = names[start : start + _AT_ONCE]
        await store.insert(list(_logged(part, template)))
        await store.mark_stale(
            [CallUpdate(f"{_ORGANIZATION}/{name}", partition_of(name, _PARTITIONS), 1_000, stale=True) for name in part]
        )


def _logged(names: Sequence[str], template: Sequence[bytes]) -> Iterator[LogDocument]:
    for name in names:
        events = [(n, each.replace(b"call-template", name.encode())) for n, each in enumerate(template)]
        yield from documents(f"{_ORGANIZATION}/{name}", SourcePartition("stale.telephony", 0), events, b"k" * 32)


if __name__ == "__main__":
    sys.exit(main())
