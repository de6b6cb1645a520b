"""Batches that are too large or cannot be read, among events, in a worker of its own."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from services.worker.consumer.bounded_reading import FETCH_BYTES
from shared.contract.topics import Topics
from shared.kafka.partitioner import partition_of
from shared.store.mongo.client import Connection
from tests.integration.worker.conftest import MakeWorker
from tests.support.callfold import Callfold
from tests.support.events.makers import STARTED, Json, event
from tests.support.events.record_batches import bomb, compressed
from tests.support.events.records import expected, wait_for
from tests.support.eventually import eventually
from tests.support.servers.kafka import lag, message, records, send, send_raw

PARTITIONS = 3
BOMB_MB = 500
LIMIT_MB = 16


def resident_mb(pid: int) -> int:
    """Return the most memory that a process has had so far."""
    (line,) = [each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("VmHWM:")]
    return int(line.split()[1]) // 1024


def call(name: str) -> list[Json]:
    kinds = ("call.started", "call.note", "call.ended")
    return [event(kind, subject=name, at=STARTED + number * 1_000) for number, kind in enumerate(kinds)]


async def test_bombs_in_every_partition_are_passed_over_and_all_events_around_them_are_folded(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    worker = make_worker(record_batch_mb=LIMIT_MB).start().wait_until_ready()
    before, behind = ([each for number in range(9) for each in call(f"{when}-{number}")] for when in ("a", "b"))
    await send(kafka_bootstrap, [message(body, topics) for body in before])
    await wait_for(connection, expected(before))
    usual = resident_mb(worker.pid)

    bombs = {codec: bomb(codec, BOMB_MB) for codec in ("gzip", "zstd")}
    for topic in topics.inputs:
        for partition in range(PARTITIONS):
            await send_raw(kafka_bootstrap, topic, partition, bombs.values())
    await send(kafka_bootstrap, [message(body, topics) for body in behind])

    await wait_for(connection, expected([*before, *behind]))
    await eventually(lambda: nothing_left(kafka_bootstrap, topics))
    letters = await records(kafka_bootstrap, topics.dead_letter)
    spans = [dict(each.headers) for each in letters]
    assert len(letters) == len(bombs) * len(topics.inputs) * PARTITIONS
    assert {each["reason"] for each in spans} == {b"batch_too_large"}
    assert {int(each["last_offset"]) - int(each["offset"]) + 1 for each in spans} == {BOMB_MB}
    assert worker.metric("callfold_unread_records_total") == len(letters) * BOMB_MB
    assert worker.written().count("records_passed_over") == len(letters)
    assert resident_mb(worker.pid) - usual < 4 * LIMIT_MB + 2 * FETCH_BYTES // 1024**2
