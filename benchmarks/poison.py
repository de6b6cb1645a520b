"""Says what records that are no events cost the good ones behind them.

python -m benchmarks.poison --records 100000

A worker stands still (SIGSTOP) while a backlog is written to one partition, and is let go then: good events alone,
behind other good ones, behind as much poison. What the poison adds, until the last good event is in the log, is held
against what a plain consumer and producer need to read the same poison and to store it in another topic.
"""

import argparse
import asyncio
import itertools
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from services.worker.consumer.topic_setup import Wanted, declare
from shared.config.mongo_access import MongoAccess
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.store.mongo.client import Connection
from tests.support.events.makers import event, raw
from tests.support.events.workload import conversations
from tests.support.eventually import eventually
from tests.support.servers.kafka import Message, send
from tests.support.servers.servers import kafka_server, mongo_server
from tests.support.worker.process import WorkerProcess

_TURNS = 48
_GOOD_CALLS = 100
_TAKEN = 5_000
_GROUPED_BYTES = 512 * 1024
_WITHIN = 900.0
_names = (f"poison{number}" for number in itertools.count())


@dataclass(slots=True)
class Spent:
    """Seconds by the clock, and of a process's own work."""

    clock: float = 0.0
    work: float = 0.0

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(self.clock - other.clock, self.work - other.work)


@dataclass(frozen=True, slots=True)
class Bench:
    """A broker, a database and a folder of one's own."""

    kafka: str
    mongo: str
    folder: Path

    async def fold(self, values: Sequence[bytes], calls: int) -> Spent:
        """Return what a worker spends until all events among `values` are in the log; then `calls` become final."""
        topics = await self._topics()
        connection = Connection(MongoAccess(self.mongo), topics.prefix)
        good = sum(value.endswith(b"}}") for value in values)
        with WorkerProcess(
            *(self.kafka, self.mongo, topics, topics.prefix, self.folder), partitions=1, session_seconds=120
        ) as worker:
            worker.signal(signal.SIGSTOP)
            await self._write(topics, values)
            with _spending(worker.pid) as spent:
                worker.signal(signal.SIGCONT)
                await eventually(lambda: worker.metric("callfold_events_ingested_total") >= good, _WITHIN)
            await eventually(_all_final(connection, calls), _WITHIN)
            assert worker.metric("callfold_dead_letters_total") == len(values) - good
            worker.stop()
        await connection.drop()
        await connection.close()
        return spent

    async def copy(self, values: Sequence[bytes], **options: Any) -> Spent:
        """Return what a consumer and a producer with these options spend to read `values` and to store them."""
        topics = await self._topics()
        await self._write(topics, values)
        part, left = TopicPartition(topics.telephony, 0), len(values)
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka, auto_offset_reset="earliest")
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka, acks="all", enable_idempotence=True, **options)
        await consumer.start()
        await producer.start()
        consumer.assign([part])
        with _spending() as spent:
            while left:
                records = (await consumer.getmany(part, timeout_ms=1_000, max_records=_TAKEN)).get(part, [])
                sent = [await producer.send(topics.dead_letter, each.value, key=each.key) for each in records]
                await asyncio.gather(*sent)
                left -= len(records)
        await consumer.stop()
        await producer.stop()
        return spent

    async def _topics(self) -> Topics:
        topics = Topics(next(_names))
        await declare(KafkaAccess(self.kafka), topics, Wanted(1, 1))
        return topics

    async def _write(self, topics: Topics, values: Sequence[bytes]) -> None:
        sent: list[Message] = [{"topic": topics.telephony, "key": b"call-456", "value": value} for value in values]
        await send(self.kafka, sent, max_batch_size=_GROUPED_BYTES)


def poison(count: int) -> list[bytes]:
    """Return so many records of about 300 bytes that are no events, for three reasons in turn."""
    told = event("transcript.turn", content="It cost $27, as I said. " * 3)
    bodies = (told | {"data": {"role": "user"}}, told | {"data": told["data"] | {"role": 7}})
    kinds = (raw(told)[:-1], *(raw(body) + b"\n" for body in bodies))
    return list(itertools.islice(itertools.cycle(kinds), count))


def good(calls: int, seed: int) -> list[bytes]:
    """Return the events of so many whole calls, of about 100 events each."""
    told = conversations(calls, _TURNS, seed)
    return [raw(body | {"subject": f"{body['subject']}-{seed}"}) for events in told for body in events]


@contextmanager
def _spending(pid: int | None = None) -> Iterator[Spent]:
    process, spent = psutil.Process(pid), Spent()
    clock, times = time.monotonic(), process.cpu_times()
    yield spent
    now = process.cpu_times()
    spent.clock = time.monotonic() - clock
    spent.work = now.user + now.system - times.user - times.system


def _all_final(connection: Connection, calls: int) -> Callable[[], Any]:
    async def final() -> bool:
        return bool(await connection.collection("calls").count_documents({"state": "final"}) == calls)

    return final


async def _measure(records: int) -> None:
    bad, behind, other = poison(records), good(_GOOD_CALLS, 1), good(records // 100, 2)
    with tempfile.TemporaryDirectory() as folder, kafka_server() as kafka, mongo_server() as mongo:
        bench = Bench(kafka.address, mongo.uri, Path(folder))
        alone = await bench.fold(behind, _GOOD_CALLS)
        after_good = await bench.fold([*other, *behind], _GOOD_CALLS + records // 100) - alone
        after_bad = await bench.fold([*bad, *behind], _GOOD_CALLS) - alone
        usual = await bench.copy(bad)
        grouped = await bench.copy(bad, max_batch_size=_GROUPED_BYTES)
    _print(f"{len(behind)} good events until they are in the log", alone)
    _print(f"  behind {len(other)} other good events, more", after_good)
    _print(f"  behind {len(bad)} records that are no events, more", after_bad)
    for plain, how in ((usual, "as they come"), (grouped, "in large batches")):
        _print(f"the same read and stored by a plain consumer and producer, {how}", plain)
        print(f"  ratio {after_bad.clock / plain.clock:.2f}, of the work {after_bad.work / plain.work:.2f}")  # noqa: T201


def _print(title: str, spent: Spent) -> None:
    print(f"{title}: {spent.clock:.2f} s, {spent.work:.2f} s of work")  # noqa: T201


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000, help="how many that are no events")
    sys.exit(asyncio.run(_measure(parser.parse_args().records)))
