"""Reading the dead letters from the first to the last, without a consumer group: nobody's place in the topic moves."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.ops import kafka
from services.ops.failure import USAGE, Failure
from services.ops.settings import OpsSettings
from shared import strict_json
from shared.event_time import rfc3339

_NUMBER = re.compile(r"(?:([0-9]{1,9}):)?([0-9]{1,18})", re.ASCII)
_SUBJECT = "ce_subject"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter without its bytes: why it is one, whose it was, and which record of an input topic it was.

    `number` names it: its offset, after `<partition>:` where the topic has several partitions. `time` is RFC 3339.
    """

    number: str
    time: str
    reason: str | None
    detail: str | None
    call: str | None
    topic: str | None
    partition: int | None
    offset: int | None


def letter_of(record: Any, *, alone: bool) -> DeadLetter:
    """Return what a record of the topic says; `alone`: the topic has one partition only."""
    said = {name: value.decode(errors="replace") for name, value in record.headers if value is not None}
    return DeadLetter(
        number=str(record.offset) if alone else f"{record.partition}:{record.offset}",
        time=said.get("time") or rfc3339(record.timestamp),
        reason=said.get("reason"),
        detail=said.get("detail"),
        call=_call(record.key, record.value, said.get(_SUBJECT)),
        topic=said.get("topic"),
        partition=_integer(said.get("partition")),
        offset=_integer(said.get("offset")),
    )


class DeadLetters:
    """The topic as it is now: what comes later is not read."""

    def __init__(self, consumer: AIOKafkaConsumer, spans: dict[TopicPartition, tuple[int, int]]) -> None:
        """`spans`: the first offset of each partition and the one after its last."""
        self._consumer = consumer
        self._spans = spans

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(end - first for first, end in self._spans.values())

    async def letters(self) -> AsyncIterator[DeadLetter]:
        """Yield every dead letter, partition by partition in their order."""
        for part, (first, end) in self._spans.items():
            async for record in _records(self._consumer, part, first, end):
                yield letter_of(record, alone=len(self._spans) == 1)

    async def record(self, number: str) -> Any:
        """Return the topic's record of this number.

        Raises:
            Failure: there is none, or the number is not one.
        """
        part, offset = _place(number, list(self._spans))
        first, end = self._spans[part]
        if first <= offset < end:
            async for record in _records(self._consumer, part, offset, offset + 1):
                return record
        raise Failure(f"there is no dead letter {number}")


@asynccontextmanager
async def opened(settings: OpsSettings) -> AsyncIterator[DeadLetters]:
    """Open the topic while the context lasts.

    Raises:
        Failure: Kafka does not answer, now or later, or the topic is not there.
    """
    parts = await kafka.partitions(settings.kafka, settings.topics.dead_letter)
    async with kafka.reader(settings.kafka) as consumer:
        firsts, ends = await asyncio.gather(consumer.beginning_offsets(parts), consumer.end_offsets(parts))
        yield DeadLetters(consumer, {part: (firsts[part], ends[part]) for part in parts})


def _place(number: str, parts: Sequence[TopicPartition]) -> tuple[TopicPartition, int]:
    found = _NUMBER.fullmatch(number)
    if found is None:
        raise Failure(f"{number!r} names no dead letter: a number as `dead-letters list` shows it is needed", USAGE)
    if found[1] is None and len(parts) > 1:
        raise Failure(f"the topic has {len(parts)} partitions: name the dead letter as `partition:offset`", USAGE)
    wanted = int(found[1] or parts[0].partition)
    for part in parts:
        if part.partition == wanted:
            return part, int(found[2])
    raise Failure(f"there is no dead letter {number}")


async def _records(consumer: AIOKafkaConsumer, part: TopicPartition, first: int, end: int) -> AsyncIterator[Any]:
    """Yield the records of a partition with offsets from `first` on and below `end`."""
    if first == end:
        return
    consumer.assign([part])
    consumer.seek(part, first)
    while await consumer.position(part) < end:
        fetched = await consumer.getmany(part, timeout_ms=kafka.PATIENCE_MS, max_records=100)
        if not fetched and await consumer.position(part) < end:
            raise TimeoutError
        for record in fetched.get(part, ()):
            if record.offset < end:
                yield record


def _call(key: bytes | None, value: bytes | None, attribute: str | None) -> str | None:
    """Return the event's subject, where it can be read, or else the record's key, which should be the same."""
    if attribute:
        return attribute
    try:
        event = strict_json.parse(value or b"")
    except ValueError:
        event = None
    subject = event.get("subject") if isinstance(event, dict) else None
    return subject if isinstance(subject, str) and subject else key.decode(errors="replace") if key else None


def _integer(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < len(str(2**63)) else None
