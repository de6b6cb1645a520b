"""Batches that are too large or cannot be read, among events, in a worker of its own."""

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import Self

import orjson

from services.worker.consumer.batches.bounded_reading import FETCH_BYTES
from shared.contract.topics import Topics
from shared.store.mongo.client import Connection
from tests.integration.worker.conftest import MakeWorker
from tests.support.callfold import Callfold
from tests.support.events.makers import STARTED, Json, event
from tests.support.events.record_batches import COMPRESS, batch, bomb, compressed, record
from tests.support.events.records import expected, wait_for
from tests.support.eventually import eventually
from tests.support.servers.kafka import lag, publish, records, send, send_raw
from tests.support.worker.process import WorkerProcess

PARTITIONS = 3
BOMB_MB = 200
LIMIT_MB = 16
# What docs/runbooks/batches-are-not-read.md allows beyond a worker that has nothing to do. All that is sent would be
# 800 MB.
MOST_MB = 150 + 10 * FETCH_BYTES // 1024**2 + LIMIT_MB


class Memory:
    """Samples the memory of a process while the context lasts: `grown` is by how many MB it grew at most."""

    def __init__(self, worker: WorkerProcess) -> None:
        self._status = Path(f"/proc/{worker.pid}/status")
        self._usual = self._most = self._resident()

    @property
    def grown(self) -> int:
        return self._most - self._usual

    async def __aenter__(self) -> Self:
        self._sampling = asyncio.create_task(self._sample())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._sampling.cancel()

    async def _sample(self) -> None:
        while True:
            self._most = max(self._most, self._resident())
            await asyncio.sleep(0.02)

    def _resident(self) -> int:
        (line,) = [each for each in self._status.read_text().splitlines() if each.startswith("VmRSS:")]
        return int(line.split()[1]) // 1024


def calls(prefix: str) -> list[Json]:
    """Return the events of calls on every partition."""
    kinds = ("call.started", "call.note", "call.ended")
    return [
        event(kind, subject=f"{prefix}-{number}", at=STARTED + place * 1_000)
        for number in range(9)
        for place, kind in enumerate(kinds)
    ]


async def send_everywhere(bootstrap: str, topics: Topics, batches: Collection[bytes]) -> None:
    for topic in topics.inputs:
        for partition in range(PARTITIONS):
            await send_raw(bootstrap, topic, partition, batches)


async def committed(bootstrap: str, topics: Topics) -> None:
    async def nothing_left() -> bool:
        return await lag(bootstrap, topics.prefix, topics) == 0

    await eventually(nothing_left)


async def test_bombs_in_every_partition_are_passed_over_and_all_events_around_them_are_folded(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    worker = make_worker(record_batch_mb=LIMIT_MB).start().wait_until_ready()
    before, behind = calls("before"), calls("behind")
    await publish(kafka_bootstrap, topics, before)
    await wait_for(connection, expected(before))

    async with Memory(worker) as memory:
        await send_everywhere(kafka_bootstrap, topics, [bomb(codec, BOMB_MB) for codec in ("gzip", "zstd")])
        await publish(kafka_bootstrap, topics, behind)
        await wait_for(connection, expected([*before, *behind]))
        await committed(kafka_bootstrap, topics)

    letters = [dict(each.headers) for each in await records(kafka_bootstrap, topics.dead_letter)]
    assert len(letters) == 2 * len(topics.inputs) * PARTITIONS
    assert {(each["reason"], int(each["last_offset"]) - int(each["offset"]) + 1) for each in letters} == {
        (b"batch_too_large", BOMB_MB)
    }
    assert worker.metric("callfold_unread_records_total") == len(letters) * BOMB_MB
    assert memory.grown < 4 * LIMIT_MB


async def test_a_worker_that_restarts_does_not_read_again_what_it_has_passed_over(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics
) -> None:
    first = make_worker(record_batch_mb=1).start().wait_until_ready()
    await send_raw(kafka_bootstrap, topics.telephony, 1, [compressed(codec, [b" " * 2**20] * 2) for codec in COMPRESS])
    await committed(kafka_bootstrap, topics)
    first.kill()

    second = make_worker(record_batch_mb=1).start().wait_until_ready()
    await send(kafka_bootstrap, [{"topic": topics.telephony, "partition": 1, "value": b"no JSON", "key": b"k"}])

    await eventually(lambda: second.metric("callfold_dead_letters_total") == 1)
    letters = [dict(each.headers) for each in await records(kafka_bootstrap, topics.dead_letter)]
    assert [each["reason"] for each in letters] == [b"batch_too_large"] * len(COMPRESS) + [b"not_json"]
    assert [(each["offset"], each.get("last_offset")) for each in letters] == [
        *((b"%d" % (2 * number), b"%d" % (2 * number + 1)) for number in range(len(COMPRESS))),
        (b"%d" % (2 * len(COMPRESS)), None),
    ]


async def test_many_batches_that_are_just_small_enough_do_not_add_up(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics
) -> None:
    large = [record(delta, None, b" " * 1_000_000) for delta in range(LIMIT_MB - 1)]
    small = [record(delta, None, b" " * 60) for delta in range(100_000)]
    batches = [batch(COMPRESS["zstd"](b"".join(each)), len(each), codec="zstd") for each in (*[large] * 5, small)]
    worker = make_worker(record_batch_mb=LIMIT_MB).start().wait_until_ready()

    async with Memory(worker) as memory:
        await send_everywhere(kafka_bootstrap, topics, batches)
        await committed(kafka_bootstrap, topics)

    sent = (5 * len(large) + len(small)) * len(topics.inputs) * PARTITIONS
    assert worker.metric("callfold_tombstone_records_total") == sent
    assert memory.grown < MOST_MB


async def test_a_batch_that_was_passed_over_is_listed_shown_and_not_replayed(
    make_worker: MakeWorker, callfold: Callfold, kafka_bootstrap: str, topics: Topics
) -> None:
    make_worker(record_batch_mb=1).start().wait_until_ready()
    await send_raw(kafka_bootstrap, topics.telephony, 1, [compressed("gzip", [b" " * 2**20] * 2)])
    await committed(kafka_bootstrap, topics)

    (listed,) = orjson.loads((await callfold("list", "--json")).stdout)
    shown = await callfold("show", "0")
    replayed = await callfold("replay", "--yes")

    assert (listed["topic"], listed["partition"], listed["offset"], listed["last_offset"]) == (
        topics.telephony,
        1,
        0,
        1,
    )
    assert "more than 1 MB when it is decompressed" in listed["detail"]
    assert (shown.stdout, "callfold-omitted-bytes" in shown.stderr) == ("", True)
    assert "1 cannot be sent back (0): its batch was not read" in replayed.stderr
