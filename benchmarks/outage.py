"""Takes MongoDB, then Kafka, away for a while under load, and says what the worker did meanwhile and after.

python -m benchmarks.outage --seconds 180
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

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
from tests.support.servers.servers import kafka_server, mongo_server
from tests.support.worker.process import WorkerProcess

_MEBI = 2**20
_EVENTS = "callfold_events_ingested_total"


@dataclass(frozen=True, slots=True)
class Outage:
    """What was seen.

    Resident memory before and at most meanwhile (bytes), seconds from the return to the next event written, dead
    letters, records of Kafka left uncommitted.
    """

    before: int
    peak: int
    resumed_after: float
    dead_letters: int
    left: int


@dataclass(frozen=True, slots=True)
class Servers:
    """A broker and a database of one's own."""

    kafka: Server
    mongo: MongoServer

    async def outage(self, what: str, seconds: float, folder: Path) -> Outage:
        """Take `kafka` or `mongodb` away for so long; return when every record is right.

        Events go on arriving where Kafka is not what is away.
        """
        topics, away = Topics(f"without-{what}"), self.kafka if what == "kafka" else self.mongo
        reach = KafkaAccess(self.kafka.address)
        await retry_until_available("kafka", lambda: declare(reach, topics, Wanted(3, 1)), KafkaUnavailable)
        with WorkerProcess(self.kafka.address, self.mongo.uri, topics, topics.prefix, folder) as worker:
            events = await self._bring(topics, 0)
            await eventually(lambda: worker.metric(_EVENTS) == len(events), within=60)
            before = peak = psutil.Process(worker.pid).memory_info().rss
            away.kill()
            until = time.monotonic() + seconds
            while time.monotonic() < until or not _waits(worker, what):
                if what == "mongodb":
                    events += await self._bring(topics, len(events))
                peak = max(peak, psutil.Process(worker.pid).memory_info().rss)
                await asyncio.sleep(0.5)
                assert time.monotonic() < until + 60, "the metric does not say what is waited for"
            away.start()
            away.wait_until_ready()
            back, written = time.monotonic(), worker.metric(_EVENTS)
            events += await self._bring(topics, len(events))
            await eventually(lambda: worker.metric(_EVENTS) > written, within=60)
            resumed_after = time.monotonic() - back
            await self._right(topics, events)
            assert not _waits(worker, what), "the metric says that something is waited for still"
            dead_letters = int(worker.metric("callfold_dead_letters_total"))
            worker.stop()
        return Outage(before, peak, resumed_after, dead_letters, await lag(self.kafka.address, topics.prefix, topics))

    async def _bring(self, topics: Topics, number: int) -> list[Json]:
        calls = [conversation(f"call-{number}-{each}", random.Random(number), 20) for each in range(10)]
        await publish(self.kafka.address, topics, interleaved(calls))
        return [body for call in calls for body in call]

    async def _right(self, topics: Topics, events: list[Json]) -> None:
        connection = Connection(MongoAccess(self.mongo.uri), topics.prefix)
        await wait_for(connection, expected(events), within=300)
        await connection.close()


def _waits(worker: WorkerProcess, what: str) -> bool:
    return worker.metric(f'callfold_dependency_unavailable{{dependency="{what}"}}') == 1


async def _both(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder, kafka_server() as kafka, mongo_server() as mongo:
        for what in ("mongodb", "kafka"):
            seen = await Servers(kafka, mongo).outage(what, seconds, Path(folder))
            _print(f"{what} away for {seconds:.0f} s", seen)


def _print(title: str, seen: Outage) -> None:
    memory = f"{seen.before / _MEBI:.0f} MiB before, at most {seen.peak / _MEBI:.0f} meanwhile"
    went_on = f"the next event was written {seen.resumed_after:.1f} s after its return"
    kept = f"every record right, {seen.dead_letters} dead letters, {seen.left} records not committed"
    print(f"{title}: {memory}; {went_on}; {kept}")  # noqa: T201


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=180, help="how long each is away")
    sys.exit(asyncio.run(_both(parser.parse_args().seconds)))
