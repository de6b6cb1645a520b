"""Prints what invalid records, and events with a wrong field, cost the valid events behind them.

A worker is stopped (SIGSTOP) while a backlog is written to one partition: valid events alone, behind other valid ones,
behind as many that have one wrong field each, behind as many invalid records. What the invalid ones add until the last
event is in the log is compared with what a plain consumer and producer need to read the same records and to store them
in another topic.
"""

import asyncio
import itertools
import signal
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from benchmarks.stage import Stage, run_program
from shared.contract.topics import Topics
from tests.support.events.makers import Json, event, raw
from tests.support.events.workload import conversations
from tests.support.eventually import eventually
from tests.support.servers.kafka import send

_TURNS = 48
_VALID_CALLS = 100
_WRONG: dict[str, Json] = {
    "call.created": {"start_timestamp": "soon"},
    "call.started": {"answered_by": ["human"]},
    "transcript.turn": {"confidence": "high"},
    "latency.sampled": {"sample_id": {}},
    "usage.reported": {"unit": ["token"]},
    "call.ended": {"duration_ms": -1},
}
"""A wrong field for each type of event."""
_LARGE = {"max_batch_size": 512 * 1024}
_WITHIN = 900.0


@dataclass(slots=True)
class Spent:
    """Seconds by the clock, and of a process's CPU."""

    clock: float = 0.0
    cpu: float = 0.0

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(self.clock - other.clock, self.cpu - other.cpu)

    def __str__(self) -> str:
        return f"{self.clock:.2f} s, {self.cpu:.2f} s of CPU"


async def fold(stage: Stage, values: Sequence[bytes], calls: int) -> Spent:
    """Return what a worker spends until all events among `values` are in the log; then `calls` become final."""
    topics = await stage.topics(1)
    valid = sum(value.endswith(b"}}") for value in values)
    with (
        stage.database("poison") as database,
        stage.worker(topics, database.name, partitions=1, session_seconds=120) as worker,
    ):
        worker.signal(signal.SIGSTOP)
        await _write(stage, topics, values)
        with _spending(worker.pid) as spent:
            worker.signal(signal.SIGCONT)
            await eventually(lambda: worker.events() >= valid, _WITHIN)
        await eventually(lambda: database.calls.count_documents({"state": "final"}) == calls, _WITHIN)
        assert worker.metric("callfold_dead_letters_total") == len(values) - valid
        worker.stop()
    return spent


async def copy(stage: Stage, values: Sequence[bytes], **options: Any) -> Spent:
    """Return what a consumer and a producer with these options spend to read `values` and to store them."""
    topics, kafka = await stage.topics(1), {"bootstrap_servers": stage.kafka.address}
    await _write(stage, topics, values)
    part, left = TopicPartition(topics.telephony, 0), len(values)
    async with (
        AIOKafkaConsumer(**kafka, auto_offset_reset="earliest") as consumer,
        AIOKafkaProducer(**kafka, acks="all", enable_idempotence=True, **options) as producer,
    ):
        consumer.assign([part])
        with _spending() as spent:
            while left:
                records = (await consumer.getmany(part, timeout_ms=1_000, max_records=5_000)).get(part, [])
                sent = [await producer.send(topics.dead_letter, each.value, key=each.key) for each in records]
                await asyncio.gather(*sent)
                left -= len(records)
    return spent


async def _write(stage: Stage, topics: Topics, values: Sequence[bytes]) -> None:
    sent = [{"topic": topics.telephony, "key": b"call-456", "value": value} for value in values]
    await send(stage.kafka.address, sent, **_LARGE)


def invalid_records(count: int) -> list[bytes]:
    """Return so many records of about 300 bytes that are invalid, for three reasons in turn."""
    turn = event("transcript.turn", content="It cost $27, as I said. " * 3)
    bodies = (turn | {"data": {"role": "user"}}, turn | {"data": turn["data"] | {"role": []}})
    kinds = (raw(turn)[:-1], *(raw(body) + b"\n" for body in bodies))
    return list(itertools.islice(itertools.cycle(kinds), count))


def valid_events(calls: int, seed: int, wrong: Mapping[str, Json] = MappingProxyType({})) -> list[bytes]:
    """Return the events of so many whole calls, of about 100 events each; `wrong` is added to the data of each type."""
    made = itertools.chain.from_iterable(conversations(calls, _TURNS, seed))
    return [
        raw(body | {"subject": f"{body['subject']}-{seed}", "data": body["data"] | wrong.get(body["type"], {})})
        for body in made
    ]


@contextmanager
def _spending(pid: int | None = None) -> Iterator[Spent]:
    process, spent = psutil.Process(pid), Spent()
    clock, times = time.monotonic(), process.cpu_times()
    yield spent
    now = process.cpu_times()
    spent.clock = time.monotonic() - clock
    spent.cpu = now.user + now.system - times.user - times.system


async def _measure(stage: Stage, chosen: Namespace) -> int:
    records = chosen.records
    invalid, behind, other = invalid_records(records), valid_events(_VALID_CALLS, 1), valid_events(records // 100, 2)
    alone = await fold(stage, behind, _VALID_CALLS)
    after_valid = await fold(stage, [*other, *behind], _VALID_CALLS + records // 100) - alone
    wrong = valid_events(records // 100, 3, _WRONG)
    after_wrong = await fold(stage, [*wrong, *behind], _VALID_CALLS + records // 100) - alone
    after_invalid = await fold(stage, [*invalid, *behind], _VALID_CALLS) - alone
    print(f"{len(behind)} valid events until they are in the log: {alone}")  # noqa: T201
    print(f"  behind {len(other)} other valid events, additionally: {after_valid}")  # noqa: T201
    ratio = f"ratio {after_wrong.clock / after_valid.clock:.2f}, of the CPU {after_wrong.cpu / after_valid.cpu:.2f}"
    print(f"  behind {len(wrong)} events with a wrong field, additionally: {after_wrong}; {ratio}")  # noqa: T201
    print(f"  behind {len(invalid)} invalid records, additionally: {after_invalid}")  # noqa: T201
    for how, options in (("as they come", {}), ("in large batches", _LARGE)):
        plain = await copy(stage, invalid, **options)
        ratio = f"ratio {after_invalid.clock / plain.clock:.2f}, of the CPU {after_invalid.cpu / plain.cpu:.2f}"
        print(f"the same read and stored by a plain consumer and producer, {how}: {plain}; {ratio}")  # noqa: T201
    return 0


if __name__ == "__main__":
    run_program(_measure, __doc__, records=(100_000, "how many are invalid"))
