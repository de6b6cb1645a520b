"""Stops MongoDB, then Kafka, for a while under load, and prints what the worker did meanwhile and afterwards."""

import asyncio
import random
import time
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.stage import Stage, run_program
from deploy.local.servers.mongod import MongoServer
from deploy.local.servers.process import Server
from services.worker.consumer.topic_setup import Wanted, declare
from services.worker.runtime.retry import retry_until_available
from shared.config.mongo_access import MongoAccess
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.errors import KafkaUnavailable
from shared.store.mongo.client import Connection
from tests.support.events.makers import Json
from tests.support.events.records import expected, wait_for
from tests.support.events.workload import conversation, interleaved
from tests.support.eventually import eventually
from tests.support.servers.kafka import lag, publish
from tests.support.worker.process import WorkerProcess

_MEBI = 2**20


@dataclass(frozen=True, slots=True)
class Outage:
    """Resident memory (bytes), seconds from the return to the next stored event, dead letters, uncommitted records."""

    before: int
    peak: int
    resumed_after: float
    dead_letters: int
    left: int


@dataclass(frozen=True, slots=True)
class Servers:
    """A broker and a database that may be stopped."""

    kafka: Server
    mongo: MongoServer

    async def outage(self, what: str, seconds: float, folder: Path) -> Outage:
        """Stop `kafka` or `mongodb` for so long; return when every record is right.

        Events keep arriving while it is MongoDB that is stopped.
        """
        topics, stopped = Topics(f"without-{what}"), self.kafka if what == "kafka" else self.mongo
        access = KafkaAccess(self.kafka.address)
        await retry_until_available("kafka", lambda: declare(access, topics, Wanted(3, 1)), KafkaUnavailable)
        with WorkerProcess(self.kafka.address, self.mongo.uri, topics, topics.prefix, folder) as worker:
            memory = psutil.Process(worker.pid).memory_info
            events = await self._publish(topics, 0)
            await eventually(lambda: worker.events() == len(events), within=60)
            before = peak = memory().rss
            stopped.kill()
            until = time.monotonic() + seconds
            while time.monotonic() < until or not _reported(worker, what):
                if what == "mongodb":
                    events += await self._publish(topics, len(events))
                peak = max(peak, memory().rss)
                await asyncio.sleep(0.5)
                assert time.monotonic() < until + 60, "the metric does not report the outage"
            stopped.start()
            stopped.wait_until_ready()
            back, stored = time.monotonic(), worker.events()
            events += await self._publish(topics, len(events))
            await eventually(lambda: worker.events() > stored, within=60)
            resumed_after = time.monotonic() - back
            connection = Connection(MongoAccess(self.mongo.uri), topics.prefix)
            await wait_for(connection, expected(events), within=300)
            await connection.close()
            assert not _reported(worker, what), "the metric still reports the outage"
            dead_letters = int(worker.metric("callfold_dead_letters_total"))
            worker.stop()
        return Outage(before, peak, resumed_after, dead_letters, await lag(self.kafka.address, topics.prefix, topics))

    async def _publish(self, topics: Topics, number: int) -> list[Json]:
        calls = [conversation(f"call-{number}-{each}", random.Random(number), 20) for each in range(10)]
        await publish(self.kafka.address, topics, interleaved(calls))
        return [body for call in calls for body in call]


def _reported(worker: WorkerProcess, what: str) -> bool:
    return worker.metric(f'callfold_dependency_unavailable{{dependency="{what}"}}') == 1


async def _measure(stage: Stage, chosen: Namespace) -> int:
    for what in ("mongodb", "kafka"):
        seen = await Servers(stage.kafka, stage.mongo).outage(what, chosen.seconds, stage.folder)
        memory = f"{seen.before / _MEBI:.0f} MiB before, at most {seen.peak / _MEBI:.0f} meanwhile"
        resumed = f"the next event was stored {seen.resumed_after:.1f} s after its return"
        kept = f"every record right, {seen.dead_letters} dead letters, {seen.left} records not committed"
        print(f"{what} stopped for {chosen.seconds:.0f} s: {memory}; {resumed}; {kept}")  # noqa: T201
    return 0


if __name__ == "__main__":
    run_program(_measure, __doc__, seconds=(180.0, "how long each is stopped"))
