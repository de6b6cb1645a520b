"""Drains a backlog of ordinary calls with one worker on real servers, and says how much memory that took.

python -m benchmarks.backlog --events 1000000
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import psutil
from confluent_kafka import Producer

from services.worker.consumer.topic_setup import Wanted, declare
from shared.config.mongo_access import MongoAccess
from shared.contract.payloads import TRANSCRIPTION
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.store.mongo.client import Connection
from tests.support.events.makers import Json, raw
from tests.support.events.records import expected, read
from tests.support.events.workload import conversation
from tests.support.servers.kafka import lag
from tests.support.servers.servers import kafka_server, mongo_server
from tests.support.worker.process import WorkerProcess

_TURNS = 45
_AT_ONCE = 500
_BURST = 6
_CHECKED = 50
_PARTITIONS = 12
_MEBI = 2**20


def main() -> int:
    """Run it; exits with 1 if a record is wrong or the memory is above `--most`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000, help="how many, in calls of about 95")
    parser.add_argument("--most", type=int, default=400, help="resident memory that the worker may take, in MiB")
    chosen = parser.parse_args()
    return asyncio.run(_drain(chosen.events, chosen.most))


async def _drain(wanted: int, most: int) -> int:
    template = conversation("call-template", random.Random(1), _TURNS)
    calls = wanted // len(template)
    topics = Topics("backlog")
    with tempfile.TemporaryDirectory() as folder, kafka_server() as kafka, mongo_server() as mongo:
        await declare(KafkaAccess(kafka.address), topics, Wanted(_PARTITIONS, 1))
        events = _publish(kafka.address, topics, template, calls)
        _say(f"{events} events of {calls} calls lie in the topics")
        connection = Connection(MongoAccess(mongo.uri), "backlog")
        worker = WorkerProcess(kafka.address, mongo.uri, topics, "backlog", Path(folder), partitions=_PARTITIONS)
        began = time.monotonic()
        with worker:
            peak = await _watch(worker, connection, calls)
            seconds = time.monotonic() - began
            wrong = await _wrong(connection, template, calls)
            left = await lag(kafka.address, topics.prefix, topics)
        await connection.close()
    print(f"{events} events in {seconds:.0f} s, {events / seconds:.0f}/s, all final")  # noqa: T201
    print(f"resident memory of the worker at most {peak / _MEBI:.0f} MiB")  # noqa: T201
    print(f"{wrong} of {_CHECKED} records differ from the reference, {left} records not committed")  # noqa: T201
    return int(wrong > 0 or peak > most * _MEBI)


def _publish(bootstrap: str, topics: Topics, template: list[Json], calls: int) -> int:
    """Publish the template for each call, many calls at once in short bursts, as they would arrive."""
    producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "linger.ms": 50})
    lines = [
        (topics.transcription if body["type"] in TRANSCRIPTION else topics.telephony, raw(body)) for body in template
    ]
    sent = 0
    for first in range(0, calls, _AT_ONCE):
        names = [f"call-{number:08}".encode() for number in range(first, min(first + _AT_ONCE, calls))]
        for topic, name, value in _bursts(lines, names):
            while True:
                try:
                    producer.produce(topic, value.replace(b"call-template", name), name)
                    break
                except BufferError:
                    producer.poll(0.1)
            sent += 1
    producer.flush()
    return sent


def _bursts(lines: list[tuple[str, bytes]], names: list[bytes]) -> Iterator[tuple[str, bytes, bytes]]:
    for start in range(0, len(lines), _BURST):
        for name in names:
            for topic, value in lines[start : start + _BURST]:
                yield topic, name, value


async def _watch(worker: WorkerProcess, connection: Connection, calls: int) -> int:
    """Return the most memory that was seen until every call is final."""
    process, peak, final = psutil.Process(worker.pid), 0, 0
    while final < calls:
        for _ in range(20):
            peak = max(peak, process.memory_info().rss)
            await asyncio.sleep(0.1)
        final = await connection.collection("calls").count_documents({"state": "final"})
        _say(f"{final} calls final, {process.memory_info().rss / _MEBI:.0f} MiB")
    return peak


async def _wrong(connection: Connection, template: list[Json], calls: int) -> int:
    wrong = 0
    for number in random.Random(2).sample(range(calls), _CHECKED):
        name = f"call-{number:08}"
        told = [orjson.loads(raw(body).replace(b"call-template", name.encode())) for body in template]
        ((key, record),) = expected(told).items()
        wrong += (await read(connection, key))[0] != record
    return wrong


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - progress


if __name__ == "__main__":
    sys.exit(main())
