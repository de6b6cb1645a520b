"""Reading the dead letters from the first to the last, without a consumer group."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.dead_letters.dead_letter import DeadLetter, dead_letter_of
from shared.dead_letters.errors import AmbiguousNumber, InvalidNumber, NoSuchDeadLetter
from shared.dead_letters.selection import Selection
from shared.kafka import admin
from shared.kafka.access import KafkaAccess

_NUMBER = re.compile(r"(?:([0-9]{1,9}):)?([0-9]{1,18})", re.ASCII)
_FETCHED = 100

OffsetRanges = dict[TopicPartition, tuple[int, int]]
"""For each partition the first offset to read, and the offset after the last."""

Report = Callable[[int], None]
"""Receives the number of records read so far, from time to time."""


class DeadLetterReader:
    """The topic as it was when it was opened: later records are not read."""

    def __init__(self, consumer: AIOKafkaConsumer, parts: Sequence[TopicPartition], ranges: OffsetRanges) -> None:
        """`parts` are all partitions of the topic."""
        self._consumer = consumer
        self._parts = parts
        self.ranges = ranges

    @property
    def total(self) -> int:
        return sum(end - first for first, end in self.ranges.values())

    async def all(self, report: Report) -> AsyncIterator[DeadLetter]:
        """Yield every dead letter, by partition and offset."""
        async for record in self._read(report, Selection()):
            yield self._letter(record)

    async def between(
        self, part: TopicPartition, first: int, end: int, *, most_parsed: int | None = None
    ) -> AsyncIterator[DeadLetter]:
        """Yield the dead letters of one partition from offset `first` to before `end`; see `dead_letter_of`."""
        async for record in _records(self._consumer, part, first, end):
            yield self._letter(record, most_parsed)

    async def selected(self, selection: Selection, report: Report) -> AsyncIterator[DeadLetter]:
        """Yield the dead letters of the selection.

        Raises:
            NoSuchDeadLetter: the selection names one that does not exist.
            InvalidNumber, AmbiguousNumber: the selection names one that is no number.
        """
        for number in selection.numbers:
            yield await self.get(number)
        if selection.numbers:
            return
        async for record in self._read(report, selection):
            if selection.in_time(record.timestamp):
                letter = self._letter(record)
                if selection.includes(letter):
                    yield letter

    async def get(self, number: str) -> DeadLetter:
        """Return the dead letter of this number.

        Raises:
            NoSuchDeadLetter: it does not exist.
            InvalidNumber, AmbiguousNumber: the number is not one.
        """
        part, offset = _parse(number, self._parts)
        first, end = self.ranges[part]
        if first <= offset < end:
            async for record in _records(self._consumer, part, offset, offset + 1):
                return self._letter(record)
        raise NoSuchDeadLetter(number)

    async def _read(self, report: Report, selection: Selection) -> AsyncIterator[Any]:
        done = 0
        for part, (first, end) in self.ranges.items():
            async for record in _records(self._consumer, part, first, end, selection.ends_before):
                done += 1
                if done % _FETCHED == 0:
                    report(done)
                yield record

    def _letter(self, record: Any, most_parsed: int | None = None) -> DeadLetter:
        return dead_letter_of(record, only_partition=len(self._parts) == 1, most_parsed=most_parsed)


@asynccontextmanager
async def opened(
    kafka: KafkaAccess, topic: str, *, since: int | None = None, ranges: OffsetRanges | None = None
) -> AsyncIterator[DeadLetterReader]:
    """Open the topic while the context lasts: from `since` (Unix milliseconds) on, or these ranges of it.

    Raises:
        KafkaUnavailable: Kafka does not answer, now or while the context lasts, or the topic does not exist.
    """
    parts = await admin.partitions(kafka, topic)
    async with admin.reader(kafka) as consumer:
        yield DeadLetterReader(consumer, parts, ranges or await _ranges(consumer, parts, since))


async def _ranges(consumer: AIOKafkaConsumer, parts: Sequence[TopicPartition], since: int | None) -> OffsetRanges:
    firsts, ends = await asyncio.gather(consumer.beginning_offsets(parts), consumer.end_offsets(parts))
    if since is not None:
        # The first record of each partition that is not earlier: all records before it are earlier.
        found = await consumer.offsets_for_times(dict.fromkeys(parts, since))
        firsts = {part: ends[part] if found[part] is None else found[part].offset for part in parts}
    return {part: (min(firsts[part], ends[part]), ends[part]) for part in parts}


def _parse(number: str, parts: Sequence[TopicPartition]) -> tuple[TopicPartition, int]:
    found = _NUMBER.fullmatch(number)
    if found is None:
        raise InvalidNumber(number)
    if found[1] is None and len(parts) > 1:
        raise AmbiguousNumber(len(parts))
    partition = int(found[1] or parts[0].partition)
    for part in parts:
        if part.partition == partition:
            return part, int(found[2])
    raise NoSuchDeadLetter(number)


async def _records(
    consumer: AIOKafkaConsumer,
    part: TopicPartition,
    first: int,
    end: int,
    ends_before: Callable[[Any], bool] = lambda _: False,
) -> AsyncIterator[Any]:
    """Yield the records from offset `first` to before `end`, or to the one that `ends_before` is true for, excluded."""
    if first == end:
        return
    consumer.assign([part])
    consumer.seek(part, first)
    while await consumer.position(part) < end:
        fetched = await consumer.getmany(part, timeout_ms=admin.TIMEOUT_MS, max_records=_FETCHED)
        if not fetched and await consumer.position(part) < end:
            raise TimeoutError
        for record in fetched.get(part, ()):
            if record.offset >= end or ends_before(record):
                return
            yield record
            await asyncio.sleep(0)  # fetched records come without waiting: no timeout could fire, no other task run
