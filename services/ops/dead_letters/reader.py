"""Reading the dead letters from the first to the last, without a consumer group: nobody's place in the topic moves."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.ops import kafka
from services.ops.dead_letters.dead_letter import DeadLetter, letter_of
from services.ops.dead_letters.selection import Selection
from services.ops.errors import USAGE, CommandError
from services.ops.settings import OpsSettings

_NUMBER = re.compile(r"(?:([0-9]{1,9}):)?([0-9]{1,18})", re.ASCII)
_EVERY = 100

Spans = dict[TopicPartition, tuple[int, int]]
"""The first offset of each partition that is read, and the one after its last."""

Report = Callable[[int], None]
"""Told from time to time how many records were read."""


Found = tuple[Any, DeadLetter]
"""A record of the topic, and what it says."""


class DeadLetters:
    """The topic as it is now: what comes later is not read."""

    def __init__(self, consumer: AIOKafkaConsumer, parts: Sequence[TopicPartition], spans: Spans) -> None:
        """`parts` are all of the topic's partitions."""
        self._consumer = consumer
        self._parts = parts
        self.spans = spans

    @property
    def total(self) -> int:
        """How many there are to be read."""
        return sum(end - first for first, end in self.spans.values())

    async def all(self, report: Report) -> AsyncIterator[Found]:
        """Yield every dead letter, partition by partition in their order."""
        async for record in self._read(report, Selection()):
            yield record, self._letter(record)

    async def chosen(self, selection: Selection, report: Report) -> AsyncIterator[Found]:
        """Yield those that are meant.

        Raises:
            CommandError: one that is named is not there.
        """
        for number in selection.numbers:
            record = await self.record(number)
            yield record, self._letter(record)
        if selection.numbers:
            return
        async for record in self._read(report, selection):
            if selection.in_time(record.timestamp):
                letter = self._letter(record)
                if selection.includes(letter.reason, letter.call, letter.source):
                    yield record, letter

    async def record(self, number: str) -> Any:
        """Return the topic's record of this number.

        Raises:
            CommandError: there is none, or the number is not one.
        """
        part, offset = _place(number, self._parts)
        first, end = self.spans[part]
        if first <= offset < end:
            async for record in _records(self._consumer, part, offset, offset + 1):
                return record
        raise CommandError(f"there is no dead letter {number}")

    async def _read(self, report: Report, selection: Selection) -> AsyncIterator[Any]:
        done = 0
        for part, (first, end) in self.spans.items():
            async for record in _records(self._consumer, part, first, end, selection.ends_before):
                done += 1
                if done % _EVERY == 0:
                    report(done)
                yield record

    def _letter(self, record: Any) -> DeadLetter:
        return letter_of(record, alone=len(self._parts) == 1)


@asynccontextmanager
async def opened(
    settings: OpsSettings, *, since: int | None = None, spans: Spans | None = None
) -> AsyncIterator[DeadLetters]:
    """Open the topic while the context lasts, from `since` on (Unix milliseconds), or just these spans of it.

    Raises:
        CommandError: Kafka does not answer, now or later, or the topic is not there.
    """
    parts = await kafka.partitions(settings.kafka, settings.topics.dead_letter)
    async with kafka.reader(settings.kafka) as consumer:
        yield DeadLetters(consumer, parts, spans or await _spans(consumer, parts, since))


async def _spans(consumer: AIOKafkaConsumer, parts: Sequence[TopicPartition], since: int | None) -> Spans:
    firsts, ends = await asyncio.gather(consumer.beginning_offsets(parts), consumer.end_offsets(parts))
    if since is not None:
        # Of each partition the first record that is not earlier: whatever the others' times are, all before it are.
        found = await consumer.offsets_for_times(dict.fromkeys(parts, since))
        firsts = {part: ends[part] if found[part] is None else found[part].offset for part in parts}
    return {part: (min(firsts[part], ends[part]), ends[part]) for part in parts}


def _place(number: str, parts: Sequence[TopicPartition]) -> tuple[TopicPartition, int]:
    found = _NUMBER.fullmatch(number)
    if found is None:
        raise CommandError(
            f"{number!r} names no dead letter: a number as `dead-letters list` shows it is needed", USAGE
        )
    if found[1] is None and len(parts) > 1:
        raise CommandError(f"the topic has {len(parts)} partitions: name the dead letter as `partition:offset`", USAGE)
    wanted = int(found[1] or parts[0].partition)
    for part in parts:
        if part.partition == wanted:
            return part, int(found[2])
    raise CommandError(f"there is no dead letter {number}")


async def _records(
    consumer: AIOKafkaConsumer,
    part: TopicPartition,
    first: int,
    end: int,
    ends_before: Callable[[Any], bool] = lambda _: False,
) -> AsyncIterator[Any]:
    """Yield the records of a partition with offsets from `first` on and below `end`, up to one that ends it."""
    if first == end:
        return
    consumer.assign([part])
    consumer.seek(part, first)
    while await consumer.position(part) < end:
        fetched = await consumer.getmany(part, timeout_ms=kafka.TIMEOUT_MS, max_records=_EVERY)
        if not fetched and await consumer.position(part) < end:
            raise TimeoutError
        for record in fetched.get(part, ()):
            if record.offset >= end or ends_before(record):
                return
            yield record
