"""The first record of each partition that a reader of committed transactions has before it."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

FETCH_BYTES = 64 * 1024
"""Of each partition at once: thousands of aborted records take a few fetches, and a backlog is not read."""

FETCH_WAIT_MS = 100
_SECONDS = 5


async def first_records(
    consumer: AIOKafkaConsumer, positions: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> dict[TopicPartition, ConsumerRecord | None]:
    """Return the first record of each partition from its position on and before its end.

    None stands for a partition that holds no record there for this consumer, only what transactions leave: marks, which
    are no records, and aborted records. A partition that is not known after 5 s is left out. All are read at once. The
    consumer is assigned to them, and its position moves.
    """
    undecided = {part for part, position in positions.items() if position < ends[part]}
    found: dict[TopicPartition, ConsumerRecord | None] = dict.fromkeys(positions.keys() - undecided)
    consumer.assign(list(undecided))
    for part in undecided:
        consumer.seek(part, positions[part])
    with suppress(TimeoutError):
        async with asyncio.timeout(_SECONDS):
            while undecided:
                decided = await _decided(consumer, {part: ends[part] for part in undecided})
                found |= decided
                undecided -= decided.keys()
                consumer.pause(*decided)  # or its records would be fetched again and again
    return found


async def _decided(
    consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]
) -> dict[TopicPartition, ConsumerRecord | None]:
    """Return what the next fetched record, and the positions before the others' records, decide."""
    fetched = await consumer.getmany(*ends, timeout_ms=FETCH_WAIT_MS, max_records=1)
    decided: dict[TopicPartition, ConsumerRecord | None] = {}
    for part, end in ends.items():
        if records := fetched.get(part):
            decided[part] = records[0] if records[0].offset < end else None
        elif await consumer.position(part) >= end:
            decided[part] = None
    return decided
